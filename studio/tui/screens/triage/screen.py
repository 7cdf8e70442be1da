"""Triage: a list of any length, the example under the cursor, and a key a decision."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Literal

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from studio.chatml import Messages, assistant
from studio.dataset import export_chatml
from studio.errors import UserError
from studio.files import as_seen
from studio.generate.regenerate import Regenerated, regenerate
from studio.judge import NOBODY
from studio.llm import ModelError
from studio.store import Filter, Workspace
from studio.store.records import Row
from studio.triage import REASONS, SampleReview, Triage
from studio.triage.edits import judge_edit
from studio.triage.similar import LEAST, SimilarExamples
from studio.tui.dialogs.pick import Pick
from studio.tui.dialogs.questions import Ask, Choose
from studio.tui.dialogs.reply_editor import ReplyEditor
from studio.tui.keys import bindings
from studio.tui.live.by_hand import HandWriting
from studio.tui.live.state import Value
from studio.tui.live.terminal import copy, edit_text
from studio.tui.live.threads import detached
from studio.tui.screens.stage import StageScreen
from studio.tui.screens.triage.alike import Alike
from studio.tui.screens.triage.decisions import Decisions, as_text, from_text
from studio.tui.screens.triage.detail import example_page, provenance_page, read_origin
from studio.tui.screens.triage.filters import (
    ORDERS,
    Counts,
    in_words,
    read_choices,
    read_counts,
    recalled,
    remembered,
)
from studio.tui.screens.triage.review import ReviewScreen
from studio.tui.text import clip, join
from studio.tui.widgets.page import Page
from studio.tui.widgets.row_line import SIGNS_TOLD
from studio.tui.widgets.row_list import RowBox, RowList
from studio.tui.widgets.status import Title
from studio.tui.widgets.virtual_list import VirtualList

EMPTY = "No examples yet. Press 3, then s to generate."
EMPTY_FILTER = "Nothing passes this filter. Press f to change it."


class TriageScreen(StageScreen):
    """The list and the detail; what is decided goes through :class:`Decisions`."""

    SIGNS = SIGNS_TOLD
    CSS_PATH = "triage.tcss"
    BINDINGS = bindings("triage")

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._decisions, self._writing = Decisions(self), HandWriting(self)
        self._counts: Counts | None = None
        """None until they were read."""
        self._version = -1
        self._open: Workspace | None = None
        self._filter = Filter()
        self._similar: tuple[Workspace, SimilarExamples] | None = None
        self._words = ""
        """Those searched for last."""
        self._why = False
        self._wanted = ""
        """The example to stand on when the list is opened."""

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
        self._wanted = self._wanted or str(state.get("example") or "")
        self._decisions.drafts.read(str(state.get("drafts") or ""))
        self._filter = recalled(state)

    def remember(self) -> dict[str, Value]:
        row = self.rows.current
        drafts = self._decisions.drafts.as_text()
        return {"example": row.example.id if row else "", "drafts": drafts, **remembered(self._filter)}

    def look_at(self, example_id: str) -> None:
        """Stand on an example; all are shown so that it is there."""
        self._wanted, self._filter = example_id, Filter()
        if self._open is not None:
            self._open_list()

    def look_through(self, wanted: Filter) -> None:
        """Show those that pass a filter, from the first."""
        self._filter, self._wanted = wanted, ""
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
        empty = EMPTY_FILTER if self._filter.narrows else EMPTY
        self.rows.open(self.session.workspace.examples, self._filter, self._wanted or None, empty)
        self._wanted = ""

    async def _read_counts(self) -> None:
        self._counts = await self.studio.disk.read(read_counts, self.session)
        self.show_title()

    def show_title(self) -> None:
        now, rows = self._counts, self.rows
        place = f"{rows.cursor + 1} of {rows.count}" if rows.count else "none"
        counts = now.statuses if now else Counter[str]()
        title = join(
            (in_words(self._filter), "bold"),
            f" {place}  " if now else "  reading",
            (f"{counts['accepted']} accepted " if now else "", "$success"),
            (f"{counts['rejected']} rejected " if now else "", "$error"),
            (f"{counts['pending']} pending" if counts["pending"] else "", "$warning"),
            (f"  {len(rows.marked)} marked" if rows.marked else "", "$primary bold"),
            ("  a range: v marks it" if rows.range_from is not None else "", "$primary bold"),
            join("  ", self._decisions.state),
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
        elif self._filter.narrows:
            self._show_only(Filter(sort=self._filter.sort, pivot=self._filter.pivot))
        elif self._filter.sort != "arrival":
            self._show_only(Filter())

    def _show_only(self, wanted: Filter, *, from_first: bool = False) -> None:
        row = None if from_first else self.rows.current
        self._filter, self._wanted = wanted, row.example.id if row else ""
        self._open_list()
        self._decisions.say("")

    def action_filter(self) -> None:
        """One list of all that can be asked for besides; what fits none of it is looked for in the text."""
        self.run(self._offer_filters(), "filter", keys_wait=True)

    async def _offer_filters(self) -> None:
        wanted = self._filter
        found = await self.studio.disk.read(read_choices, self.session, wanted)

        def picked(answer: int | str | None) -> None:
            if isinstance(answer, str):
                self._show_only(wanted.model_copy(update={"text": answer}))
            elif answer is not None:
                self._show_only(found[answer][1])

        prompt = f"show only, of {in_words(wanted)}"
        self.app.push_screen(Pick(prompt, [told for told, _ in found], free="with the words"), picked)

    def action_sort(self) -> None:
        def chosen(key: str | None) -> None:
            if key is not None:
                pivot = self.session.loaded.spec.success.accept_score
                wanted = self._filter.model_copy(update={"sort": ORDERS[key][0], "pivot": pivot})
                self._show_only(wanted, from_first=True)

        self.app.push_screen(Choose("Sort", {key: told for key, (_, told) in ORDERS.items()}), chosen)

    def action_range(self) -> None:
        """Begin a range of rows at the cursor; again, and all between are marked."""
        if self.rows.range_from is None:
            self.rows.begin_range()
            self.show_title()
        else:
            rows = self.rows.end_range()
            self.run(self._mark_stretch(rows.start, len(rows)), "mark", keys_wait=True)

    def action_mark_all(self) -> None:
        """All that the filter shows."""
        self.run(self._mark_stretch(0, None), "mark", keys_wait=True)

    async def _mark_stretch(self, offset: int, limit: int | None) -> None:
        read, store = self.studio.disk.read, self.session.workspace.examples
        self.rows.mark_all(await read(store.list_ids, self._filter, offset, limit))
        self.show_title()

    async def action_like(self) -> None:
        row = await self._here()
        if row is not None:
            self.run(self._offer_alike(row), "alike", exclusive=True)

    async def _offer_alike(self, row: Row) -> None:
        workspace = self.session.workspace
        if self._similar is None or self._similar[0] is not workspace:
            self._similar = workspace, SimilarExamples(workspace.examples)
        similar = self._similar[1]

        def told(done: int, total: int) -> None:
            self.app.call_from_thread(self._decisions.say, f"reading {done} of {total}", "$warning")

        self._decisions.say("looking for examples like this one", "$warning")
        try:
            found = await detached(lambda: similar.like(row.example.id, told=told))
        finally:
            self._decisions.say("")
        if not found:
            self.studio.tell(f"no other example is like it, by a similarity of {LEAST} at least")
            return
        rows = await self.studio.disk.read(workspace.examples.rows_of, [one.example_id for one in found])

        def mark(ids: list[str] | None) -> None:
            if ids is not None:
                self.rows.mark_all(ids)
                self.show_title()

        self.app.push_screen(Alike(row, found, rows), mark)

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

    def action_search(self) -> None:
        def search(words: str | None) -> None:
            if words:
                self._words = words
                self.action_next()

        self.app.push_screen(Ask("Go to examples with the words", self._words), search)

    def action_next(self) -> None:
        self.run(self._go(1), "go", exclusive=True, keys_wait=True)

    def action_previous(self) -> None:
        self.run(self._go(-1), "go", exclusive=True, keys_wait=True)

    async def _go(self, step: Literal[1, -1]) -> None:
        """To the next example with the words, in the order of the list, around its end."""
        if not self._words:
            self.studio.tell("press / and say what to find")
            return
        wanted = self._filter.model_copy(update={"text": " ".join(filter(None, (self._filter.text, self._words)))})
        row = await self.rows.arrived()
        read, store = self.studio.disk.read, self.session.workspace.examples
        found = await read(store.next_from, row.seq if row else 0, wanted, step)
        if found is None:
            self.studio.tell(f"no example shown here has {self._words}")
            return
        place, count = await read(store.index_of, found.example.id, wanted), await read(store.count, wanted)
        self._decisions.say(f'"{clip(self._words, 20)}" {(place or 0) + 1} of {count}', "$primary")
        self.rows.stand_on(found.example.id)

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
        self._decisions.decide(await self._chosen(), "accepted", "accepted", Triage.accept_all)

    async def action_reject(self) -> None:
        ids = await self._chosen()

        def reject(key: str | None) -> None:
            if key is not None:
                slug, said = REASONS[key][0], f"rejected: {REASONS[key][0]}"
                self._decisions.decide(ids, "rejected", said, lambda triage, ids: triage.reject_all(ids, slug))

        if ids:
            what = "it" if len(ids) == 1 else f"the {len(ids)} marked"
            reasons = {key: label for key, (_, label) in REASONS.items()}
            self.app.push_screen(Choose(f"Reject {what} because", reasons), reject)

    async def action_clear(self) -> None:
        """Take every decision on it back: the judge's word stands."""
        self._decisions.decide(await self._chosen(), None, "left to the judge", Triage.reset_all)

    def action_skip(self) -> None:
        self.rows.action_down()

    async def action_mark(self) -> None:
        if await self._here():
            self.rows.mark()
            self.show_title()

    async def action_edit(self) -> None:
        row, drafts = await self._here(), self._decisions.drafts
        if row is None:
            return
        id_, messages = row.example.id, row.messages

        def edited(reply: str | None) -> None:
            if reply is None:
                drafts.drop(id_)
            else:
                self._edit(row, (*messages[:-1], assistant(reply)))

        editor = ReplyEditor(messages, drafts.get("reply", id_), lambda text: drafts.keep("reply", id_, text))
        self.app.push_screen(editor, edited)

    async def action_editor(self) -> None:
        row, drafts = await self._here(), self._decisions.drafts
        if row is None:
            return
        text, id_ = as_text(row.messages), row.example.id
        edited = edit_text(self.studio, f"{drafts.get('whole', id_) or text}\n", ".md")
        if edited is None:
            return
        drafts.keep("whole", id_, edited)
        try:
            messages = from_text(edited)
        except UserError as error:
            self.studio.tell(UserError(error.message, remedy=f"E opens what you wrote again: {error.remedy}"))
        else:
            self._edit(row, messages)

    def _edit(self, row: Row, messages: Messages) -> None:
        id_ = row.example.id
        if messages == row.messages:
            self._decisions.drafts.drop(id_)
        else:
            written = self._decisions.decide(
                [id_], "accepted", "edited", lambda triage, ids: triage.edit(ids[0], messages)
            )
            self.run(self._judge(id_, written), "judge")

    async def _judge(self, id_: str, written: asyncio.Event) -> None:
        """Once the edit is on the disk, by whoever judges here; without a judge by the rules."""
        await written.wait()
        session = self.session
        judgement = await detached(
            lambda: asyncio.run(judge_edit(session.loaded, session.workspace, session.settings, id_))
        )
        if judgement is not None and judgement.judge != NOBODY:
            total = "" if judgement.total is None else f", {judgement.total:.1f} of 10"
            self._decisions.say(f"saved: edited; {judgement.judge}: {judgement.verdict}{total}", "$success")
            self.rows.renew()
            self.studio.wake()

    def action_by_hand(self) -> None:
        """Write one in $EDITOR, of the scenario under the cursor, and stand on it."""
        self.run(self._by_hand(), "by hand", keys_wait=True)

    async def _by_hand(self) -> None:
        row = self.rows.current
        added = await self._writing.write(row.example.scenario if row else "", "b")
        if added is not None:
            self.rows.stand_on(added.example_id)

    async def action_again(self) -> None:
        """Another reply beside this one, or another conversation: by the author, with a note."""
        row = await self._here()
        if row is None:
            return
        if self.session.settings.author_offline:
            remedy = "start the window with --endpoint URL --model NAME; b writes one by hand, e edits this one"
            self.studio.tell(UserError("no model is there to write another", remedy=remedy))
            return

        def chosen(key: str | None) -> None:
            if key is not None:
                self.app.push_screen(Ask("What ought to be other?", note="for the author; may be empty"), noted(key))

        def noted(key: str) -> Callable[[str | None], None]:
            def ask(note: str | None) -> None:
                if note is not None:
                    self.run(self._again(row, note, whole=key == "c"))

            return ask

        choices = {"r": "another reply to the same user's turn", "c": "another conversation, of the same person"}
        self.app.push_screen(Choose("Regenerate", choices), chosen)

    async def _again(self, row: Row, note: str, *, whole: bool) -> None:
        session = self.session
        self._decisions.say("the author writes", "$warning")

        def asked() -> Regenerated:
            return asyncio.run(regenerate(session.loaded, session.workspace, session.settings, row, note, whole=whole))

        try:
            made = await detached(asked)
        except ModelError as error:
            self._decisions.say("nothing was written", "$error bold")
            raise UserError(f"no answer came: {error}", remedy="R asks again") from None
        except UserError:
            self._decisions.say("nothing was written", "$error bold")
            raise
        total = "unscored" if made.total is None else f"{made.total:.1f} of 10"
        why = f": {', '.join(made.reasons)}" if made.reasons else ""
        self._decisions.say(f"written beside it: {made.verdict}, {total}{why}", "$success")
        self.studio.wake()
        self.rows.stand_on(made.example_id)

    def action_undo(self) -> None:
        self._decisions.step(Triage.undo, "undo", "undone")

    def action_redo(self) -> None:
        self._decisions.step(Triage.redo, "redo", "redone")

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
