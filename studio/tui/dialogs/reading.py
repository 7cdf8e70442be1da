"""Pages to read and close again: a longer text, and what every key does."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from studio.tui.dialogs.questions import CLOSE, Dialog
from studio.tui.keys import active_actions
from studio.tui.stages import MARKS, MARKS_TOLD
from studio.tui.text import join, line, shown
from studio.tui.widgets.layout import facts
from studio.tui.widgets.page import Page, Shown

TITLES = {
    "studio": "everywhere",
    "list": "in a list",
    "page": "in a text",
    "detail": "the page beside",
    "edit": "in the editor",
}


class Text(Dialog[None]):
    """A string is made inert; content is taken as it is. ``at_end``: opened at its last lines."""

    BINDINGS = [("q", "leave")]

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


class Help(Dialog[None]):
    """Read from the active bindings, so that it cannot disagree with the keys."""

    BINDINGS = [("q,question_mark", "leave")]

    def __init__(self, below: Screen[Any], place: str) -> None:
        """``place``: which persona this is, and where it is kept."""
        super().__init__()
        self._place = place
        by_scope = groupby(active_actions(below), key=lambda one: one.action.scope)
        keys = [
            (TITLES.get(scope, scope), [(one.keys, one.action.help) for one in actions]) for scope, actions in by_scope
        ]
        stages = [(MARKS[mark], told) for mark, told in MARKS_TOLD.items()]
        self._parts = [*keys, ("signs here", getattr(below, "SIGNS", ())), ("behind a stage's name", stages)]

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall"):
            yield Static(line(self._place, "$quiet"))
            yield Page(lambda width: help_page(self._parts, width))
            yield Static(CLOSE)


def help_page(parts: Iterable[tuple[str, Sequence[tuple[str, str]]]], width: int) -> Content:
    """A heading a part, a line a key or a sign; a part without any is left out."""
    blocks = [
        join((heading, "$primary bold"), "\n", facts(((f"{name:>11}", told) for name, told in pairs), width))
        for heading, pairs in parts
        if pairs
    ]
    return Content("\n\n").join(blocks)
