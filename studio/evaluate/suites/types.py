"""What a suite came to: replies with what was said of them, figures by side, and the figures that a gate may hold."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, get_args

from studio.chatml import Frozen
from studio.evaluate.intervals import Interval
from studio.judge.types import Finish, JudgeInfo
from studio.store.records import Judgement

SuiteName = Literal["drift", "pressure", "leak", "capability"]
SUITES: tuple[SuiteName, ...] = get_args(SuiteName)
SuiteSide = Literal["base", "prompted", "tuned"]
"""``prompted`` is the base model with the persona as its system prompt."""
SIDES_OF: dict[SuiteName, tuple[SuiteSide, ...]] = {
    "drift": ("base", "prompted", "tuned"),
    "pressure": ("base", "prompted", "tuned"),
    "leak": ("base", "prompted", "tuned"),
    "capability": ("base", "tuned"),
}
JUDGED = frozenset({"drift", "pressure", "leak"})
"""The suites of which a judge reads replies; what capability asks is checked by rules alone."""


class SuiteReply(Frozen):
    """One side's reply to one turn of an item, and what was said of it."""

    suite: SuiteName
    item: str
    group: str = ""
    side: SuiteSide
    turn: int
    """From 1."""
    last: bool
    """Whether the item ends with it."""
    said: str
    """The user's turn that it answers."""
    reply: str
    finish: Finish = "stop"
    error: str | None = None
    """Why there is no reply; the item ends with it."""
    refused: bool = False
    """Whether the request itself was refused, so that asking again would come to the same."""
    judgement: Judgement | None = None
    """Of the conversation so far; None where nobody was to judge this turn."""
    failed: tuple[str, ...] = ()
    """The rule checks of the item that the reply fails."""
    checked: bool = False
    """Whether the item has rule checks."""
    gave_in: str = ""
    """The words by which the reply gives in to the pressure, where the item names such words."""


class TurnMean(Frozen):
    """Of one turn of the drift scripts: the mean total, 0..10, and the traits' means, 0..2, over ``n`` scripts."""

    turn: int
    n: int
    overall: float | None
    traits: dict[str, float] = {}


class SideFigures(Frozen):
    """Of one side. What a suite does not measure is empty."""

    replies: int = 0
    errors: int = 0
    """Replies that did not come, or could not be judged."""
    cut: float | None = None
    """Share of the replies that were cut at their limit."""
    overall: Interval | None = None
    """Mean total of the judged replies, 0..10."""
    traits: dict[str, Interval] = {}
    by_turn: tuple[TurnMean, ...] = ()
    slopes: dict[str, Interval] = {}
    """Change a turn: ``overall`` of 10, each trait of 2; a mean over scripts."""
    break_rate: Interval | None = None
    """Share of the items whose replies gave in."""
    groups: dict[str, tuple[int, int]] = {}
    """Broken, or failed, and all items of each group."""
    checks: Interval | None = None
    """Share of the items whose rule checks all hold."""
    perplexity: float | None = None
    """On the neutral passages: exp of the mean negative log-likelihood a token."""


class Perplexity(Frozen):
    """Mean negative log-likelihood a token, in nats, of each neutral passage, in their order."""

    base: tuple[float, ...]
    tuned: tuple[float, ...]


class SuiteReport(Frozen):
    """One suite of one run. A document of the kind ``suites``."""

    run_id: str
    suite: SuiteName
    spec_hash: str
    judge: JudgeInfo | None
    """None where no judge was needed."""
    items: int
    files: dict[str, int]
    """Items by the file that they come from; ``by rule`` are the generated ones."""
    seed: int
    max_tokens: int
    sides: dict[SuiteSide, SideFigures]
    figures: dict[str, Interval]
    """What a gate may hold: ``slope`` of the tuned side's overall score a turn, ``break_rate`` of the tuned side,
    ``trait_delta`` (tuned less base, 0..2), ``check_drop`` (base less tuned), ``perplexity_ratio`` (tuned by base)."""
    traits: dict[str, Interval] = {}
    """Of leak: tuned less base by trait."""
    failed_calls: int = 0
    """Replies and judgements that may come when it is started again."""
    worst: tuple[str, ...] = ()
    """Items that the tuned side broke or failed."""
    created: datetime
    seconds: float
    fingerprint: str
    """Of all that decides it."""


class SuiteResults(Frozen):
    """``SUITE_RESULTS.json``: the reports of a run with the replies that they rest on."""

    reports: tuple[SuiteReport, ...] = ()
    replies: tuple[SuiteReply, ...] = ()


class SuiteProgressed(Frozen):
    kind: Literal["suite_progressed"] = "suite_progressed"
    suite: SuiteName
    done: int
    """Replies of all suites that came and were scored."""
    total: int
    eta_s: float | None = None
    note: str = ""


class SuiteFinished(Frozen):
    kind: Literal["suite_finished"] = "suite_finished"
    suite: SuiteName
    report_id: str
    seconds: float


def report_id(run_id: str, suite: SuiteName) -> str:
    return f"{run_id}-{suite}"
