"""The table of stages: one line a stage, from which keys, tabs, help, palette and bridge follow. Nothing is imported
until its stage is first shown."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from textual.screen import Screen

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
    """A stage of the window. ``screen`` and ``fold`` are ``module:name`` under ``studio.tui``; ``fold`` is empty where
    the stage has no job. ``job`` is the stage that its job is started under, where that is not its own name."""

    stage: str
    key: str
    help: str
    screen: str
    fold: str = ""
    job: str = ""

    def open(self) -> Screen[None]:
        screen: Screen[None] = _found(self.screen)(id=self.stage)
        return screen

    def folder(self) -> Callable[..., Any]:
        """``fold(progress or None, new events) -> progress``: a frozen value with a ``brief: str``."""
        fold: Callable[..., Any] = _found(self.fold)
        return fold


def _found(place: str) -> Any:
    module, name = place.split(":")
    return getattr(import_module(f"studio.tui.{module}"), name)


ENTRIES = (
    Entry("spec", "1", "The persona: read it, edit it, see its prompts", "screens.spec.screen:SpecScreen"),
    Entry("bank", "2", "The people who talk to it", "screens.bank.screen:BankScreen", "live.progress:fold_bank"),
    Entry(
        "generate",
        "3",
        "Examples, as they are made",
        "screens.generate.screen:GenerateScreen",
        "live.progress:fold_generate",
    ),
    Entry("triage", "4", "Look at examples and decide", "screens.triage.screen:TriageScreen"),
    Entry(
        "train", "5", "The adapter, as it is trained", "screens.train.screen:TrainScreen", "live.progress:fold_train"
    ),
    Entry(
        "evaluate", "6", "Base against tuned", "screens.evaluate.screen:EvaluateScreen", "live.progress:fold_evaluate"
    ),
    Entry("chat", "7", "Talk to base and tuned", "screens.chat.screen:ChatScreen", "live.progress:fold_chat", "serve"),
    Entry("package", "8", "The folder to deploy", "screens.package.screen:PackageScreen", "live.progress:fold_package"),
)


def preload() -> None:
    """Import every screen, so that the first look at each is as quick as the second."""
    for entry in ENTRIES:
        _found(entry.screen)
