"""How a job of generating stands: what only its events tell. Counts and rows come from the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.generate.types import CallFailed, GenerateFinished, GenerateProgressed, GenerateStarted
from studio.jobs.types import Event
from studio.tui.progress.events import parsed


@dataclass(frozen=True)
class GenerateProgress:
    """``rate`` is examples a second, of the last ones where it has ended; None and empty until it is known."""

    author: str = ""
    judge: str = ""
    wanted: int = 0
    accepted: int = 0
    errors: int = 0
    last_error: str = ""
    rate: float = 0.0
    eta_s: float | None = None
    cost_usd: float | None = 0.0
    finished: GenerateFinished | None = None

    @property
    def brief(self) -> str:
        return f"{self.accepted}/{self.wanted}" if self.wanted else ""


def fold(progress: GenerateProgress | None, events: Sequence[Event]) -> GenerateProgress:
    now = progress or GenerateProgress()
    for event in parsed(events, GenerateStarted, GenerateProgressed, CallFailed, GenerateFinished):
        match event:
            case GenerateStarted():
                now = _started(now, event)
            case GenerateProgressed():
                now = _progressed(now, event)
            case CallFailed():
                now = replace(now, last_error=f"{event.purpose}: {event.error}", errors=now.errors + 1)
            case GenerateFinished():
                now = replace(now, finished=event, errors=event.errors, cost_usd=event.cost_usd, eta_s=None)
    return now


def _started(now: GenerateProgress, told: GenerateStarted) -> GenerateProgress:
    """The errors of a job that goes on are kept."""
    return GenerateProgress(
        author=told.author,
        judge=told.judge,
        wanted=sum(one.target for one in told.targets),
        accepted=sum(min(one.accepted, one.target) for one in told.targets),
        errors=now.errors,
        last_error=now.last_error,
    )


def _progressed(now: GenerateProgress, told: GenerateProgressed) -> GenerateProgress:
    return replace(
        now,
        wanted=sum(one.target for one in told.targets),
        accepted=sum(min(one.accepted, one.target) for one in told.targets),
        errors=told.errors,
        rate=told.rate,
        eta_s=told.eta_s,
        cost_usd=told.cost_usd,
    )
