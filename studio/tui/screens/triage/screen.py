"""Triage: a list of any length, the example under the cursor, and a key a decision."""

from __future__ import annotations

from collections import Counter

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from studio.dataset import export_chatml
from studio.files import as_seen
from studio.store import Filter, Workspace
from studio.store.records import Row
from studio.triage import REASONS, SampleReview, Triage
from studio.tui.dialogs.questions import Choose
from studio.tui.keys import bindings
from studio.tui.live.state import Value
from studio.tui.live.terminal import copy
from studio.tui.screens.stage import StageScreen
from studio.tui.screens.triage.decisions import Decisions, as_text
from studio.tui.screens.triage.detail import example_page, provenance_page, read_origin
from studio.tui.screens.triage.filters import Counts, in_words, read_counts
from studio.tui.screens.triage.listing import EMPTY, Listing
from studio.tui.screens.triage.marking import Marking
from studio.tui.screens.triage.review import ReviewScreen
from studio.tui.screens.triage.writing import Writing
from studio.tui.text import join
from studio.tui.widgets.page import Page
from studio.tui.widgets.row_line import SIGNS_TOLD
from studio.tui.widgets.row_list import RowBox, RowList
from studio.tui.widgets.status import Title
from studio.tui.widgets.virtual_list import VirtualList


