"""What packaging tells, and what a package proved of itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from studio.chatml import Frozen


class Verification(Frozen):
    """The package loaded back in a fresh process: one reply made and compared with the run's own."""

    verified: bool
    prompt: str
    reply: str
    expected: str
    seconds: float
    note: str = ""


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
