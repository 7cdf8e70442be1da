"""Looking at examples and deciding: a list of any length, the one under the cursor, and a key a decision."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from studio.build import Session
from studio.store import Filter, Workspace
from studio.store.records import Person, Row
from studio.tui.keys import bindings
from studio.tui.live.state import Value
from studio.tui.live.terminal import copy
from studio.tui.screens.stage import Beside
from studio.tui.screens.triage_counts import Counts, read_counts
from studio.tui.screens.triage_deciding import Deciding
from studio.tui.screens.triage_detail import example_page, provenance_page
from studio.tui.screens.triage_finding import Finding
from studio.tui.screens.triage_text import as_text
from studio.tui.text import join
from studio.tui.widgets.page import Page
from studio.tui.widgets.row_line import SIGNS_TOLD
from studio.tui.widgets.row_list import RowBox, RowList
from studio.tui.widgets.status import Title
from studio.tui.widgets.virtual_list import VirtualList

EMPTY = "No examples yet. Press 3, then s to generate."
EMPTY_FILTER = "Nothing passes this filter. Press f to change it."


class TriageScreen(Deciding, Finding, Beside):
    """The list and the detail. Deciding, and filtering and searching, are in the classes that it builds on."""

    SIGNS = SIGNS_TOLD
    CSS_PATH = "triage.tcss"
    BINDINGS = bindings("triage")

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._counts: Counts | None = None
        """None until they were read."""
        self._version = -1
        self._open: Workspace | None = None
        self._why = False
        self._wanted = ""
        """The example to stand on when the list is opened."""

    def body(self) -> ComposeResult:
        yield Title()
        with Container(id="split"):
            with RowBox():
                yield RowList(id="rows", empty=EMPTY)
            yield Page(id="detail", classes="beside")

    def on_mount(self) -> None:
        self.rows.focus()

    @property
    def rows(self) -> RowList:
        return self.query_one(RowList)

    @property
    def counts(self) -> Counts | None:
        return self._counts

    def recall(self, state: dict[str, Value]) -> None:
        self._wanted = self._wanted or str(state.get("example") or "")
        self.drafts.read(str(state.get("drafts") or ""))
        self.recall_filter(state)

    def remember(self) -> dict[str, Value]:
        row = self.rows.current
        example = row.example.id if row else ""
        return {"example": example, "drafts": self.drafts.as_text(), **self.remember_filter()}

    def look_at(self, example_id: str) -> None:
        """Stand on an example; all are shown so that it is there."""
        self._wanted = example_id
        self.show_all()
        if self._open is not None:
            self._open_list()

    def sync(self) -> None:
        if self._open is not self.session.workspace:
            self._open, self._version = self.session.workspace, -1
            self._open_list()
        if self._version != self.studio.version:
            self._version = self.studio.version
            self.rows.renew()
            self.run(self._read_counts(), "counts", exclusive=True)
        self.show_title()

    def _open_list(self) -> None:
        empty = EMPTY if self.filter == Filter() else EMPTY_FILTER
        self.rows.open(self.session.workspace.examples, self.filter, self._wanted or None, empty)
        self._wanted = ""

    def filter_changed(self) -> None:
        row = self.rows.current
        self._wanted = row.example.id if row else ""
        self._said = Content("")
        self._open_list()
        self.show_title()

    async def _read_counts(self) -> None:
        self._counts = await self.studio.disk.read(read_counts, self.session)
        self.show_title()

    def show_title(self) -> None:
        now = self._counts
        place = f"{self.rows.cursor + 1} of {self.rows.count}" if self.rows.count else "none"
        title = join(
            (self.filter_told, "bold"),
            f" {place}  " if now else "  reading",
            join((f"{now.accepted} accepted ", "$success"), (f"{now.rejected} rejected ", "$error")) if now else "",
            (f"{now.pending} pending", "$warning") if now and now.pending else "",
            (f"  {len(self.rows.marked)} marked", "$primary bold") if self.rows.marked else "",
            join("  ", self.saved_told),
            (f"  sample {now.seen}/{now.sampled}", "$quiet") if now and now.sampled else "",
        )
        self.query_one(Title).show(title)

    @on(VirtualList.Moved, "#rows")
    def show_detail(self) -> None:
        """The example under the cursor, from what is in memory."""
        row = self.rows.current
        page = self.query_one("#detail", Page)
        self.show_title()
        if row is None:
            page.show(Content(""))
        elif self._why:
            self.run(self._show_why(row), "why", exclusive=True)
        else:
            page.show(lambda width: example_page(row, width))

    async def _show_why(self, row: Row) -> None:
        person, neighbour = await self.studio.disk.read(read_origin, self.session, row)
        spec_hash = self.session.loaded.hash
        self.query_one("#detail", Page).show(lambda width: provenance_page(row, person, neighbour, spec_hash, width))

    def action_why(self) -> None:
        self._why = not self._why
        self.show_detail()

    def action_copy(self) -> None:
        row = self.rows.current
        if row is not None:
            self.run(copy(self.studio, as_text(row.messages), "the conversation"))

    def back(self) -> None:
        if self.rows.marked:
            self.rows.unmark()
            self.show_title()
        elif self._why:
            self.action_why()
        elif self.filter != Filter():
            self.show_all()
            self.filter_changed()


def read_origin(session: Session, row: Row) -> tuple[Person | None, Row | None]:
    """Who asked, and the nearest neighbour. Reads the store."""
    store, near = session.workspace.examples, row.example.neighbour
    return store.person(row.example.person_id), store.row(near.id) if near else None
