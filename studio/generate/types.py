"""What generating is asked, and what it tells while it works."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from studio.chatml import Frozen
from studio.generate.collapse import OpeningsWorn
from studio.judge.canaries import CanariesJudged, JudgedCanary
from studio.llm import ModelSettings, Waiting, dollars
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
    preview: int | None = Field(default=None, ge=1)
    """Make only so many examples, the next ones; None makes all that are missing."""
    check_fit: bool = False
    """Have the judge say of what passes whether the user's side fits who asks; a misfit is rejected."""
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


class SpentOn(Frozen):
    """What calls took by the record of the workspace; ``cost_usd`` is of those whose price is known."""

    calls: int = 0
    unpriced: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0


class Spending(Frozen):
    """What was spent in US dollars, author and judge apart. ``per_accepted_usd`` and ``projected_usd``, which is of all
    once the targets are met, are None until they are known."""

    author: SpentOn = SpentOn()
    judge: SpentOn = SpentOn()
    per_accepted_usd: float | None = None
    projected_usd: float | None = None
    limit_usd: float | None = None

    @property
    def spent_usd(self) -> float:
        return self.author.cost_usd + self.judge.cost_usd

    @property
    def unpriced(self) -> int:
        """Calls whose price is not known."""
        return self.author.unpriced + self.judge.unpriced

    @property
    def cost_usd(self) -> float | None:
        """None where a call has no known price."""
        return None if self.unpriced else self.spent_usd

    def told(self) -> dict[str, Any]:
        """For scripts."""
        return self.model_dump() | {"spent_usd": self.spent_usd, "unpriced": self.unpriced, "line": self.line}

    @property
    def line(self) -> str:
        """For a person: ``$1.20 of $5.00, about $2.40 in all, $0.012 an example (author $1.00, judge $0.20)``; empty
        where nothing costs anything."""
        if not self.spent_usd:
            return f"{self.unpriced} calls of unknown price" if self.unpriced else ""
        told = dollars(self.spent_usd)
        if self.limit_usd is not None:
            told += f" of {dollars(self.limit_usd)}"
        if self.projected_usd is not None:
            told += f", about {dollars(self.projected_usd)} in all"
        if self.per_accepted_usd:
            told += f", {dollars(self.per_accepted_usd)} an example"
        told += f" (author {dollars(self.author.cost_usd)}, judge {dollars(self.judge.cost_usd)})"
        return told + (f", {self.unpriced} calls of unknown price" if self.unpriced else "")


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
    spending: Spending = Spending()
    worn: str = ""
    """Openings and runs of words that come again and again, in one line."""

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
    spending: Spending = Spending()
    canaries: tuple[JudgedCanary, ...] = ()
    """What the judge made of replies that deserve next to nothing; none where few were judged."""


GenerateEvent = Annotated[
    GenerateStarted
    | CanariesJudged
    | ExampleScored
    | CallFailed
    | GenerateProgressed
    | OpeningsWorn
    | GenerateFinished,
    Field(discriminator="kind"),
]
