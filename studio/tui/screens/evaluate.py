"""Evaluating: base beside tuned, the gates, and the probes in which the tuned side is weakest."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from studio.evaluate import Evaluation, Labels, labels_of, restate, restated
from studio.evaluate.gate_text import shown_text
from studio.evaluate.job import EvaluateParams
from studio.evaluate.metrics import NO_LABELS
from studio.evaluate.types import ProbeResult
from studio.judge.agreement import How
from studio.train.types import Run
from studio.tui.dialogs.reading import Text
from studio.tui.keys import bindings
from studio.tui.live.bridge import Snapshot
from studio.tui.live.progress import EvaluateProgress
from studio.tui.live.runs import chosen_with_evaluation, is_current, measured_how
from studio.tui.live.state import Value
from studio.tui.screens import evaluate_figures as figures
from studio.tui.screens.evaluate_advice import advice, short_advice
from studio.tui.screens.evaluate_verdict import cut_told, scored_by, trial_told, undecided_told
from studio.tui.screens.gate_lines import gates_content, tally
from studio.tui.screens.job_stage import JobStage, job_state
from studio.tui.screens.label import LabelScreen
from studio.tui.screens.probe_parts import probe_line, probe_page, weakest_first
from studio.tui.screens.stage import Beside
from studio.tui.text import Part, duration, join, lines, shown
from studio.tui.widgets.layout import facts, with_bar
from studio.tui.widgets.page import Page
from studio.tui.widgets.status import Title
from studio.tui.widgets.virtual_list import VirtualList

ENTRY = "studio.evaluate.job:main"
EMPTY = "The held-out probes are listed here, the weakest reply first."
NOTHING = "not evaluated yet: s runs the held-out probes through base and tuned"


class EvaluateScreen(Beside, JobStage):
    """While the job runs it shows what was scored so far; else the newest evaluation of the newest run."""

    CSS_PATH = "evaluate.tcss"
    BINDINGS = [*bindings("job"), *bindings("evaluate")]
    SIGNS = (("9.0=", "scored by people; else by the judge"),)

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._run: Run | None = None
        self._evaluation: Evaluation | None = None
        self._is_current = False
        """Whether evaluating now would come to the same."""
        self._labels = NO_LABELS
        self._how: How | None = None
        """On which labels the judge's agreement with people was measured."""
        self._results: list[ProbeResult] = []
        self._read_for: object = None
        self._wanted = ""

    def body(self) -> ComposeResult:
        yield Title("state")
        with Container(id="evaluation"):
            yield Page(id="measures", classes="beside")
            with Container(id="probing"):
                yield VirtualList(self._draw, id="probes", empty=EMPTY, opens=True)
                yield Page(id="probe", classes="beside")

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
        self._show()

    async def _read(self) -> None:
        disk, session = self.studio.disk, self.session
        self._run, self._evaluation = await disk.read(chosen_with_evaluation, session)
        self._labels = NO_LABELS
        if self._run is not None and self._evaluation is not None:
            self._labels = await disk.read(labels_of, session.workspace, self._evaluation.run_id)
            self._evaluation = await disk.read(restate, self._evaluation, self._labels)
            self._is_current = await disk.read(is_current, session, self._run, self._evaluation)
            self._how = await disk.read(measured_how, session, self._evaluation)
        else:
            self._is_current = False
        self._show()

    @property
    def _about(self) -> Snapshot | None:
        """The job while it lives, and after that where it was about the run that is shown."""
        job = self.job
        return job if job and self._run and (job.alive or job.run_id == self._run.plan.run_id) else None

    @property
    def _said(self) -> Labels:
        """What people said of the replies that are shown."""
        return NO_LABELS if self._live is not None else self._labels

    @property
    def _live(self) -> EvaluateProgress | None:
        """The job's progress while that is newer than any evaluation."""
        job = self._about
        progress: EvaluateProgress | None = job.progress if job else None
        if progress is None or progress.finished is not None or job is None:
            return None
        older = self._evaluation is None or self._evaluation.created < job.view.request.created
        return progress if job.alive or (older and progress.results) else None

    def _show(self) -> None:
        live, evaluation = self._live, self._evaluation
        measures: list[figures.Measure] = []
        results: tuple[ProbeResult, ...] = ()
        if live is not None:
            measures, results = figures.measures_so_far(live.results), live.results
        elif evaluation is not None:
            measures, results = figures.measures(evaluation), evaluation.results
        state = self.query_one(Title)
        state.show(self._state(live, state.content_size.width), whole=True)
        self.query_one("#measures", Page).show(lambda width: _measures(measures, width), from_top=False)
        self._list(weakest_first(results, self._said))

    def _state(self, live: EvaluateProgress | None, width: int) -> Content:
        if self._run is None:
            return shown("No run was trained to its end yet: train one first (5).", "$warning")
        job = self._about
        told = join((job.run_id if job else self._run.plan.run_id, "bold"), "  ", job_state(job, NOTHING))
        if live is not None and not live.probes:
            return join(told, ", loading base and adapter" if job and job.alive else "")
        if live is not None:
            done, probes = len(live.results), live.probes
            if job is None or not job.alive:
                return join(told, f"  {done} of {probes} probes scored")
            if live.replies is not None and not live.results:
                came = live.replies
                return with_bar(join(told, f"  {came.done} of {came.replies} replies "), came.done, came.replies, width)
            eta = f"  ETA {duration(live.eta_s)}" if live.eta_s is not None else ""
            return with_bar(join(told, f"  {done} of {probes} probes "), done, probes, width, join((eta, "$quiet")))
        if self._evaluation is not None:
            return self._verdict(self._run, self._evaluation)
        return told

    def _verdict(self, run: Run, evaluation: Evaluation) -> Content:
        """The verdict and its gates; what to do; and who scored, on what."""
        changed = "" if self._is_current else "spec or judge changed: s evaluates again"
        deployed = self.session.loaded.spec.deployment.base_model
        rests_on = (scored_by(evaluation, self._how), trial_told(evaluation, deployed), cut_told(evaluation))
        fails = "" if changed else short_advice(evaluation.gates)
        todo = "; ".join(filter(None, (changed, undecided_told(evaluation), fails)))
        first = join(
            (f"{evaluation.verdict}  ", "bold"),
            tally(evaluation.gates),
            (f"  {run.plan.run_id}, {len(evaluation.results)} probes", "$quiet"),
        )
        second = join(("; ".join(filter(None, rests_on)), "$quiet"))
        return lines([first, *([join((todo, "$warning"))] if todo else []), second])

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
        result = self._result()
        said = self._said
        self.query_one("#probe", Page).show((lambda width: probe_page(result, width, said)) if result else Content(""))

    @on(VirtualList.Chosen, "#probes")
    def _open_probe(self) -> None:
        result = self._result()
        if result is not None:
            said = self._said
            self.app.push_screen(Text(f"Probe {result.probe.id}", lambda width: probe_page(result, width, said)))

    def action_start(self) -> None:
        run = self._run
        if run is None:
            self.studio.tell("no run was trained to its end yet: train one first", "warning")
            return
        if self._is_current:
            self.studio.tell("exactly this is evaluated already; another run, spec or judge is evaluated anew")
            return
        session = self.session
        params = EvaluateParams(
            spec_path=str(session.loaded.path),
            workspace=str(session.root),
            run_id=run.plan.run_id,
            settings=session.settings,
        )
        self.launch_entry(ENTRY, params)

    def action_label(self) -> None:
        """Label this run's replies; its gates follow from the labels as soon as one leaves."""
        if self.job is not None and self.job.alive:
            self.studio.tell("the evaluation runs: label its replies once it has ended")
        elif self._evaluation is None:
            self.studio.tell("there are no replies to label yet: s evaluates")
        else:
            self.app.push_screen(LabelScreen(self, self._evaluation), self._labelled)

    def _labelled(self, _: None) -> None:
        if self._evaluation is not None:
            self.run(self._restate(self._evaluation), "read", exclusive=True, keys_wait=True)

    async def _restate(self, evaluation: Evaluation) -> None:
        workspace = self.session.workspace
        self._evaluation = await self.studio.disk.write(restated, workspace, evaluation)
        self._labels = await self.studio.disk.read(labels_of, workspace, evaluation.run_id)
        self._show()
        self.studio.wake()

    def action_report(self) -> None:
        """Every gate with its note, the categories, and what it rests on."""
        evaluation = self._evaluation
        if evaluation is None:
            self.studio.tell("there is no evaluation yet")
        else:
            deployed = self.session.loaded.spec.deployment.base_model
            rests_on = scored_by(evaluation, self._how)
            shown_at = lambda width: report(evaluation, rests_on, deployed, width)  # noqa: E731
            self.app.push_screen(Text(f"Evaluation {evaluation.id}", shown_at))


