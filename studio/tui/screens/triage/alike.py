"""Examples like one example, with how alike they are: the cursor is the bound down to which they are marked."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from studio.chatml import last_reply, last_request
from studio.store import Row
from studio.triage.similar import Like
from studio.tui.dialogs.questions import Dialog, hints
from studio.tui.text import clip, join
from studio.tui.widgets.row_line import SIGNS
from studio.tui.widgets.status import Caption
from studio.tui.widgets.virtual_list import VirtualList


class Alike(Dialog[list[str]]):
    """Gives the ids down to the cursor, that of the example itself first."""

    DEFAULT_CSS = """
    Alike VirtualList { height: 1fr; }
    Alike #bound { height: 1; }
    """

    def __init__(self, row: Row, found: Sequence[Like], rows: dict[str, Row | None]) -> None:
        super().__init__()
        self._row, self._found, self._rows = row, found, rows

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Static(join(("Like this one  ", "bold"), (clip(last_request(self._row.messages), 60), "$quiet")))
            yield VirtualList(self._line, id="alike", opens=True)
            yield Caption(id="bound")
            yield Static(hints(("↑ ↓", "the bound"), ("enter", "mark down to here"), ("esc", "leave")))

    def on_mount(self) -> None:
        rows = self.query_one(VirtualList)
        rows.set_count(len(self._found))
        rows.focus()

    def on_virtual_list_moved(self) -> None:
        place = self.query_one(VirtualList).cursor
        told = f"{place + 2} with this one, at least {self._found[place].similarity:.2f} alike"
        self.query_one("#bound", Caption).show(join((told, "bold")))

    def _line(self, index: int, width: int) -> Content:
        one = self._found[index]
        row = self._rows.get(one.example_id)
        if row is None:
            return join(f"{one.similarity:.2f}  {one.example_id}")
        sign, style = SIGNS[row.status]
        half = max((width - 10) // 2, 4)
        asked, replied = clip(last_request(row.messages), half), clip(last_reply(row.messages), half)
        return join((f"{one.similarity:.2f} ", "$primary bold"), (sign, style), f" {asked}  ", (replied, "$quiet"))

    def on_virtual_list_chosen(self, event: VirtualList.Chosen) -> None:
        chosen = [one.example_id for one in self._found[: event.index + 1]]
        self.dismiss([self._row.example.id, *chosen])
