"""Evaluating: base beside tuned, the gates, and the probes in which the tuned side is weakest."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from studio.build import Session
from studio.build.improve_job import ImproveParams, begin_improving, last_line
from studio.evaluate import Evaluation, restated
from studio.evaluate.job import EvaluateParams
from studio.evaluate.looks import price_of
from studio.evaluate.metrics import NO_LABELS
from studio.evaluate.types import ProbeResult
from studio.train.types import Run
from studio.tui.dialogs.questions import Confirm
from studio.tui.dialogs.reading import Text
from studio.tui.keys import bindings
from studio.tui.live.bridge import Snapshot
from studio.tui.live.progress import EvaluateProgress
from studio.tui.live.state import Value
from studio.tui.screens.evaluate.label import label_screen
from studio.tui.screens.evaluate.measures import Measure, measures, measures_content, measures_so_far
from studio.tui.screens.evaluate.probe import probe_line, probe_page, weakest_first
from studio.tui.screens.evaluate.report import Evaluated, read_evaluated, report, verdict_lines, verdict_look
from studio.tui.screens.job_stage import JobStage, job_state
from studio.tui.text import duration, join, lines, shown
from studio.tui.widgets.layout import with_bar
from studio.tui.widgets.page import Page
from studio.tui.widgets.status import Title
from studio.tui.widgets.virtual_list import VirtualList

ENTRY = "studio.evaluate.job:main"
EMPTY = "The held-out probes are listed here, the weakest reply first."
NO_MEASURES = "Base beside tuned is shown here."
NOTHING = "not evaluated yet: s runs the open probes through base and tuned"
UNTRAINED = "no run was trained to its end yet: train one first"


class EvaluateScreen(JobStage):
    """While the job runs it shows what was scored so far; else the newest evaluation of the newest run."""

    CSS_PATH = "evaluate.tcss"
    BINDINGS = [*bindings("job"), *bindings("evaluate")]
    SIGNS = (("9.0=", "scored by people; else by the judge"),)

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._run: Run | None = None
        self._found: Evaluated | None = None
        """The newest evaluation of that one."""
        self._results: list[ProbeResult] = []
        self._said = NO_LABELS
        """What people said of the replies that are shown."""
        self._read_for: object = None
        self._wanted = ""
        self._version = -1
        self._improving = ""
        """The line of the newest round of improving."""

    def body(self) -> ComposeResult:
        yield Title("state")
        with Container(id="evaluation"):
            yield Page(id="measures", classes="detail")
            with Container(id="probing"):
                yield VirtualList(self._draw, id="probes", empty=EMPTY, opens=True)
                yield Page(id="probe", classes="detail")

    def on_mount(self) -> None:
        self._probes.focus()

    @property
    def _probes(self) -> VirtualList:
        return self.query_one("#probes", VirtualList)

    @property
    def _awaited(self) -> str:
        """The probe to stand on as soon as it is scored, unless a key went elsewhere before."""
        return "" if self._probes.steered else self._wanted

    def recall(self, state: dict[str, Value]) -> None:
        self._wanted = str(state.get("probe") or "")
        self._probes.steered = False

    def remember(self) -> dict[str, Value]:
        result = self._result()
        return {"probe": self._awaited or (result.probe.id if result else "")}

    def sync(self) -> None:
        marks, job = self.studio.marks, self.job
        state = (job.job.id, job.view.state) if job else None
        wanted = state, marks.get("train"), marks.get("evaluate"), self.session.loaded.hash
        if wanted != self._read_for:
            self._read_for = wanted
            self.run(self._read(), "read", exclusive=True, keys_wait=True)
        if self._version != self.studio.version:
            self._version = self.studio.version
            self.run(self._read_round(), "round", exclusive=True)
        self._show()

    async def _read_round(self) -> None:
        self._improving = await self.studio.disk.read(last_line, self.session.workspace)
        self._show()

    async def _read(self) -> None:
        self._run, self._found = await self.studio.disk.read(read_evaluated, self.session)
        self._show()

    @property
    def _about(self) -> Snapshot | None:
        """The job while it lives, and after that where it was about the run that is shown."""
        job, run = self.job, self._run
        return job if job and run and (job.alive or job.run_id == run.plan.run_id) else None

    @property
    def _live(self) -> EvaluateProgress | None:
        """The job's progress while that is newer than any evaluation."""
        job, found = self._about, self._found
        progress: EvaluateProgress | None = job.progress if job else None
        if job is None or progress is None or progress.finished is not None:
            return None
        older = found is None or found.evaluation.created < job.view.request.created
        return progress if job.alive or (older and progress.results) else None

    def _show(self) -> None:
        live, found, self._said = self._live, self._found, NO_LABELS
        table: list[Measure] = []
        results: tuple[ProbeResult, ...] = ()
        if live is not None:
            table, results = measures_so_far(live.results), live.results
        elif found is not None:
            table, results, self._said = measures(found.evaluation), found.evaluation.results, found.labels
        state = self.query_one(Title)
        state.show(self._state(live, state.content_size.width), whole=True)
        content = (lambda width: measures_content(table, width)) if table else shown(NO_MEASURES, "$quiet")
        self.query_one("#measures", Page).show(content, from_top=False)
        self._list(weakest_first(results, self._said))

    def _state(self, live: EvaluateProgress | None, width: int) -> Content:
        run, job = self._run, self._about
        if run is None:
            return shown("No run was trained to its end yet: train one first (5).", "$warning")
        told = join((job.run_id if job else run.plan.run_id, "bold"), "  ", job_state(job, NOTHING))
        if live is None:
            verdict = verdict_lines(self._found) if self._found else told
            return lines([verdict, shown(self._improving, "$primary")]) if self._improving else verdict
        if not live.probes:
            return join(told, ", loading base and adapter" if job and job.alive else "")
        done, probes = len(live.results), live.probes
        if job is None or not job.alive:
            return join(told, f"  {done} of {probes} probes scored")
        if live.replies is not None and not live.results:
            came = live.replies
            return with_bar(join(told, f"  {came.done} of {came.replies} replies "), came.done, came.replies, width)
        eta = f"  ETA {duration(live.eta_s)}" if live.eta_s is not None else ""
        return with_bar(join(told, f"  {done} of {probes} probes "), done, probes, width, join((eta, "$quiet")))

    def _list(self, results: list[ProbeResult]) -> None:
        probes, standing = self._probes, self._result()
        wanted = self._awaited or (standing.probe.id if standing and probes.cursor else "")
        if results != self._results:
            self._results = results
            probes.set_count(len(results))
        ids = [one.probe.id for one in results]
        if wanted in ids:
            self._wanted = ""
            probes.move_to(ids.index(wanted))
        self._show_probe()

    def _draw(self, index: int, width: int) -> Content:
        return probe_line(self._results[index], width, self._said)

    def _result(self) -> ProbeResult | None:
        cursor = self._probes.cursor
        return self._results[cursor] if cursor < len(self._results) else None

    @on(VirtualList.Moved, "#probes")
    def _show_probe(self) -> None:
        result, said = self._result(), self._said
        self.query_one("#probe", Page).show((lambda width: probe_page(result, width, said)) if result else Content(""))

    @on(VirtualList.Chosen, "#probes")
    def _open_probe(self) -> None:
        result, said = self._result(), self._said
        if result is not None:
            self.app.push_screen(Text(f"Probe {result.probe.id}", lambda width: probe_page(result, width, said)))

    def action_start(self) -> None:
        """On the open probes, which costs no look at the locked ones."""
        if self._run is None:
            self.studio.tell(UNTRAINED, "warning")
        elif self._found and self._found.is_current:
            more = "" if self._found.evaluation.is_verdict else "; v opens the locked probes for a verdict"
            self.studio.tell(f"exactly this is evaluated already{more}")
        else:
            self._evaluate(self._run, locked=False)

    def action_verdict(self) -> None:
        """Open the locked probes, after a yes: a look is counted for good."""
        if self._run is None:
            self.studio.tell(UNTRAINED, "warning")
        elif self._found and self._found.is_current and self._found.evaluation.is_verdict:
            self.studio.tell("exactly this has its verdict already; a second look would cost and tell nothing new")
        elif self.job is not None and self.job.alive:
            self.studio.tell("the evaluation runs: open the locked probes once it has ended")
        else:
            self.run(self._ask_for_verdict(self._run), keys_wait=True)

    async def _ask_for_verdict(self, run: Run) -> None:
        look = await self.studio.disk.read(verdict_look, self.session, run)

        def answered(sure: bool | None) -> None:
            if sure:
                self._evaluate(run, locked=True)

        self.app.push_screen(Confirm("Open the locked probes for a verdict?", price_of(look)), answered)

    def _evaluate(self, run: Run, *, locked: bool) -> None:
        session = self.session
        params = EvaluateParams(
            spec_path=str(session.loaded.path),
            workspace=str(session.root),
            run_id=run.plan.run_id,
            settings=session.settings,
            locked=locked,
        )
        self.launch_entry(ENTRY, params)

    def action_label(self) -> None:
        """Label this run's replies; its gates follow from the labels as soon as one leaves."""
        if self.job is not None and self.job.alive:
            self.studio.tell("the evaluation runs: label its replies once it has ended")
        elif self._found is None:
            self.studio.tell("there are no replies to label yet: s evaluates")
        else:
            self.run(self._label(self._found.evaluation), keys_wait=True)

    async def _label(self, evaluation: Evaluation) -> None:
        screen = await label_screen(self, evaluation)
        if screen is None:
            await self._restate()
        else:
            self.app.push_screen(screen, lambda _: self.run(self._restate(), "read", exclusive=True, keys_wait=True))

    async def _restate(self) -> None:
        if self._found is not None:
            await self.studio.disk.write(restated, self.session.workspace, self._found.evaluation)
            await self._read()
            self.studio.wake()

    def action_improve(self) -> None:
        """A job of its own: it waits for a person after the examples of each round, and goes on by the same key."""
        session = self.session
        if self._run is None:
            self.studio.tell(UNTRAINED, "warning")
            return
        params = ImproveParams(
            spec_path=str(session.loaded.path),
            workspace=str(session.root),
            settings=session.settings,
            seed=session.seed,
            concurrency=session.concurrency,
        )
        self.run(self._improve(session, params), "improve")

    async def _improve(self, session: Session, params: ImproveParams) -> None:
        await self.studio.disk.write(begin_improving, session, params)
        self.studio.tell("improving: what is found, written and gained is told here; i goes on after your review")
        self.studio.wake()

    def action_report(self) -> None:
        found = self._found
        if found is None:
            self.studio.tell("there is no evaluation yet")
        else:
            self.app.push_screen(Text(f"Evaluation {found.evaluation.id}", lambda width: report(found, width)))
