"""Every action that can be done here, found by typing a part of what it does."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Input, Static

from studio.tui.dialogs.questions import hints
from studio.tui.keys.active import Here
from studio.tui.text import join, line
from studio.tui.widgets.virtual_list import VirtualList


class Pick(ModalScreen[int | str | None]):
    """Gives the index of the entry that was picked, or None.

    With ``free`` what was typed can be picked too, below the entries that fit it, and is given as it was typed;
    ``free`` says in words what that means.
    """

    BINDINGS = [("escape", "leave"), ("down,ctrl+n", "move(1)"), ("up,ctrl+p", "move(-1)")]

    def __init__(
        self, prompt: str, entries: Sequence[str], shown: Sequence[Content] | None = None, *, free: str = ""
    ) -> None:
        super().__init__()
        self._prompt = prompt
        self._searched = [entry.lower() for entry in entries]
        self._shown = list(shown) if shown is not None else [line(entry) for entry in entries]
        self._found = list(range(len(self._shown)))
        self._free, self._typed = free, ""

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall"):
            field = Input(placeholder=self._prompt, compact=True)
            field.cursor_blink = False
            yield field
            found = VirtualList(self._draw, empty="Nothing is called that here.")
            found.can_focus = False
            yield found
            yield Static(hints(("type", "narrows it"), ("↑ ↓", "choose"), ("enter", "take it"), ("esc", "leave")))

    def on_mount(self) -> None:
        self.query_one(VirtualList).set_count(len(self._found))

    def _draw(self, index: int, _width: int) -> Content:
        if index == len(self._found):
            return join(self._free, (f' "{self._typed}"', "bold"))
        return self._shown[self._found[index]]

    def on_input_changed(self, event: Input.Changed) -> None:
        words = event.value.lower().split()
        self._found = [index for index, text in enumerate(self._searched) if all(word in text for word in words)]
        found = self.query_one(VirtualList)
        self._typed = event.value.strip()
        found.set_count(len(self._found) + bool(self._free and self._typed))
        found.move_to(0)
        found.refresh()

    def on_input_submitted(self) -> None:
        cursor = self.query_one(VirtualList).cursor
        if cursor < len(self._found):
            self.dismiss(self._found[cursor])
        else:
            self.dismiss(self._typed if self._free and self._typed else None)

    def action_move(self, step: int) -> None:
        found = self.query_one(VirtualList)
        found.move_to(found.cursor + step)

    def action_leave(self) -> None:
        self.dismiss(None)


HIDDEN = ("studio.palette", "studio.back")


class Palette(Pick):
    """Gives the index among ``offered(actions)``."""

    def __init__(self, actions: Sequence[Here]) -> None:
        searched = [f"{one.action.label} {one.action.help} {one.action.scope}" for one in actions]
        super().__init__("what to do", searched, [_entry(one) for one in actions])


def offered(actions: Sequence[Here]) -> list[Here]:
    """Those that make sense to pick by name."""
    return [one for one in actions if one.action.id not in HIDDEN and one.action.scope not in ("list", "page")]


def _entry(here: Here) -> Content:
    return join((f"{here.keys.split(' ')[0]:>6}", "$primary bold"), "  ", here.action.help)
