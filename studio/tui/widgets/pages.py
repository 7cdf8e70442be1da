"""Rows by index, held a page at a time: what is missing is asked for, what is old is shown until it is replaced."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from itertools import zip_longest
from typing import Generic, TypeVar

T = TypeVar("T")
SIZE = 64
KEPT = 24


class Pages(Generic[T]):
    """``ask(page)`` is called when a page is needed, once until it comes; the answer goes to ``fill``."""

    def __init__(self, ask: Callable[[int], None], size: int = SIZE, kept: int = KEPT) -> None:
        self.size = size
        self._ask, self._kept = ask, kept
        self._pages: OrderedDict[int, list[T]] = OrderedDict()
        self._fresh: set[int] = set()
        self._asked: set[int] = set()
        self.generation = 0
        """Grows with every ``renew`` and ``clear``; an answer to an older question is not taken for fresh."""

    def get(self, index: int) -> T | None:
        """The row, perhaps an old one; None while it is on its way, and past the end."""
        page, place = divmod(index, self.size)
        if page not in self._fresh and page not in self._asked:
            self._asked.add(page)
            self._ask(page)
        rows = self._pages.get(page)
        if rows is None:
            return None
        self._pages.move_to_end(page)
        return rows[place] if place < len(rows) else None

    def fresh(self, index: int) -> T | None:
        """The row, if it is here as of the last ``renew``."""
        page, place = divmod(index, self.size)
        rows = self._pages[page] if page in self._fresh else []
        return rows[place] if place < len(rows) else None

    def around(self, index: int, height: int, count: int) -> range:
        """The pages of what may be on the screen around ``index``, in a list of ``count`` rows."""
        first, last = max(index - height, 0), min(index + height, count - 1)
        return range(first // self.size, last // self.size + 1)

    def fill(self, page: int, rows: Sequence[T], generation: int) -> list[int]:
        """The answer to ``ask(page)`` as of a generation. Gives the indexes whose rows are not what they were."""
        self._asked.discard(page)
        before = self._pages.get(page, [])
        changed = [
            page * self.size + place
            for place, (old, new) in enumerate(zip_longest(before, rows, fillvalue=None))
            if old != new
        ]
        self._pages[page] = list(rows)
        self._pages.move_to_end(page)
        if generation == self.generation:
            self._fresh.add(page)
        while len(self._pages) > self._kept:
            old, _ = self._pages.popitem(last=False)
            self._fresh.discard(old)
        return changed

    def failed(self, page: int) -> None:
        """No answer came; it is asked again when it is next needed."""
        self._asked.discard(page)

    def renew(self) -> None:
        """Everything may have changed: show what there is, and ask again for what is looked at."""
        self.generation += 1
        self._fresh.clear()

    def clear(self) -> None:
        """Another list: forget everything, answers on their way too."""
        self.renew()
        self._pages.clear()
        self._asked.clear()

    def replace(self, row: T, same: Callable[[T], bool]) -> None:
        """Put ``row`` in the place of the one that is the ``same``, if that is held."""
        for rows in self._pages.values():
            for place, held in enumerate(rows):
                if same(held):
                    rows[place] = row

    def held(self) -> Iterator[tuple[int, T]]:
        """Every row that is here, with its index."""
        for page, rows in self._pages.items():
            for place, row in enumerate(rows):
                yield page * self.size + place, row
