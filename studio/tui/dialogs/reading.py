"""What every key does where one is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widgets import Static

from studio.tui.dialogs.questions import CLOSE
from studio.tui.keys.active import Here, actions_here
from studio.tui.stages import MARKS, MARKS_TOLD
from studio.tui.text import join, line, lines, shown
from studio.tui.widgets.layout import facts
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


TITLES = {
    "studio": "everywhere",
    "list": "in a list",
    "page": "in a text",
    "detail": "the page beside",
    "edit": "in the editor",
}


class Help(ModalScreen[None]):
    """Read from the active bindings, so that it cannot disagree with the keys."""

    BINDINGS = [("escape,q,question_mark", "leave")]

    def __init__(self, below: Screen[Any], place: str = "") -> None:
        """``place``: which persona this is, and where it is kept."""
        super().__init__()
        self._here = actions_here(below)
        self._signs = getattr(below, "SIGNS", ())
        self._place = place

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall"):
            if self._place:
                yield Static(line(self._place, "$quiet"))
            yield Page(lambda width: join(keys_content(self._here, width), "\n\n", signs_content(self._signs, width)))
            yield Static(CLOSE)

    def action_leave(self) -> None:
        self.dismiss(None)


def signs_content(of_screen: Sequence[tuple[str, str]], width: int) -> Content:
    """What the signs mean: those of the screen, then those behind the stages' names."""
    of_stages = [(MARKS[mark], told) for mark, told in MARKS_TOLD.items()]
    parts: list[Content] = []
    for heading, signs in (("signs here", of_screen), ("behind a stage's name", of_stages)):
        if signs:
            parts += [join((heading, "$primary bold")), _pairs(signs, width), Content("")]
    return lines(parts[:-1])


def keys_content(found: list[Here], width: int) -> Content:
    """A heading a scope, a line an action."""
    parts: list[Content] = []
    for scope, of_scope in groupby(found, key=lambda here: here.action.scope):
        parts.append(join((TITLES.get(scope, scope), "$primary bold")))
        parts += [_pairs([(here.keys, here.action.help) for here in of_scope], width), Content("")]
    return lines(parts[:-1])


def _pairs(pairs: Sequence[tuple[str, str]], width: int) -> Content:
    return facts(((f"{name:>11}", told) for name, told in pairs), width)
