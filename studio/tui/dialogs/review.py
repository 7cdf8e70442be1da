"""A page to read before one says yes or no to it: what is about to happen, whole, however long it is."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from studio.tui.dialogs.questions import Dialog, hints
from studio.tui.text import shown
from studio.tui.widgets.page import Page, Shown


class Review(Dialog[bool]):
    """Gives True for yes, None for no. ``yes`` says what it does; without it there is only something to read."""

    BINDINGS = [("y", "yes"), ("n,q", "leave")]

    def __init__(self, title: str, page: Shown, yes: str = "", no: str = "leave everything as it is") -> None:
        super().__init__()
        self._title, self._page, self._yes, self._no = title, page, yes, no

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Static(shown(self._title, "bold $primary"))
            yield Page(self._page)
            yes = [("y", self._yes)] if self._yes else []
            yield Static(hints(*yes, ("n", self._no), ("j k", "scroll")))

    def action_yes(self) -> None:
        if self._yes:
            self.dismiss(True)
