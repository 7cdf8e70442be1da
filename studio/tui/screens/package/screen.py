"""Packaging: what goes in, what came out, and the proof that it works."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from studio.evaluate.types import Evaluation
from studio.package import Package, package_id, packages
from studio.package.job import PackageParams
from studio.train.types import Run
from studio.tui.keys import bindings
from studio.tui.live.bridge import Snapshot
from studio.tui.live.progress import PackageProgress
from studio.tui.live.runs import chosen_with_evaluation
from studio.tui.live.terminal import copy
from studio.tui.screens.job_stage import JobStage, job_state
from studio.tui.screens.package import parts
from studio.tui.screens.stage import Beside
from studio.tui.text import join, shown
from studio.tui.widgets.layout import with_bar
from studio.tui.widgets.page import Page
from studio.tui.widgets.status import Title
from studio.tui.widgets.virtual_list import VirtualList

if TYPE_CHECKING:
    from studio.build import Session

ENTRY = "studio.package.job:main"
EMPTY = "No package yet."
NOTHING = "not packed yet"
AGAIN = "s starts it again"


@dataclass(frozen=True)
class Found:
    """What the workspace holds for this screen."""

    run: Run | None
    evaluation: Evaluation | None
    made: tuple[Package, ...]

    def named(self, name: str) -> Package | None:
        return next((one for one in self.made if one.id == name), None)


class PackageScreen(Beside, JobStage):
    """What would be packed above, the packages below; the page is that of the package under the cursor."""

    CSS_PATH = "package.tcss"
    BINDINGS = [*bindings("job"), *bindings("package")]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._found = Found(None, None, ())
        self._read_for: object = None

    def body(self) -> ComposeResult:
        yield Title("state")
        with Container(id="packing"):
            yield Page(id="intake")
            with Container(id="made"):
                yield VirtualList(self._draw, id="packages", empty=EMPTY)
                yield Page(id="package", classes="beside")

    def on_mount(self) -> None:
        self.query_one("#packages").focus()

    def sync(self) -> None:
        marks, job = self.studio.marks, (self.job.job.id, self.job.view.state) if self.job else None
        wanted = self.session.workspace, job, marks.get("train"), marks.get("evaluate")
        if wanted != self._read_for:
            self._read_for = wanted
            self.run(self._read(), "read", exclusive=True, keys_wait=True)
        self._show_state()

    async def _read(self) -> None:
        self._found = await self.studio.disk.read(found_in, self.session)
        self._show_intake()
        made = self.query_one("#packages", VirtualList)
        made.set_count(len(self._found.made))
        made.move_to(0)
        self._moved()
        self._show_state()

    def _show_state(self) -> None:
        state = self.query_one(Title)
        state.show(self._state(state.content_size.width), whole=True)

    @property
    def _about(self) -> Snapshot | None:
        """The job while it lives, and after that where it packed what is shown as going in."""
        job, evaluation = self.job, self._found.evaluation
        return job if job and (job.alive or (evaluation and job.asked("evaluation_id") == evaluation.id)) else None

    def _state(self, width: int) -> Content:
        job, run = self._about, self._found.run
        about = job.run_id if job else run.plan.run_id if run else ""
        told = join((about or "package", "bold"), "  ", job_state(job, NOTHING, again=AGAIN))
        progress: PackageProgress | None = job.progress if job else None
        if progress is None or job is None:
            return told
        if job.alive and progress.step is not None:
            step = progress.step
            return with_bar(join(told, f"  {step.step} {step.done} of {step.total} "), step.done, step.total, width)
        if progress.finished is not None and job.view.state == "finished":
            return join(told, "  ", (progress.finished.package.path, "bold"))
        return told

    def on_resize(self) -> None:
        self._show_intake()

    def _show_intake(self) -> None:
        page, found = self.query_one("#intake", Page), self._found
        run, evaluation = found.run, found.evaluation
        if run is None:
            page.show(shown("No run was trained to its end yet: train one first (5).", "$warning"))
        else:
            made, tall = self._made_already(), self.has_class("-tall")
            self.set_class(made is not None, "-packed")
            page.show(lambda width: parts.intake_page(run, evaluation, made, width, whole=tall), from_top=False)

    def _made_already(self) -> Package | None:
        evaluation = self._found.evaluation
        return self._found.named(package_id(self.session.loaded.spec.slug, evaluation)) if evaluation else None

    @on(VirtualList.Moved, "#packages")
    def _moved(self) -> None:
        package = self._package()
        if package is None:
            self.query_one("#package", Page).show(Content(""))
        else:
            self.run(self._show_package(package), "sizes", exclusive=True)

    async def _show_package(self, package: Package) -> None:
        sizes = await self.studio.disk.read(parts.sizes_of, package)
        self.query_one("#package", Page).show(lambda width: parts.package_page(package, sizes, width))

    def _package(self) -> Package | None:
        cursor = self.query_one("#packages", VirtualList).cursor
        return self._found.made[cursor] if cursor < len(self._found.made) else None

    def _draw(self, index: int, width: int) -> Content:
        return parts.package_line(self._found.made[index], width)

    def action_start(self) -> None:
        run, evaluation, made = self._found.run, self._found.evaluation, self._made_already()
        if run is None:
            self.studio.tell("no run was trained to its end yet: train one first", "warning")
        elif evaluation is None:
            self.studio.tell("the run is not evaluated yet: evaluate it first", "warning")
        elif made is not None and made.verification.verified:
            self.studio.tell("exactly this is packed and proven already; c copies its path")
        else:
            session = self.session
            params = PackageParams(
                spec_path=str(session.loaded.path),
                workspace=str(session.root),
                run_id=run.plan.run_id,
                evaluation_id=evaluation.id,
            )
            self.launch_entry(ENTRY, params)

    def action_copy(self) -> None:
        package = self._package()
        if package is None:
            self.studio.tell("there is no package yet")
        else:
            self.run(copy(self.studio, package.path, "the path"))


def found_in(session: Session) -> Found:
    """Reads the disk."""
    return Found(*chosen_with_evaluation(session), tuple(packages(session.workspace)))
