"""The table of screens: one line a stage. Nothing is imported until its stage is first shown."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from studio.jobs.types import Event
    from studio.tui.screens.stage import StageScreen

Fold = Callable[[Any, "Sequence[Event]"], Any]
"""``fold(progress or None, new events) -> progress``: a frozen value with a ``brief: str``."""


@dataclass(frozen=True)
class Entry:
    """A stage of the window. ``screen`` and ``fold`` are ``module:name`` under ``studio.tui``; ``fold`` is empty where
    the stage has no job. ``job`` is the stage that its job is started under."""

    stage: str
    key: str
    help: str
    screen: str
    fold: str = ""
    job: str = ""
    """Empty where it is the stage's own name."""

    def open(self) -> StageScreen:
        found: type[StageScreen] = _find(self.screen)
        return found(id=self.stage)

    def folder(self) -> Fold:
        found: Fold = _find(self.fold)
        return found


def _find(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(f"studio.tui.{module}"), name)


ENTRIES = (
    Entry("spec", "1", "The persona: read it, edit it, see its prompts", "screens.spec:SpecScreen"),
    Entry("bank", "2", "The people who talk to it", "screens.bank:BankScreen", "progress.bank:fold"),
    Entry("generate", "3", "Examples, as they are made", "screens.generate:GenerateScreen", "progress.generate:fold"),
    Entry("triage", "4", "Look at examples and decide", "screens.triage:TriageScreen"),
    Entry("train", "5", "The adapter, as it is trained", "screens.train:TrainScreen", "progress.train:fold"),
    Entry("evaluate", "6", "Base against tuned", "screens.evaluate:EvaluateScreen", "progress.evaluate:fold"),
    Entry("chat", "7", "Talk to base and tuned", "screens.chat:ChatScreen", "progress.chat:fold", job="serve"),
    Entry("package", "8", "The folder to deploy", "screens.package:PackageScreen", "progress.package:fold"),
)
"""Add a line when a screen lands; keys, tabs, help, palette and bridge follow from it."""


def preload() -> None:
    """Import every screen, so that the first look at each is as quick as the second."""
    for entry in ENTRIES:
        _find(entry.screen)
