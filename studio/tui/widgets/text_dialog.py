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
    """A string is made inert; content is taken as it is. ``at_end``: opened at its last lines."""

    BINDINGS = [("escape,q", "leave")]

    def __init__(self, title: str, text: str | Shown, *, at_end: bool = False) -> None:
        super().__init__()
        self._title, self._text, self._at_end = title, text, at_end

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Static(shown(self._title, "bold $primary"))
            yield Page(shown(self._text) if isinstance(self._text, str) else self._text)
            yield Static(CLOSE)

    def on_mount(self) -> None:
        if self._at_end:
            self.call_after_refresh(self.query_one(Page).action_last)

    def action_leave(self) -> None:
        self.dismiss(None)
