"""Training: the plan, the run as it goes, and the runs before it."""

from __future__ import annotations

import json
from dataclasses import replace

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from studio.build.stages import resume_training
from studio.errors import UserError
from studio.train.planning import preset_for, with_recipe
from studio.train.run import read_metrics
from studio.tui.dialogs.questions import Form, Values
from studio.tui.dialogs.reading import Text
from studio.tui.keys import bindings
from studio.tui.live.progress import TrainProgress
from studio.tui.live.runs import RunRow, run_rows
from studio.tui.live.state import Value
from studio.tui.live.threads import detached
from studio.tui.screens.job_stage import JobStage, job_failed
from studio.tui.screens.train.curve import Curve, CurveView
from studio.tui.screens.train.plan import Planned, known_run, plan_now, plan_page, recipe_note, recipe_values, train_now
from studio.tui.screens.train.runs import HEADING, job_lines, row_lines, run_line, run_page
from studio.tui.text import lines, shown
from studio.tui.widgets.page import Page
from studio.tui.widgets.status import Caption, Title
from studio.tui.widgets.virtual_list import VirtualList

RESUMABLE = ("stopped", "failed", "dead")
NO_RUN = "No run yet."
INSTALL = "the training libraries are not installed"
REMEDY = "pip install '.[train]'"


