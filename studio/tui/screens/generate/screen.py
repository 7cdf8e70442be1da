"""Examples as they are made: how far each category is, at what rate and cost, and every row with its score."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content

from studio.build import Session
from studio.build.filling import begin_filling, fill_params
from studio.build.stages import begin_generating, generate_params, scenarios
from studio.errors import UserError
from studio.generate import cancel_batches, generate_in_batches, set_concurrency
from studio.generate.coverage_map import By, CoverageMap, coverage_map
from studio.generate.focus import FocusParams
from studio.store import Filter
from studio.text.inert import inert_line
from studio.tui.dialogs.reading import Text
from studio.tui.keys import bindings
from studio.tui.live.by_hand import HandWriting
from studio.tui.live.progress import GenerateProgress
from studio.tui.live.threads import detached
from studio.tui.screens.generate import coverage
from studio.tui.screens.generate.authors import OPEN, AuthorList, nobody_writes
from studio.tui.screens.generate.heat_map import Chosen, HeatMap
from studio.tui.screens.job_stage import JobStage, job_failed, job_state
from studio.tui.text import counted, join
from studio.tui.widgets.page import Page
from studio.tui.widgets.row_line import SIGNS_TOLD
from studio.tui.widgets.row_list import RowBox, RowList
from studio.tui.widgets.status import Title
from studio.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from studio.tui.live.state import Value

BatchWork = Callable[..., Coroutine[Any, Any, object]]
EMPTY = "No examples yet. Press s to generate."
NO_JUDGE = "whether who asks fits takes a model that judges"
FIT = "from the next start on the judge also says whether who asks fits: one call more for each that passes"
NO_FIT = "from the next start on nobody says whether who asks fits"


class GenerateScreen(JobStage):
    """Coverage and figures above, rows below; all of it is read from the store, so that a restart shows the same."""

    SIGNS = SIGNS_TOLD
    CSS_PATH = "generate.tcss"
    BINDINGS = [*bindings("job"), *bindings("generate")]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._headline = Title()
        self._bars = Page(id="coverage", classes="detail")
        self._figures = Page(id="numbers", classes="detail")
        self._authors = AuthorList(self, self.action_new, id="authors")
        self._rows = RowList(id="rows", empty=EMPTY, follow=True, opens=True)
        self._coverage = coverage.Coverage()
        self._version = -1
        self._open: Session | None = None
        self._by_hand = HandWriting(self)
        self._check_fit = False
        """Whether the judge also says if who asks fits."""

    def body(self) -> ComposeResult:
        yield self._headline
        with Horizontal(id="figures"):
            yield self._bars
            yield self._figures
        yield self._authors
        with RowBox():
            yield self._rows

    def on_mount(self) -> None:
        self._bars.can_focus = self._figures.can_focus = False
        self._rows.focus()

    def back(self) -> None:
        self._authors.close()

    def recall(self, state: dict[str, Value]) -> None:
        self._check_fit = bool(state.get("fit"))

    def remember(self) -> dict[str, Value]:
        return {"fit": self._check_fit}

    def sync(self) -> None:
        if self._open is not self.session:
            before, self._open, self._version = self._open, self.session, -1
            if before is None or before.workspace is not self.session.workspace:
                self._rows.open(self.session.workspace.examples, Filter())
        if self._version != self.studio.version:
            self._version = self.studio.version
            self._rows.renew()
            self.run(self._read(), "coverage", exclusive=True)
        self._show()

    async def _read(self) -> None:
        now = self._coverage = await self.studio.disk.read(coverage.read, self.session)
        if nobody_writes(self.session) and not now.made and not now.earlier and not self.has_class(OPEN):
            self._authors.open()
        self._show()

    def _show(self) -> None:
        progress: GenerateProgress = (self.job and self.job.progress) or GenerateProgress()
        now, alive = self._coverage, self.job is not None and self.job.alive
        self._headline.show(self._status(progress, alive), whole=not alive)
        self._bars.show(lambda width: coverage.bars_page(now, width), from_top=False)
        self._figures.show(lambda width: coverage.figures_page(now, progress, width, alive), from_top=False)

    def _status(self, progress: GenerateProgress, alive: bool) -> Content:
        """How the job stands, and what to do where there is none."""
        state, now = job_state(self.job, "not started"), self._coverage
        if job_failed(self.job):
            return state
        if alive and progress.flow:
            stops = "S again cancels them" if progress.last and progress.last.stopping else "S stops"
            return join(state, (f"  {progress.flow}; {stops}", "$warning"))
        if alive:
            again = f", judging {counted(now.earlier, 'example')} again" if now.earlier else ""
            return join(state, (f"  {progress.author}, {progress.judge}{again}" if progress.author else "", "$quiet"))
        stopped = self.job is not None and self.job.view.state == "stopped"  # by a person, who needs no reason told
        note = progress.finished.note if progress.finished and not stopped else ""
        judged, nobody = not self.session.settings.judging.offline, nobody_writes(self.session)
        fit = ("  checks who asks" if self._check_fit else "", "$primary")
        return join(state, "  ", coverage.what_next(now, note, judged=judged, nobody=nobody), fit)

    def action_start(self) -> None:
        session, now = self.session, self._coverage
        usable = self.studio.spec_problem is None  # else that is what launching tells
        if usable and nobody_writes(session) and not now.earlier and not now.pending:
            self.studio.tell("nobody is there to write examples: choose who does")
            self._authors.open()
            return
        asked = replace(session, check_fit=self._check_fit)
        self.launch(lambda: begin_generating(asked))

    def action_fit(self) -> None:
        """From the next start on; it costs one call more for each example that passes."""
        if not self._check_fit and self.session.settings.judging.offline:
            self.studio.tell(UserError(NO_JUDGE, remedy="w shows who could"))
            return
        self._check_fit = not self._check_fit
        self._show()
        self.studio.tell(FIT if self._check_fit else NO_FIT)

    def action_more(self) -> None:
        self._change_concurrency(2)

    def action_fewer(self) -> None:
        self._change_concurrency(0.5)

    def _change_concurrency(self, factor: float) -> None:
        """Tell the running job; it takes it up at once."""
        now: GenerateProgress | None = self.job.progress if self.job is not None and self.job.alive else None
        if self.job is None or now is None or now.last is None:
            self.studio.tell("nothing is being generated whose pace could change")
            return
        chains = max(1, round(now.last.at_once * factor))
        self.run(self._told_concurrency(self.job.job.folder, chains), "concurrency", exclusive=True)
        self.studio.tell(f"up to {counted(chains, 'example')} at once")

    async def _told_concurrency(self, folder: Path, chains: int) -> None:
        await self.studio.disk.write(set_concurrency, folder, chains)

    def action_collect(self) -> None:
        self._batch(generate_in_batches, "asking the server how the batch stands")

    def action_cancel(self) -> None:
        self._batch(cancel_batches, "asking the server to end the batch")

    def _batch(self, step: BatchWork, told: str) -> None:
        if not self._coverage.batches:
            self.studio.tell("no batch is at a server; studio generate --batch submits one")
            return
        self.studio.tell(told)
        self.run(self._batch_step(step), "batch")

    async def _batch_step(self, step: BatchWork) -> None:
        session, lines = self.session, list[str]()
        asked = generate_params(session)
        await detached(lambda: asyncio.run(step(session.loaded, session.workspace, asked, lines.append)))
        self.studio.tell(inert_line("; ".join(lines)))
        self._version = -1
        self.studio.wake()
        self.refresh_now()

    def action_authors(self) -> None:
        self._authors.open()

    def action_balance(self) -> None:
        self.run(self._show_balance(), keys_wait=True)

    async def _show_balance(self) -> None:
        found = await self.studio.disk.read(scenarios, self.session)
        self.app.push_screen(Text("Scenarios", lambda width: coverage.balance_page(found, width)))

    def action_map(self) -> None:
        self.run(self._show_map(), keys_wait=True)

    async def _show_map(self) -> None:
        async def read(by: By) -> CoverageMap:
            session = self.session
            return await self.studio.disk.read(coverage_map, session.loaded, session.workspace, by, session.examples)

        self.app.push_screen(HeatMap(await read("trait"), read), self._fill)

    def _fill(self, chosen: Chosen | None) -> None:
        """Start writing for the cell, as many as it is short of."""
        if chosen is None:
            return
        table, at = chosen
        count, session = table.want(at.row, at.column), self.session
        about = f"{table.rows[at.row].scenario}, {table.columns[at.column]}"
        told = f"writing {counted(count, 'example')} for {about}; m shows how far it is"
        self.run(self._filling(session, fill_params(session, table, at, count), told), "fill")

    async def _filling(self, session: Session, params: FocusParams, told: str) -> None:
        await self.studio.disk.write(begin_filling, session, params)
        self.studio.tell(inert_line(told))
        self.studio.wake()

    @on(VirtualList.Chosen, "#rows")
    async def action_look(self) -> None:
        """Open the row in triage."""
        row = self._rows.current
        if row is not None:
            await self.studio.look_at(row.example.id)

    def action_new(self) -> None:
        """Write one example in $EDITOR."""
        self.run(self._new(), "new", keys_wait=True)

    async def _new(self) -> None:
        found = await self.studio.disk.read(scenarios, self.session)
        thinnest = min(found, key=lambda one: one.accepted + one.pending - one.share, default=None)
        await self._by_hand.write(thinnest.scenario if thinnest else "", "n")
