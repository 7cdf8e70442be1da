"""One of a list, found by typing a part of it: the palette of actions is one."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from studio.tui.dialogs.questions import Dialog, field, hints
from studio.tui.keys import ActiveAction
from studio.tui.text import join, line
from studio.tui.widgets.page import Page
from studio.tui.widgets.virtual_list import VirtualList


class Pick(Dialog[int | str]):
    """Gives the index of the entry that was picked, or None. Entries that begin with what is typed come first.

    With ``free`` what was typed can be picked too, below the entries that fit it, and is given as it was typed;
    ``free`` says in words what that means. ``about``: more of each entry, shown below the list for the one at hand.
    """

    DEFAULT_CSS = "Pick #about { height: 7; border-top: solid $rule; }"
    BINDINGS = [("down,ctrl+n", "move(1)"), ("up,ctrl+p", "move(-1)")]

    def __init__(
        self,
        prompt: str,
        entries: Sequence[str],
        shown: Sequence[Content] | None = None,
        *,
        free: str = "",
        about: Sequence[Content] = (),
    ) -> None:
        super().__init__()
        self._prompt = prompt
        self._searched = [entry.lower() for entry in entries]
        self._shown = shown or [line(entry) for entry in entries]
        self._found = list(range(len(entries)))
        self._free, self._typed = free, ""
        self._about = about

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall"):
            yield field(placeholder=self._prompt)
            found = VirtualList(self._line, empty="Nothing is called that here.")
            found.can_focus = False
            yield found
            if self._about:
                yield Page(id="about")
            yield Static(hints(("type", "narrows it"), ("↑ ↓", "choose"), ("enter", "take it"), ("esc", "leave")))

    def on_mount(self) -> None:
        self._list.set_count(len(self._found))

    @property
    def _list(self) -> VirtualList:
        return self.query_one(VirtualList)

    @on(VirtualList.Moved)
    def _tell(self) -> None:
        if self._about:
            cursor = self._list.cursor
            self.query_one(Page).show(self._about[self._found[cursor]] if cursor < len(self._found) else Content(""))

    def _line(self, index: int, _width: int) -> Content:
        if index == len(self._found):
            return join(self._free, (f' "{self._typed}"', "bold"))
        return self._shown[self._found[index]]

    def on_input_changed(self, event: Input.Changed) -> None:
        typed, words = event.value.lower().strip(), event.value.lower().split()
        found = [index for index, text in enumerate(self._searched) if all(word in text for word in words)]
        self._found = sorted(found, key=lambda index: not self._searched[index].startswith(typed))
        self._typed = event.value.strip()
        self._list.set_count(len(self._found) + bool(self._free and self._typed))
        self._list.move_to(0)
        self._tell()

    def on_input_submitted(self) -> None:
        cursor = self._list.cursor
        self.dismiss(self._found[cursor] if cursor < len(self._found) else (self._free and self._typed) or None)

    def action_move(self, step: int) -> None:
        self._list.move_to(self._list.cursor + step)


def palette(actions: Sequence[ActiveAction]) -> Pick:
    """Every action that can be done here, found by its words; gives the index among ``actions``."""
    searched = [f"{one.action.label} {one.action.help} {one.action.scope}" for one in actions]
    entries = [join((f"{one.keys.split(' ')[0]:>6}", "$primary bold"), "  ", one.action.help) for one in actions]
    return Pick("what to do", searched, entries)
