"""How the worker stands that answers the chat: loading, or ready with its proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.jobs.types import Event
from studio.serve.types import ServeReady
from studio.tui.progress.events import parsed


@dataclass(frozen=True)
class ServeProgress:
    ready: ServeReady | None = None

    @property
    def brief(self) -> str:
        return "ready" if self.ready else "loading"


def fold(progress: ServeProgress | None, events: Sequence[Event]) -> ServeProgress:
    ready = [*parsed(events, ServeReady)]
    return ServeProgress(ready[-1]) if ready else progress or ServeProgress()