class TriageScreen(StageScreen):
    """The list and the detail. What the list shows is :class:`Listing`'s, what is decided goes through
    :class:`Decisions`, and many are marked by :class:`Marking`; :class:`Writing` edits and makes examples."""

    SIGNS = SIGNS_TOLD
    CSS_PATH = "triage.tcss"
    BINDINGS = bindings("triage")

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.decisions, self.listing = Decisions(self), Listing(self)
        self._marking, self._writing = Marking(self), Writing(self)
        self._counts: Counts | None = None
        """None until they were read."""
        self._version = -1
        self._open: Workspace | None = None
        self._why = False

    def body(self) -> ComposeResult:
        yield Title()
        with Container(id="split"):
            with RowBox():
                yield RowList(id="rows", empty=EMPTY)
            yield Page(id="detail", classes="detail")

    def on_mount(self) -> None:
        self.rows.focus()

    @property
    def rows(self) -> RowList:
        return self.query_one(RowList)

    def recall(self, state: dict[str, Value]) -> None:
        self.decisions.drafts.read(str(state.get("drafts") or ""))
        self.listing.recall(state)

    def remember(self) -> dict[str, Value]:
        return {"drafts": self.decisions.drafts.as_text(), **self.listing.remember()}

    def look_at(self, example_id: str) -> None:
        """Stand on an example; all are shown so that it is there."""
        self._look(Filter(), example_id)

    def look_through(self, wanted: Filter) -> None:
        """Show those that pass a filter, from the first."""
        self._look(wanted, "")

    def _look(self, wanted: Filter, example_id: str) -> None:
        self.listing.want(wanted, example_id)
        if self._open is not None:
            self.listing.open()

    def sync(self) -> None:
        if self._open is not self.session.workspace:
            self._open, self._version = self.session.workspace, -1
            self.listing.open()
        if self._version != self.studio.version:
            self._version = self.studio.version
            self.rows.renew()
            self.run(self._read_counts(), "counts", exclusive=True)
        self.show_title()

    async def _read_counts(self) -> None:
        self._counts = await self.studio.disk.read(read_counts, self.session)
        self.show_title()

    def show_title(self) -> None:
        now, rows = self._counts, self.rows
        place = f"{rows.cursor + 1} of {rows.count}" if rows.count else "none"
        counts = now.statuses if now else Counter[str]()
        title = join(
            (in_words(self.listing.filter), "bold"),
            f" {place}  " if now else "  reading",
            (f"{counts['accepted']} accepted " if now else "", "$success"),
            (f"{counts['rejected']} rejected " if now else "", "$error"),
            (f"{counts['pending']} pending" if counts["pending"] else "", "$warning"),
            (f"  {len(rows.marked)} marked" if rows.marked else "", "$primary bold"),
            ("  a range: v marks it" if rows.range_from is not None else "", "$primary bold"),
            join("  ", self.decisions.state),
            (f"  review {now.seen}/{now.sampled}" if now and now.sampled else "", "$quiet"),
        )
        self.query_one(Title).show(title)

    @on(VirtualList.Moved, "#rows")
    def show_detail(self) -> None:
        """The example under the cursor, from what is in memory."""
        row, page = self.rows.current, self.query_one("#detail", Page)
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

    def back(self) -> None:
        if self.rows.marked or self.rows.range_from is not None:
            self.rows.unmark()
            self.show_title()
        elif self._why:
            self.action_why()
        else:
            self.listing.widen()

    def action_filter(self) -> None:
        self.run(self.listing.offer_filters(), "filter", keys_wait=True)

    def action_sort(self) -> None:
        self.listing.offer_orders()

    def action_search(self) -> None:
        self.listing.ask_words()

    def action_next(self) -> None:
        self.listing.go(1)

    def action_previous(self) -> None:
        self.listing.go(-1)

    async def action_mark(self) -> None:
        if await self._here():
            self._marking.mark()

    def action_range(self) -> None:
        self._marking.range()

    def action_mark_all(self) -> None:
        self._marking.all()

    async def action_like(self) -> None:
        row = await self._here()
        if row is not None:
            self.run(self._marking.offer_alike(row), "alike", exclusive=True)

    def action_review(self) -> None:
        """Review a sample of what is accepted; the example that one opens from there is shown here."""
        self.run(self._review(), "review", keys_wait=True)

    async def _review(self) -> None:
        sitting = await self.studio.disk.write(SampleReview, self.session.workspace, self.session.loaded)
        if not sitting.wanted:
            self.studio.tell(sitting.status().text)
            return
        item = await self.studio.disk.read(sitting.next_item)
        status = await self.studio.disk.read(sitting.status)
        self.app.push_screen(ReviewScreen(self, sitting, item, status), lambda _: self.studio.wake())

    async def _here(self) -> Row | None:
        """The example under the cursor; says so where it does not come from the disk."""
        row = await self.rows.arrived()
        if row is None and self.rows.count:
            self.studio.tell("the disk is slow: this example is not here yet, and nothing was decided", "warning")
        return row

    async def _chosen(self) -> list[str]:
        """The marked examples, or the one under the cursor."""
        if self.rows.marked:
            return sorted(self.rows.marked)
        row = await self._here()
        return [row.example.id] if row else []

    async def action_accept(self) -> None:
        self.decisions.decide(await self._chosen(), "accepted", "accepted", Triage.accept_all)

    async def action_reject(self) -> None:
        ids = await self._chosen()

        def reject(key: str | None) -> None:
            if key is not None:
                slug, said = REASONS[key][0], f"rejected: {REASONS[key][0]}"
                self.decisions.decide(ids, "rejected", said, lambda triage, ids: triage.reject_all(ids, slug))

        if ids:
            what = "it" if len(ids) == 1 else f"the {len(ids)} marked"
            reasons = {key: label for key, (_, label) in REASONS.items()}
            self.app.push_screen(Choose(f"Reject {what} because", reasons), reject)

    async def action_clear(self) -> None:
        """Take every decision on it back: the judge's word stands."""
        self.decisions.decide(await self._chosen(), None, "left to the judge", Triage.reset_all)

    def action_skip(self) -> None:
        self.rows.action_down()

    async def action_edit(self) -> None:
        row = await self._here()
        if row is not None:
            self._writing.edit(row)

    async def action_editor(self) -> None:
        row = await self._here()
        if row is not None:
            self._writing.edit_whole(row)

    def action_by_hand(self) -> None:
        self.run(self._writing.by_hand(), "by hand", keys_wait=True)

    async def action_again(self) -> None:
        row = await self._here()
        if row is not None:
            self._writing.offer_another(row)

    def action_undo(self) -> None:
        self.decisions.step(Triage.undo, "undo", "undone")

    def action_redo(self) -> None:
        self.decisions.step(Triage.redo, "redo", "redone")

    def action_export(self) -> None:
        self.studio.tell("exporting the accepted examples")
        self.run(self._export())

    async def _export(self) -> None:
        export = await self.studio.disk.write(export_chatml, self.session.workspace, self.session.loaded)
        skipped = f", {export.skipped} left out" if export.skipped else ""
        self.studio.tell(f"{export.count} examples in {as_seen(export.path)}{skipped}")

    def action_copy(self) -> None:
        row = self.rows.current
        if row is not None:
            self.run(copy(self.studio, as_text(row.messages), "the conversation"))
