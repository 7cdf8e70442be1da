"""What packaging tells, and what a package proved of itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from studio.chatml import Frozen
from studio.serve.logprobs import Runtime


class Verification(Frozen):
    """The package loaded back by transformers and peft in a process of its own, and compared with the run.

    ``difference`` is the mean over the taught tokens of the absolute difference between the run's and the package's
    natural log-probability of each; ``largest`` that of the token that differs most.
    """

    verified: bool
    prompt: str = ""
    """The last turn of the first probe, ``reply`` the package's greedy reply to it, ``expected`` the evaluated one."""
    reply: str = ""
    expected: str = ""
    seconds: float
    note: str = ""
    """Why it is not verified, or what else there is to know."""
    probes: int = 0
    tokens: int = 0
    difference: float | None = None
    largest: float | None = None
    tolerance: float | None = None
    runtime: Runtime | None = None
    versions: dict[str, str] = {}
    """Of torch, transformers and peft."""


class Package(Frozen):
    """``packages/<id>/``: the folder to deploy."""

    id: str
    path: str
    run_id: str
    evaluation_id: str
    spec_hash: str
    files: dict[str, str]
    """File -> SHA-256."""
    gates_passed: bool
    verdict: str = ""
    """``approved for deployment``, or what it is instead: a trial never is."""
    verification: Verification
    created: datetime


class PackageStepped(Frozen):
    kind: Literal["package_stepped"] = "package_stepped"
    step: str
    done: int
    total: int


class PackageFinished(Frozen):
    kind: Literal["package_finished"] = "package_finished"
    package: Package
