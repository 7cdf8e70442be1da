"""How an evaluation stands: which probes were scored, and what they came to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.evaluate.types import EvaluateFinished, EvaluateStarted, ProbeResult, ProbeScored, RepliesCame
from studio.jobs.types import Event
from studio.tui.figures import duration
from studio.tui.progress.events import parsed


@dataclass(frozen=True)
class EvaluateProgress:
    started: EvaluateStarted | None = None
    results: tuple[ProbeResult, ...] = ()
    eta_s: float | None = None
    finished: EvaluateFinished | None = None
    replies: RepliesCame | None = None
    """How many replies there are, while no probe is scored yet."""

    @property
    def probes(self) -> int:
        return self.started.probes if self.started else 0

    @property
    def brief(self) -> str:
        if self.started is None:
            return "loading"
        if self.replies is not None and not self.results:
            return f"{self.replies.done}/{self.replies.replies} replies"
        eta = f" ETA {duration(self.eta_s)}" if self.eta_s is not None else ""
        return f"{len(self.results)}/{self.probes}{eta}"


def fold(progress: EvaluateProgress | None, events: Sequence[Event]) -> EvaluateProgress:
    now = progress or EvaluateProgress()
    results = list(now.results)
    for event in parsed(events, EvaluateStarted, RepliesCame, ProbeScored, EvaluateFinished):
        match event:
            case EvaluateStarted():
                results, now = [], EvaluateProgress(started=event)
            case RepliesCame():
                now = replace(now, replies=event)
            case ProbeScored():
                results.append(event.result)
                now = replace(now, eta_s=event.eta_s)
            case EvaluateFinished():
                now = replace(now, finished=event, eta_s=None)
    return replace(now, results=tuple(results))
