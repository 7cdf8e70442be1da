"""The coverage table in the window: a cell under the cursor, warm where it is full; enter fills it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping
from typing import Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from studio.build.filling import CellAt
from studio.generate.coverage_chart import figure, heat
from studio.generate.coverage_map import By, CoverageMap
from studio.tui.dialogs.questions import Dialog, hints
from studio.tui.text import clip, counted, join, line, lines, pad
from studio.tui.widgets.virtual_list import VirtualList

Chosen = tuple[CoverageMap, CellAt]
Read = Callable[[By], Coroutine[Any, Any, CoverageMap]]
NAME, CELL = 24, 6
KINDS: Mapping[By, str] = {
    "trait": "mean mark, of 2",
    "person": "accepted, by who asks",
    "length": "accepted, by length",
}
STEPS = ("", "on $primary 12%", "on $primary 24%", "on $primary 38%", "on $primary 55%")
"""From an empty cell to one with all it is to have; the figure says the same without any colour."""


class HeatMap(Dialog[Chosen]):
    """Gives the cell to fill. ``read`` makes the table that a key asks for."""

    BINDINGS = [
        ("h,left", "sideways(-1)"),
        ("l,right", "sideways(1)"),
        ("t", "by('trait')"),
        ("p", "by('person')"),
        ("c", "by('length')"),
        ("q", "leave"),
    ]

    def __init__(self, table: CoverageMap, read: Read) -> None:
        super().__init__()
        self._table, self._read, self._column = table, read, 0

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog tall wide"):
            yield Static(id="head")
            yield VirtualList(self._row, empty="The spec has no scenario to train on.", opens=True)
            yield Static(id="told")
            yield Static(
                hints(("h l", "column"), ("t", "traits"), ("p", "people"), ("c", "lengths"), ("enter", "fill"))
            )

    def on_mount(self) -> None:
        self._list.set_count(len(self._table.rows))
        self._list.focus()
        self._tell()

    @property
    def _list(self) -> VirtualList:
        return self.query_one(VirtualList)

    @property
    def _shown(self) -> range:
        """Columns that there is room for, the one under the cursor among them."""
        fits = max(1, (self._list.size.width - NAME - 10) // CELL) if self.is_mounted else 1
        first = max(0, self._column - fits + 1)
        return range(first, min(len(self._table.columns), first + fits))

    def _row(self, index: int, width: int) -> Content:
        row, here = self._table.rows[index], index == self._list.cursor
        cells = []
        for at in self._shown:
            warm = STEPS[round(heat(self._table, index, at) * (len(STEPS) - 1))]
            mark = "reverse" if here and at == self._column else warm
            cells.append((f"{figure(self._table, index, at):>{CELL - 1}} ", mark))
        return join(f"{pad(clip(row.scenario, NAME), NAME)} ", (f"{row.accepted:>4} ", "$quiet"), *cells)

    @on(VirtualList.Moved)
    def _tell(self) -> None:
        table, at = self._table, self._list.cursor
        heads = "".join(f"{clip(table.columns[one], CELL - 1):>{CELL - 1}} " for one in self._shown)
        title = f"Coverage: scenario by {table.by}, {KINDS[table.by]}; {counted(table.accepted, 'example')}"
        self.query_one("#head", Static).update(
            lines([line(title, "bold $primary"), line(f"  {'':<{NAME}}    n {heads}", "$quiet")])
        )
        if at < len(table.rows) and table.columns:
            row, cell = table.rows[at], table.rows[at].cells[self._column]
            marked = f"{cell.n} with a full mark" if table.by == "trait" else f"{cell.n}"
            want = table.want(at, self._column)
            short = f"; enter writes {counted(want, 'example')} for it" if want else "; it has all it is to have"
            about = f"{row.category}, {row.scenario}: {table.columns[self._column]}, {marked} of {row.accepted}{short}"
            self.query_one("#told", Static).update(line(about))

    def action_sideways(self, step: int) -> None:
        self._column = max(0, min(len(self._table.columns) - 1, self._column + step))
        self._list.refresh()
        self._tell()

    def action_by(self, by: By) -> None:
        self.run_worker(self._change(by), exclusive=True)

    async def _change(self, by: By) -> None:
        self._table, self._column = await self._read(by), 0
        self._list.set_count(len(self._table.rows))
        self._tell()

    @on(VirtualList.Chosen)
    def _fill(self) -> None:
        at = CellAt(row=self._list.cursor, column=self._column)
        if at.row < len(self._table.rows) and self._table.columns and self._table.want(at.row, at.column):
            self.dismiss((self._table, at))
