"""How a job of generating stands: what only its events tell. Counts and rows come from the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.generate.types import CallFailed, GenerateFinished, GenerateProgressed, GenerateStarted
from studio.jobs.types import Event


@dataclass(frozen=True)
class GenerateProgress:
    """``rate`` is examples a second; None and empty until it is known."""

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
    for event in events:
        if event.kind == "generate_started":
            started = GenerateStarted.model_validate(event.data)
            now = GenerateProgress(
                author=started.author,
                judge=started.judge,
                wanted=sum(one.target for one in started.targets),
                accepted=sum(min(one.accepted, one.target) for one in started.targets),
                errors=now.errors,
                last_error=now.last_error,
            )
        elif event.kind == "generate_progressed":
            now = _progressed(now, GenerateProgressed.model_validate(event.data))
        elif event.kind == "call_failed":
            failed = CallFailed.model_validate(event.data)
            now = replace(now, last_error=f"{failed.purpose}: {failed.error}", errors=now.errors + 1)
        elif event.kind == "generate_finished":
            done = GenerateFinished.model_validate(event.data)
            now = replace(now, finished=done, errors=done.errors, cost_usd=done.cost_usd, rate=0.0, eta_s=None)
    return now


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
