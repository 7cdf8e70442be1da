"""How the making of a package stands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.jobs.types import Event
from studio.package import PackageFinished, PackageStepped
from studio.tui.progress.events import parsed


@dataclass(frozen=True)
class PackageProgress:
    step: PackageStepped | None = None
    finished: PackageFinished | None = None

    @property
    def brief(self) -> str:
        return f"{self.step.step} {self.step.done}/{self.step.total}" if self.step else ""


def fold(progress: PackageProgress | None, events: Sequence[Event]) -> PackageProgress:
    now = progress or PackageProgress()
    for event in parsed(events, PackageStepped, PackageFinished):
        match event:
            case PackageStepped():
                now = PackageProgress(event)
            case PackageFinished():
                now = PackageProgress(now.step, event)
    return now
