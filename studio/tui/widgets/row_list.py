"""The workspace's examples as a list: any number of them, read off the UI thread a page at a time."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import TYPE_CHECKING

from textual.containers import Container
from textual.content import Content

from studio.errors import UserError
from studio.tui.studio import Studio, studio_of
from studio.tui.widgets.pages import Pages
from studio.tui.widgets.row_line import row_heading, row_line
from studio.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from studio.store import ExampleStore, Filter
    from studio.store.records import Row, Status


class RowList(VirtualList):
    """``open`` a store with a filter; ``renew`` when it may have changed. The cursor stays on its example."""

    def __init__(self, *, id: str | None = None, empty: str = "", follow: bool = False, opens: bool = False) -> None:
        super().__init__(self._line, id=id, empty=empty, opens=opens)
        self._empty, self.empty = empty, ""
        self.follow = follow
        """Whether a cursor on the last row stays on the last row when rows are added."""
        self.marked: set[str] = set()
        self.deciding: dict[str, Status] = {}
        """Decisions on their way to the disk, by example."""
        self._source: tuple[ExampleStore, Filter] | None = None
        self._pages: Pages[Row] = Pages(self._ask)
        self._reading = False
        self._again = False
        self._anchor: str | None = None
        self._opened = False
        """Whether another list was opened than the cursor stands in."""
        self._came = asyncio.Event()
        self._failed = False

    @property
    def current(self) -> Row | None:
        """The example under the cursor, perhaps as it was a moment ago; None while it comes from the disk."""
        return self._pages.get(self.cursor) if self.cursor < self.count else None

    @property
    def _fresh(self) -> Row | None:
        return self._pages.fresh(self.cursor) if self.cursor < self.count else None

    def open(self, store: ExampleStore, filter_: Filter, anchor: str | None = None, empty: str | None = None) -> None:
        """Show the examples that pass ``filter_``, with the cursor on ``anchor`` if it is among them. Marks
        are taken away: what is not seen cannot be decided on. ``empty`` is shown where none passes."""
        self._empty = self._empty if empty is None else empty
        self.empty = ""  # until it has been looked
        self._source = store, filter_
        self._anchor, self._opened = anchor, True
        self._pages.clear()
        self.unmark()
        self.refresh()
        self._studio.hold_keys(self)
        self.renew()

    def renew(self) -> None:
        """Read again what is on the screen; one reading at a time, however often it is asked."""
        if self._reading:
            self._again = True
            return
        self._reading = True
        self.run_worker(self._read(), group="rows")

    def stand_on(self, example_id: str) -> None:
        """Put the cursor on an example, wherever it is in the list."""
        self._anchor = example_id
        self._studio.hold_keys(self)
        self.renew()

    async def _read(self) -> None:
        try:
            while True:
                self._again = False
                try:
                    await self._read_once()
                except UserError as error:
                    self._give_up(error)
                if not self._again:
                    return
        finally:
            self._reading = False
            self._free_keys()

    async def _read_once(self) -> None:
        """Take count, cursor and the rows around it over in one step: the row under the cursor is never another's."""
        source = self._source
        if source is None:
            return
        store, filter_ = source
        follows = self.follow and self._anchor is None and self.cursor >= self.count - 1
        row, before = self._fresh, self.cursor
        anchor = self._anchor or (row.example.id if row and not follows else None)
        count = await self._studio.disk.read(store.count, filter_)
        index = await self._studio.disk.read(store.index_of, anchor, filter_) if anchor else None
        near = count - 1 if follows else 0 if self._opened else self.cursor
        if index is not None:
            near = index
        pages = self._pages.around(near, self.text_height, count)
        size = self._pages.size
        rows = {page: await self._studio.disk.read(store.rows, filter_, page * size, size) for page in pages}
        if source is not self._source:
            return
        wanted, self._anchor = self._anchor == anchor, None if self._anchor == anchor else self._anchor
        opened, self._opened = self._opened, False
        self.empty = self._empty
        self._pages.renew()
        for page, found in rows.items():
            self._take(page, found, self._pages.generation)
        self.resize_to(count)
        if index is not None:
            # Keys that were pressed meanwhile count: the cursor is moved by as much as its row was.
            self.move_to(index if wanted else self.cursor + index - before)
        elif opened and not self.follow:
            self.move_to(0)
        elif follows and self.cursor == before:
            self.move_to(count - 1)

    async def arrived(self) -> Row | None:
        """The example under the cursor, once it has come from the disk; None where the list is empty or it does not
        come in time."""
        self._failed = False
        with suppress(TimeoutError):
            async with asyncio.timeout(self._studio.HELD_S):
                while self.count and not self._failed and self._fresh is None:
                    self._pages.get(self.cursor)  # asks for it
                    self._came.clear()
                    await self._came.wait()
        return self._fresh

    def _ask(self, page: int) -> None:
        if self._source is not None:
            self.run_worker(self._fetch(page, self._source), group="pages")

    async def _fetch(self, page: int, source: tuple[ExampleStore, Filter]) -> None:
        (store, filter_), generation, size = source, self._pages.generation, self._pages.size
        try:
            rows = await self._studio.disk.read(store.rows, filter_, page * size, size)
        except UserError as error:
            self._pages.failed(page)
            self._give_up(error)
            return
        if source is self._source:
            self._take(page, rows, generation)
            self._free_keys()

    def _take(self, page: int, rows: list[Row], generation: int) -> None:
        changed = self._pages.fill(page, rows, generation)
        for index in changed:
            self.repaint_lines(index)
        if self.cursor in changed:
            self.post_message(self.Moved(self, self.cursor))

    def _free_keys(self) -> None:
        """Once the example that the cursor was put on has come, a key can be about it."""
        self._came.set()
        if not self._reading and (self._fresh is not None or not self.count):
            self._studio.free_keys(self)

    def _give_up(self, error: UserError) -> None:
        self._failed = True
        self._came.set()
        self._studio.free_keys(self)
        self._studio.tell(error)

    @property
    def _studio(self) -> Studio:
        return studio_of(self)

    def _line(self, index: int, width: int) -> Content | None:
        row = self._pages.get(index)
        if row is None:
            return None
        id_ = row.example.id
        return row_line(row, width, self.deciding.get(id_), marked=id_ in self.marked)

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
        marked, self.marked = self.marked, set()
        self.repaint(marked)

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
