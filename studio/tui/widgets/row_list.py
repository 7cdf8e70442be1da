"""The workspace's examples as a list, with marks, and with decisions that are on their way to the disk."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.containers import Container
from textual.content import Content

from studio.tui.widgets.paged_list import PagedList
from studio.tui.widgets.row_line import row_heading, row_line

if TYPE_CHECKING:
    from studio.store import ExampleStore, Filter
    from studio.store.records import Row, Status


@dataclass(frozen=True)
class Examples:
    """Those of a store that pass a filter, as what a list shows."""

    store: ExampleStore
    filter: Filter

    def count(self) -> int:
        return self.store.count(self.filter)

    def index_of(self, id: str) -> int | None:
        return self.store.index_of(id, self.filter)

    def rows(self, offset: int, limit: int) -> Sequence[Row]:
        return self.store.rows(self.filter, offset, limit)


class RowList(PagedList["Row"]):
    """``open`` a store with a filter; ``renew`` when it may have changed. The cursor stays on its example."""

    def __init__(self, *, id: str | None = None, empty: str = "", follow: bool = False, opens: bool = False) -> None:
        super().__init__(id=id, empty=empty, follow=follow, opens=opens)
        self.marked: set[str] = set()
        self.deciding: dict[str, Status] = {}
        """Decisions on their way to the disk, by example."""
        self.range_from: int | None = None
        """Where a range of rows begins that ends at the cursor, and is about to be marked."""

    def open(self, store: ExampleStore, filter_: Filter, anchor: str | None = None, empty: str | None = None) -> None:
        """Show the examples that pass ``filter_``, with the cursor on ``anchor`` if it is among them. Marks
        are taken away: what is not seen cannot be decided on. ``empty`` is shown where none passes."""
        self.show(Examples(store, filter_), anchor, empty)
        self.unmark()

    def id_of(self, row: Row) -> str:
        return row.example.id

    def draw_row(self, row: Row, width: int) -> Content:
        id_ = row.example.id
        return row_line(row, width, self.deciding.get(id_), marked=id_ in self.marked)

    def _line(self, index: int, width: int) -> Content | None:
        """With the mark that it is about to get."""
        row = self._pages.get(index)
        if row is not None and index in self._range:
            return row_line(row, width, self.deciding.get(row.example.id), marked=True)
        return None if row is None else self.draw_row(row, width)

    @property
    def _range(self) -> range:
        """The rows from where a range begins to the cursor; none where no range is open."""
        if self.range_from is None:
            return range(0)
        return range(min(self.range_from, self.cursor), max(self.range_from, self.cursor) + 1)

    def move_to(self, index: int) -> None:
        super().move_to(index)
        if self.range_from is not None:
            self.refresh()

    def begin_range(self) -> None:
        self.range_from = self.cursor
        self.refresh()

    def end_range(self) -> range:
        """Close the range; the places of its rows."""
        rows, self.range_from = self._range, None
        self.refresh()
        return rows

    def mark_all(self, example_ids: Iterable[str]) -> None:
        """Mark these besides those that are."""
        self.marked |= set(example_ids)
        self.refresh()

    def held(self, example_ids: Iterable[str]) -> list[str]:
        """Those of them that are in memory: the others are read when they are looked at."""
        there = {row.example.id for _, row in self._pages.held()}
        return [id_ for id_ in example_ids if id_ in there]

    def mark(self) -> None:
        """Mark the example under the cursor, or take its mark away, and go on to the next."""
        row = self.current
        if row is not None:
            self.marked ^= {row.example.id}
            self.repaint_lines(self.cursor)
            self.action_down()

    def pass_by(self, example_id: str) -> None:
        """Go on to the next row, if the cursor still stands on this example."""
        row = self.current
        if row is not None and row.example.id == example_id:
            self.action_down()

    def unmark(self) -> None:
        """Take every mark away."""
        self.marked, self.range_from = set(), None
        self.refresh()

    def settle(self, example_id: str, row: Row | None) -> None:
        """A decision has reached the disk: show the example as it is there."""
        self.deciding.pop(example_id, None)
        if row is not None:
            self._pages.replace(row, lambda held: held.example.id == example_id)
        self.repaint({example_id})

    def repaint(self, example_ids: set[str]) -> None:
        """Draw the lines of these examples again, where they are on the screen."""
        for index, row in self._pages.held():
            if row.example.id in example_ids:
                self.repaint_lines(index)


class RowBox(Container):
    """Holds a :class:`RowList`; the names stand in its upper border, so that they cost no line."""

    DEFAULT_CSS = """
    RowBox { height: 1fr; border-top: solid $rule; border-title-color: $quiet; }
    """

    def on_resize(self) -> None:
        self.border_title = row_heading(self.query_one(RowList).text_width - 2)
