"""A longer text to look at and close again."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from studio.tui.text import shown
from studio.tui.widgets.page import Page


class Text(ModalScreen[None]):
    """Any text, inert."""

    BINDINGS = [("escape,q", "leave")]

    def __init__(self, title: str, text: str) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Static(shown(self._title, "bold $primary"))
            yield Page(shown(self._text))

    def action_leave(self) -> None:
        self.dismiss(None)
