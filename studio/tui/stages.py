"""The table of stages: one line a stage, from which keys, tabs, help, palette and bridge follow. Nothing is imported
until its stage is first shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from textual.screen import Screen

    from studio.jobs.record import Event

Mark = Literal["done", "running", "needs", "failed", "none"]
"""How a stage stands: see ``MARKS_TOLD``."""

MARKS: dict[Mark, str] = {"done": "✓", "running": "▸", "needs": "!", "failed": "✗", "none": " "}
MARKS_TOLD: dict[Mark, str] = {
    "done": "the stage has what it makes",
    "running": "its job runs",
    "needs": "it is the next that wants somebody",
    "failed": "quality gates are not passed",
}


@dataclass(frozen=True)
class Entry:
    """A stage of the window. Its screen is the ``<Stage>Screen`` of ``screens/<stage>/screen.py``."""

    stage: str
    key: str
    help: str
    jobs: tuple[str, ...] = ()
    """The stages that its jobs are started under; the newest job of them is shown."""

    def open(self) -> Screen[None]:
        screen: Screen[None] = self.load()(id=self.stage)
        return screen

    def load(self) -> Any:
        """The screen's class."""
        return getattr(import_module(f"studio.tui.screens.{self.stage}.screen"), f"{self.stage.capitalize()}Screen")

    def fold(self, progress: Any, events: Sequence[Event]) -> Any:
        """The job's new events folded into its progress, None at first: a frozen value with a ``brief: str``."""
        return getattr(import_module("studio.tui.live.progress"), f"fold_{self.stage}")(progress, events)


USES = ("recipe", "queries", "ask", "talk", "study", "effect")
"""Stages of jobs that people of the bank are used for."""

ENTRIES = (
    Entry("spec", "1", "The persona: read it, edit it, see its prompts"),
    Entry("bank", "2", "The people who talk to it", ("bank", *USES)),
    Entry("generate", "3", "Examples, as they are made", ("generate",)),
    Entry("triage", "4", "Look at examples and decide"),
    Entry("train", "5", "The adapter, as it is trained", ("train",)),
    Entry("evaluate", "6", "Base against tuned", ("evaluate",)),
    Entry("chat", "7", "Talk to base and tuned", ("serve",)),
    Entry("package", "8", "The folder to deploy", ("package",)),
)


def preload() -> None:
    """Import every screen, so that the first look at each is as quick as the second."""
    for entry in ENTRIES:
        entry.load()
