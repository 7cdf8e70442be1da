"""What generating is asked, and what it tells while it works."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import Field

from studio.chatml import Frozen
from studio.llm import ModelSettings, Waiting
from studio.store.records import Verdict


class GenerateParams(Frozen):
    """``workspace`` is the root folder that holds a folder a persona."""

    spec_path: str
    workspace: str
    settings: ModelSettings = ModelSettings()
    seed: int = 0
    concurrency: int | None = Field(default=None, ge=1)
    """Chains of author and judge under way at once; None follows what the endpoints bear."""
    examples: int | None = Field(default=None, ge=1)
    """Accepted examples wanted in all, instead of the spec's ``success.examples``."""
    max_attempts: float = Field(default=4.0, ge=1)
    """Attempts that a missing example may take, on average over its category, before the category is given up."""


class CategoryTarget(Frozen):
    category: str
    target: int
    accepted: int = 0
    rejected: int = 0
    pending: int = 0


class GenerateStarted(Frozen):
    kind: Literal["generate_started"] = "generate_started"
    author: str
    judge: str
    targets: tuple[CategoryTarget, ...]
    note: str = ""
    """What is to be known before any example is there."""


class ExampleScored(Frozen):
    """An example was judged and stored. ``accepted`` tells whether it counts towards its category's target."""

    kind: Literal["example_scored"] = "example_scored"
    example_id: str
    category: str
    scenario: str
    verdict: Verdict
    accepted: bool
    total: float | None = None
    """As :attr:`studio.store.Judgement.total`."""
    reasons: tuple[str, ...] = ()


class CallFailed(Frozen):
    """A call that failed for good: counted apart from rejections."""

    kind: Literal["call_failed"] = "call_failed"
    purpose: str
    error: str
    scenario: str = ""


class GenerateProgressed(Frozen):
    """Sent at most twice a second. ``rate`` is examples a second; ``eta_s`` is None until it is known.

    ``generated``, ``accepted`` and ``rejected`` are of all that is stored and counts, ``errors`` of this run;
    ``cost_usd`` is None where a call had no known price.
    """

    kind: Literal["generate_progressed"] = "generate_progressed"
    targets: tuple[CategoryTarget, ...]
    generated: int
    accepted: int
    rejected: int
    errors: int
    rate: float
    eta_s: float | None
    cost_usd: float | None
    reasons: dict[str, int]
    under_way: int = 0
    """Chains of author and judge under way; while it stops, those whose answers are awaited."""
    at_once: int = 0
    """Chains that may be under way."""
    stopping: bool = False
    waiting: Waiting | None = None
    """What all calls wait for, where nobody gets through."""

    @property
    def flow(self) -> str:
        """One line on what holds it up, for a person; empty where nothing does."""
        if self.stopping:
            return f"stopping, {self.under_way} answer{'' if self.under_way == 1 else 's'} awaited"
        return self.waiting.line(datetime.now(UTC)) if self.waiting is not None else ""


class GenerateFinished(Frozen):
    """``complete`` is False where a limit ended it before the targets were met; ``note`` says why."""

    kind: Literal["generate_finished"] = "generate_finished"
    complete: bool
    targets: tuple[CategoryTarget, ...]
    generated: int
    accepted: int
    rejected: int
    errors: int
    seconds: float
    cost_usd: float | None
    note: str = ""


GenerateEvent = Annotated[
    GenerateStarted | ExampleScored | CallFailed | GenerateProgressed | GenerateFinished,
    Field(discriminator="kind"),
]