def report(evaluation: Evaluation, rests_on: str, deployed: str, width: int) -> Content:
    """All of an evaluation but its single replies."""
    size = f"{evaluation.adapter_mb:.2f} MB" if evaluation.adapter_mb is not None else ""
    todo = [shown(told, "$warning") for told in (undecided_told(evaluation), advice(evaluation)) if told]
    pairs: list[tuple[str, Part]] = [
        ("run", evaluation.run_id),
        ("base", evaluation.base_model),
        ("verdict", evaluation.verdict),
        ("", trial_told(evaluation, deployed)),
        ("scored by", rests_on),
        ("probes", f"{len(evaluation.results)} in {duration(evaluation.seconds)}"),
        ("cut", cut_told(evaluation)),
        ("unscored", figures.errors_told(evaluation.base, evaluation.tuned)),
        ("adapter", size),
        ("made", f"{evaluation.created:%Y-%m-%d %H:%M} UTC"),
    ]
    return lines(
        [
            join(("Gates  ", "bold $primary"), tally(evaluation.gates)),
            gates_content(evaluation.gates, width),
            *(shown(shown_text(one), "$quiet") for one in evaluation.shown),
            *todo,
            Content(""),
            join(("Mean score by category of probes, of 10", "bold $primary")),
            figures.categories_content(evaluation, width),
            Content(""),
            figures.measures_content(figures.measures(evaluation), width),
            Content(""),
            facts(pairs, width),
        ]
    )


def _measures(found: list[figures.Measure], width: int) -> Content:
    if not found:
        return shown("Base beside tuned is shown here.", "$quiet")
    return figures.measures_content(found, width)