class TrainScreen(JobStage):
    """The curve is that of the job, or of the run under the cursor once one looks at another. What a person changed of
    the preset is kept in the session, for the plan, and over a restart."""

    CSS_PATH = "train.tcss"
    BINDINGS = [*bindings("job"), *bindings("train")]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._planned: Planned | UserError | None = None
        self._rows: list[RunRow] = []
        self._planned_for: object = None
        self._listed_for: object = None
        self._looked_at: RunRow | None = None
        self._curve = Curve()
        """Of that one."""

    def body(self) -> ComposeResult:
        with Container(id="training"):
            with Container(id="given"):
                yield Page(id="plan")
                with Container(id="earlier"):
                    yield Caption(HEADING, id="heading")
                    yield VirtualList(self._draw, id="runs", empty=NO_RUN, opens=True)
            with Container(id="going"):
                yield Title("state")
                yield CurveView(id="losses")

    def on_mount(self) -> None:
        self._runs.focus()

    @property
    def _runs(self) -> VirtualList:
        return self.query_one("#runs", VirtualList)

    def recall(self, state: dict[str, Value]) -> None:
        self._planned, self._rows, self._looked_at, self._curve = None, [], None, Curve()
        self._runs.set_count(0)
        self._runs.steered = False
        try:
            changes = json.loads(str(state.get("recipe") or "{}"))
            with_recipe(preset_for(self.session.base_model).recipe, changes)
        except (ValueError, TypeError, UserError):
            return
        self._change_recipe(changes)

    def remember(self) -> dict[str, Value]:
        return {"recipe": json.dumps(self.session.recipe, sort_keys=True)}

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
            self._planned = await detached(plan_now, self.session)
        except UserError as error:
            self._planned = error
        self._show_plan()

    async def _read_runs(self) -> None:
        self._rows = await self.studio.disk.read(run_rows, self.session.workspace)
        self._runs.set_count(len(self._rows))
        if not self._runs.steered:
            ids = [row.run.plan.run_id for row in self._rows]
            self._runs.move_to(ids.index(self._job_run) if self._job_run in ids else 0)
        self._show_plan()
        self._moved()

    def _show_plan(self) -> None:
        page, planned = self.query_one("#plan", Page), self._planned
        if isinstance(planned, UserError):
            title = shown("This cannot be trained yet.", "bold $warning")
            page.show(lines([title, shown(planned.message), shown(planned.remedy)]))
        elif planned is not None:
            training = self._job_run if self.job and self.job.alive else ""
            page.show(plan_page(planned, self._rows, training), from_top=False)
            self.set_class(bool(planned.plan.note or planned.stands_in_for), "-noted")

    def on_resize(self) -> None:
        if self.ready:
            self.call_after_refresh(self._show_run)

    @property
    def _job_run(self) -> str:
        """The run that the newest job is about; empty where there was none."""
        return self.job.run_id if self.job else ""

    def _show_run(self) -> None:
        """The run under the cursor; where the newest job is about that one, the job. The job too where its run is none
        of the list, and nobody looked at another."""
        row, job, state, view = self._looked_at, self.job, self.query_one(Title), self.query_one(CurveView)
        alone = not self._runs.steered and all(one.run.plan.run_id != self._job_run for one in self._rows)
        if job is not None and (row is None or self._job_run == row.run.plan.run_id or alone):
            state.show(job_lines(job, state.content_size.width), whole=job_failed(job))
            progress: TrainProgress = job.progress or TrainProgress()
            view.show(Curve(progress.points, progress.started.steps if progress.started else 0))
            return
        nothing = "nothing is training" if self.studio.environment.can_train else f"{INSTALL}: {REMEDY}"
        state.show(row_lines(row) if row else shown(nothing, "$quiet"))
        view.show(self._curve)

    @on(VirtualList.Moved, "#runs")
    def _moved(self) -> None:
        row = self._row()
        if row is not None:
            self.run(self._look_at(row), "look", exclusive=True)

    async def _look_at(self, row: RunRow) -> None:
        plan = row.run.plan
        steps = await self.studio.disk.read(read_metrics, self.session.workspace.runs_dir / plan.run_id)
        self._looked_at = row
        self._curve = Curve(tuple((one.step, one.loss) for one in steps), plan.steps, plan.run_id)
        self._show_run()

    @on(VirtualList.Chosen, "#runs")
    def _open_run(self) -> None:
        row = self._row()
        if row is not None:
            self.app.push_screen(Text(f"Run {row.run.plan.run_id}", lambda width: run_page(row, width)))

    def _row(self) -> RunRow | None:
        cursor = self._runs.cursor
        return self._rows[cursor] if cursor < len(self._rows) else None

    def _draw(self, index: int, width: int) -> Content:
        return run_line(self._rows[index], width)

    def action_edit(self) -> None:
        """Change the recipe."""
        base, given = self.session.base_model, self.session.recipe
        preset = preset_for(base).recipe
        told = recipe_values(preset)

        def changed(values: Values | None) -> None:
            if values is not None:
                recipe, kept = with_recipe(preset, values), {name: given[name] for name in given if name not in told}
                changes = {name: getattr(recipe, name) for name, text in values.items() if text != told[name]}
                self._change_recipe({**kept, **changes})
                self.keep_memory()

        now = recipe_values(with_recipe(preset, given))
        form = Form("The recipe", now, lambda values: with_recipe(preset, values), recipe_note(base))
        self.app.push_screen(form, changed)

    def _change_recipe(self, changes: dict[str, float | str]) -> None:
        if changes != self.session.recipe:
            self.studio.session = replace(self.session, recipe=changes)
            self._planned = None
            self.sync()

    def action_start(self) -> None:
        """Train the plan; where its run was begun, go on with it."""
        planned, session = self._planned, self.session
        if not self.studio.environment.can_train:
            self.studio.tell(UserError(INSTALL, remedy=REMEDY))
        elif planned is None:
            self.studio.tell("the plan is still being made; s starts it then")
        elif isinstance(planned, UserError):
            self.studio.tell(planned)
        elif (known := known_run(planned.plan, self._rows)) and known.whole:
            self.studio.tell("exactly this is trained already; change the recipe with e, or the examples")
        else:
            self._runs.steered = False
            self.launch(lambda: train_now(session))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """There is something to resume where the newest job ended before its run, and ``s`` would start another."""
        if action == "resume":
            planned = self._planned.plan.run_id if isinstance(self._planned, Planned) else ""
            if self.job is None or self.job.view.state not in RESUMABLE or self.job.run_id == planned:
                return False
        return super().check_action(action, parameters)

    def action_resume(self) -> None:
        """Go on with the newest job, also where the plan has changed since."""
        if self.job is not None:
            job, session = self.job.job, self.session
            self._runs.steered = False
            self.launch(lambda: resume_training(session, job))
