"""Every action that can be done here, found by typing a part of what it does."""

from __future__ import annotations

from typing import Any

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.dom import DOMNode
from textual.screen import ModalScreen, Screen
from textual.widgets import Input

from studio.tui.text import join
from studio.tui.widgets.found import Here, actions_here
from studio.tui.widgets.virtual_list import VirtualList


class Palette(ModalScreen[tuple[str, DOMNode] | None]):
    """Gives the action and the node to run it on, or None."""

    BINDINGS = [("escape", "leave"), ("down,ctrl+n", "move(1)"), ("up,ctrl+p", "move(-1)")]

    def __init__(self, below: Screen[Any]) -> None:
        super().__init__()
        hidden = ("studio.palette", "studio.back")
        self._all = [here for here in actions_here(below) if here.action.id not in hidden]
        self._found = list(self._all)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall"):
            field = Input(placeholder="what to do", compact=True)
            field.cursor_blink = False
            yield field
            found = VirtualList(self._draw, empty="Nothing is called that here.")
            found.can_focus = False
            yield found

    def on_mount(self) -> None:
        self.query_one(VirtualList).set_count(len(self._found))

    def _draw(self, index: int, width: int) -> Content:
        here: Here = self._found[index]
        keys = here.keys.split(" ")[0]
        return join((f"{keys:>6}", "$primary bold"), "  ", here.action.help)

    def on_input_changed(self, event: Input.Changed) -> None:
        words = event.value.lower().split()
        self._found = [here for here in self._all if all(word in _searched(here) for word in words)]
        found = self.query_one(VirtualList)
        found.set_count(len(self._found))
        found.move_to(0)

    def on_input_submitted(self) -> None:
        cursor = self.query_one(VirtualList).cursor
        here = self._found[cursor] if self._found else None
        self.dismiss((here.action.action, here.node) if here else None)

    def action_move(self, step: int) -> None:
        found = self.query_one(VirtualList)
        found.move_to(found.cursor + step)

    def action_leave(self) -> None:
        self.dismiss(None)


def _searched(here: Here) -> str:
    return f"{here.action.label} {here.action.help} {here.action.scope}".lower()
