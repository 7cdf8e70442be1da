"""Training: the plan, the run as it goes, and the runs before it."""

from __future__ import annotations

import json

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from studio.errors import UserError
from studio.train.metrics import read_metrics
from studio.tui.aside import aside
from studio.tui.keys import bindings
from studio.tui.memory import Value
from studio.tui.progress.train import TrainProgress
from studio.tui.runs import RunRow, run_rows
from studio.tui.screens import train_parts as parts
from studio.tui.screens.job_stage import job_state
from studio.tui.screens.planning import Planned, plan_now, train_now
from studio.tui.screens.train_curve import Curve, CurveView
from studio.tui.screens.train_recipe import Adjusting
from studio.tui.text import lines, shown
from studio.tui.widgets.caption import Caption
from studio.tui.widgets.page import Page
from studio.tui.widgets.text_dialog import Text
from studio.tui.widgets.virtual_list import VirtualList

RESUMABLE = ("stopped", "failed", "dead")
NO_RUN = "No run yet."
INSTALL = "the training libraries are not installed"


class TrainScreen(Adjusting):
    """The curve is that of the job, or of the run under the cursor once one looks at another."""

    CSS_PATH = "train.tcss"
    BINDINGS = [*bindings("job"), *bindings("train")]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._planned: Planned | UserError | None = None
        self._rows: list[RunRow] = []
        self._planned_for: object = None
        self._listed_for: object = None
        self._looked_at = Curve()

    def body(self) -> ComposeResult:
        with Container(id="training"):
            with Container(id="given"):
                yield Page(id="plan")
                yield VirtualList(self._draw, id="runs", empty=NO_RUN, opens=True)
            with Container(id="going"):
                yield Caption(id="state")
                yield CurveView(id="losses")

    def on_mount(self) -> None:
        self.query_one("#runs").focus()

    def recall(self, state: dict[str, Value]) -> None:
        """The changes to the recipe outlive the window too."""
        self._planned, self._rows, self._looked_at = None, [], Curve()
        self.query_one("#runs", VirtualList).set_count(0)
        super().recall(state)

    def recipe_changed(self) -> None:
        self._planned = None
        self.sync()

    def sync(self) -> None:
        generating = self.studio.snapshots.get("generate")
        busy = generating is not None and generating.alive
        session = self.session
        wanted = (session.loaded.hash, json.dumps(session.recipe), session.base, None if busy else self.studio.version)
        if wanted != self._planned_for:
            self._planned_for = wanted
            # A key may be about the first plan, or about that of another recipe; else the one that is shown will do.
            self.run(self._read_plan(), "plan", exclusive=True, keys_wait=self._planned is None)
        job = (self.job.view.state, self.job.job.id) if self.job else None
        listed = session.workspace, job, self.studio.marks.get("evaluate")
        if listed != self._listed_for:
            self._listed_for = listed
            self.run(self._read_runs(), "runs", exclusive=True, keys_wait=True)
        self._show_run()

    async def _read_plan(self) -> None:
        try:
            # Not among the writes: it may ask the hub for the base model.
            self._planned = await aside(plan_now, self.session)
        except UserError as error:
            self._planned = error
        self._show_plan()

    async def _read_runs(self) -> None:
        self._rows = await self.studio.disk.read(run_rows, self.session.workspace)
        self.query_one("#runs", VirtualList).set_count(len(self._rows))
        self._show_plan()
        self._moved()

    def _show_plan(self) -> None:
        page, planned = self.query_one("#plan", Page), self._planned
        if isinstance(planned, UserError):
            title = shown("This cannot be trained yet.", "bold $warning")
            page.show(lines([title, shown(planned.message), shown(planned.remedy)]))
        elif planned is not None:
            known = parts.known_run(planned.plan, self._rows)
            page.show(parts.plan_page(planned, known, self._training), from_top=False)

    def on_resize(self) -> None:
        if self.ready:
            self.call_after_refresh(self._show_run)

    @property
    def _progress(self) -> TrainProgress | None:
        progress: TrainProgress | None = self.job.progress if self.job else None
        return progress

    @property
    def _training(self) -> str:
        """The run that is trained now; empty where none is."""
        if self.job is None or not self.job.alive:
            return ""
        plan = self.job.view.request.params.get("plan")
        return str(plan.get("run_id", "")) if isinstance(plan, dict) else self.job.job.id

    def _show_run(self) -> None:
        progress, state = self._progress, self.query_one("#state", Caption)
        width = state.content_size.width
        told = [
            parts.state_line(job_state(self.job, self._nothing()), progress, width, alive=bool(self._training)),
            parts.figures_line(progress),
            parts.saved_line(progress),
        ]
        state.show(lines(told))
        self._show_curve()

    def _nothing(self) -> str:
        if not self.studio.environment.can_train:
            return f"{INSTALL}: pip install '.[train]'"
        return "nothing is training"

    def _show_curve(self) -> None:
        """That of the run under the cursor, or of the job where that is the same or nothing was looked at."""
        looked, progress = self._looked_at, self._progress
        view = self.query_one(CurveView)
        if progress is not None and looked.run_id in ("", progress.run_id):
            view.show(Curve.of(progress))
        else:
            view.show(looked, looked.run_id)

    @on(VirtualList.Moved, "#runs")
    def _moved(self) -> None:
        row = self._row()
        if row is not None:
            self.run(self._look_at(row), "look", exclusive=True)

    async def _look_at(self, row: RunRow) -> None:
        plan = row.run.plan
        steps = await self.studio.disk.read(read_metrics, self.session.workspace.runs_dir / plan.run_id)
        self._looked_at = Curve(plan.run_id, tuple((one.step, one.loss) for one in steps), plan.steps)
        self._show_curve()

    @on(VirtualList.Chosen, "#runs")
    def _chosen(self) -> None:
        row = self._row()
        if row is not None:
            self.app.push_screen(Text(f"Run {row.run.plan.run_id}", parts.run_page(row)))

    def _row(self) -> RunRow | None:
        cursor = self.query_one("#runs", VirtualList).cursor
        return self._rows[cursor] if cursor < len(self._rows) else None

    def _draw(self, index: int, width: int) -> Content:
        return parts.run_line(self._rows[index], width)

    def action_start(self) -> None:
        """Train the plan; where its run was begun, go on with it."""
        planned = self._planned
        if not self.studio.environment.can_train:
            self.studio.tell(UserError(INSTALL, remedy="pip install '.[train]'"))
        elif planned is None:
            self.studio.tell("the plan is still being made; s starts it then")
        elif isinstance(planned, UserError):
            self.studio.tell(planned)
        elif (known := parts.known_run(planned.plan, self._rows)) and known.whole:
            self.studio.tell("exactly this is trained already; change the recipe with e, or the examples")
        else:
            session = self.session
            self.query_one("#runs", VirtualList).move_to(0)
            self.launch(lambda: train_now(session))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to resume where the newest job ended before its run."""
        if action == "resume" and (self.job is None or self.job.view.state not in RESUMABLE):
            return False
        return super().check_action(action, parameters)

    def action_resume(self) -> None:
        """Go on with the newest job, also where the plan has changed since."""
        from studio.build.training import resume_training

        if self.job is not None:
            job, session = self.job.job, self.session
            self.launch(lambda: resume_training(session, job))
