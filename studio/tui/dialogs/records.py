"""What a run over items has made, as a list with the page of the one under the cursor; any kind of record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from studio.inference import Record
from studio.store import Documents
from studio.tui.dialogs.questions import Dialog, hints
from studio.tui.text import join, line, shown
from studio.tui.widgets.layout import facts
from studio.tui.widgets.page import Page
from studio.tui.widgets.paged_list import PagedList
from studio.tui.widgets.virtual_list import VirtualList

EMPTY = "Nothing was made yet."


@dataclass(frozen=True)
class Kind:
    """The records of one kind in a store, as what a list shows."""

    documents: Documents
    kind: str
    record: type[Record]

    def count(self) -> int:
        return self.documents.count(self.kind)

    def index_of(self, id: str) -> int | None:
        return self.documents.index_of(self.kind, id)

    def rows(self, offset: int, limit: int) -> Sequence[Record]:
        return self.documents.stretch(self.kind, self.record, offset, limit)


class RecordList(PagedList[Record]):
    """Their titles."""

    def id_of(self, row: Record) -> str:
        return row.id

    def draw_row(self, row: Record, width: int) -> Content:
        return line(row.title)


class Records(Dialog[str]):
    """Gives the id of the record on which enter was pressed, or None. Only what is on the screen is read."""

    BINDINGS = [("q", "leave"), ("J", "page(1)"), ("K", "page(-1)")]
    DEFAULT_CSS = """
    Records RecordList { height: 1fr; }
    Records Page { height: 2fr; border-top: solid $rule; }
    """

    def __init__(self, title: str, kind: Kind, enter: str = "", *, more: Sequence[tuple[str, str]] = ()) -> None:
        """``enter``: what that key does with the one under the cursor, if anything; ``more``: keys of a subclass."""
        super().__init__()
        self._title, self._kind, self._enter, self._more = title, kind, enter, more

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Static(shown(self._title, "bold $primary"), id="what")
            yield RecordList(opens=bool(self._enter))
            page = Page()
            page.can_focus = False
            yield page
            enter = [("enter", self._enter)] if self._enter else []
            yield Static(hints(("j k", "up and down"), ("J K", "page"), *enter, *self._more, ("esc", "leave")))

    def on_mount(self) -> None:
        found = self.query_one(RecordList)
        found.show(self._kind, None, EMPTY)
        found.focus()

    @on(VirtualList.Moved)
    def _show(self) -> None:
        found = self.query_one(RecordList)
        place = f"  {found.cursor + 1:,} of {found.count:,}" if found.count else ""
        self.query_one("#what", Static).update(join((self._title, "bold $primary"), (place, "$quiet")))
        record = found.current
        page = self.query_one(Page)
        if record is None:
            page.show(Content(""))
        else:
            told = record.page
            page.show(lambda width: facts(((name, shown(text)) for name, text in told.items()), width))

    @on(VirtualList.Chosen)
    def _choose(self) -> None:
        record = self.query_one(RecordList).current
        if record is not None:
            self.dismiss(record.id)

    def action_page(self, step: int) -> None:
        page = self.query_one(Page)
        page.action_half_down() if step > 0 else page.action_half_up()
