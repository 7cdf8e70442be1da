"""A longer text to look at and close again."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Static

from studio.tui.text import shown
from studio.tui.widgets.hints import CLOSE
from studio.tui.widgets.page import Page, Shown


class Text(ModalScreen[None]):
    """A string is made inert; content is taken as it is."""

    BINDINGS = [("escape,q", "leave")]

    def __init__(self, title: str, text: str | Shown) -> None:
        super().__init__()
        self._title, self._text = title, text

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Static(shown(self._title, "bold $primary"))
            yield Page(shown(self._text) if isinstance(self._text, str) else self._text)
            yield Static(CLOSE)

    def action_leave(self) -> None:
        self.dismiss(None)
