"""How the worker stands that answers the chat: loading, or ready with its proof."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.jobs.types import Event
from studio.serve.types import ServeReady


@dataclass(frozen=True)
class ServeProgress:
    ready: ServeReady | None = None

    @property
    def brief(self) -> str:
        return "ready" if self.ready else "loading"


def fold(progress: ServeProgress | None, events: Sequence[Event]) -> ServeProgress:
    ready = [event for event in events if event.kind == "serve_ready"]
    if ready:
        return ServeProgress(ServeReady.model_validate(ready[-1].data))
    return progress or ServeProgress()
