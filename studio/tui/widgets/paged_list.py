"""A list of any length, read off the UI thread a page at a time; the cursor stays on its row."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Generic, Protocol, TypeVar

from textual.content import Content

from studio.errors import UserError
from studio.tui.studio import Studio, studio_of
from studio.tui.widgets.pages import Pages
from studio.tui.widgets.virtual_list import VirtualList

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Source(Protocol[T_co]):
    """What is listed. Called in threads; each answer is as of its own moment."""

    def count(self) -> int: ...

    def index_of(self, id: str) -> int | None:
        """The place, from 0, of a row; None where it is not in the list."""

    def rows(self, offset: int, limit: int) -> Sequence[T_co]: ...


class PagedList(VirtualList, Generic[T]):
    """``show`` a source; ``renew`` when it may have changed. Subclasses say ``id_of`` and ``draw_row``."""

    def __init__(self, *, id: str | None = None, empty: str = "", follow: bool = False, opens: bool = False) -> None:
        super().__init__(self._line, id=id, empty=empty, opens=opens)
        self._empty, self.empty = empty, ""
        self.follow = follow
        """Whether a cursor on the last row stays on the last row when rows are added."""
        self._source: Source[T] | None = None
        self._pages: Pages[T] = Pages(self._ask)
        self._reading = False
        self._again = False
        self._anchor: str | None = None
        self._opened = False
        """Whether another list was opened than the cursor stands in."""
        self._came = asyncio.Event()
        self._failed = False

    def id_of(self, row: T) -> str:
        raise NotImplementedError

    def draw_row(self, row: T, width: int) -> Content:
        """One line."""
        raise NotImplementedError

    @property
    def current(self) -> T | None:
        """The row under the cursor, perhaps as it was a moment ago; None while it comes from the disk."""
        return self._pages.get(self.cursor) if self.cursor < self.count else None

    @property
    def _fresh(self) -> T | None:
        return self._pages.fresh(self.cursor) if self.cursor < self.count else None

    def show(self, source: Source[T], anchor: str | None = None, empty: str | None = None) -> None:
        """Show what ``source`` lists, with the cursor on ``anchor`` if it is among them. ``empty`` is shown where
        nothing is."""
        self._empty = self._empty if empty is None else empty
        self.empty = ""  # until it has been looked
        self._source = source
        self._anchor, self._opened = anchor, True
        self._pages.clear()
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

    def stand_on(self, row_id: str) -> None:
        """Put the cursor on a row, wherever it is in the list."""
        self._anchor = row_id
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
        follows = self.follow and self._anchor is None and self.cursor >= self.count - 1
        row, before = self._fresh, self.cursor
        anchor = self._anchor or (self.id_of(row) if row and not follows else None)
        count = await self._studio.disk.read(source.count)
        index = await self._studio.disk.read(source.index_of, anchor) if anchor else None
        near = count - 1 if follows else 0 if self._opened else self.cursor
        if index is not None:
            near = index
        pages = self._pages.around(near, self.text_height, count)
        size = self._pages.size
        rows = {page: await self._studio.disk.read(source.rows, page * size, size) for page in pages}
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

    async def arrived(self) -> T | None:
        """The row under the cursor, once it has come from the disk; None where the list is empty or it does not
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

    async def _fetch(self, page: int, source: Source[T]) -> None:
        generation, size = self._pages.generation, self._pages.size
        try:
            rows = await self._studio.disk.read(source.rows, page * size, size)
        except UserError as error:
            self._pages.failed(page)
            self._give_up(error)
            return
        if source is self._source:
            self._take(page, rows, generation)
            self._free_keys()

    def _take(self, page: int, rows: Sequence[T], generation: int) -> None:
        changed = self._pages.fill(page, rows, generation)
        for index in changed:
            self.repaint_lines(index)
        if self.cursor in changed:
            self.post_message(self.Moved(self, self.cursor))

    def _free_keys(self) -> None:
        """Once the row that the cursor was put on has come, a key can be about it."""
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
        return None if row is None else self.draw_row(row, width)
