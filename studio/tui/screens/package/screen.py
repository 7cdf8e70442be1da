"""Packaging: what goes in, what came out, and the proof that it works."""

from __future__ import annotations

from textual import on
from textual.app import ComposeResult
from textual.containers import Container
from textual.content import Content

from studio.package import Package
from studio.package.job import PackageParams
from studio.tui.keys import bindings
from studio.tui.live.progress import PackageProgress
from studio.tui.live.terminal import copy
from studio.tui.screens.job_stage import JobStage, job_state
from studio.tui.screens.package.pages import Found, found_in, intake_page, package_line, package_page, sizes_of
from studio.tui.text import join, shown
from studio.tui.widgets.layout import with_bar
from studio.tui.widgets.page import Page
from studio.tui.widgets.status import Title
from studio.tui.widgets.virtual_list import VirtualList

ENTRY = "studio.package.job:main"
NO_RUN = "No run was trained to its end yet: train one first (5)."


class PackageScreen(JobStage):
    """What would be packed above, the packages below; the page is that of the package under the cursor."""

    CSS_PATH = "package.tcss"
    BINDINGS = [*bindings("job"), *bindings("package")]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._found = Found()
        self._read_for: object = None

    def body(self) -> ComposeResult:
        yield Title("state")
        with Container(id="packing"):
            yield Page(id="intake")
            with Container(id="made"):
                yield VirtualList(self._draw, id="packages", empty="No package yet.")
                yield Page(id="package", classes="detail")

    def on_mount(self) -> None:
        self._list.focus()

    @property
    def _list(self) -> VirtualList:
        return self.query_one("#packages", VirtualList)

    def sync(self) -> None:
        marks, job = self.studio.marks, (self.job.job.id, self.job.view.state) if self.job else None
        wanted = self.session.workspace, job, marks.get("train"), marks.get("evaluate")
        if wanted != self._read_for:
            self._read_for = wanted
            self.run(self._read(), "read", exclusive=True, keys_wait=True)
        self._show_state()

    async def _read(self) -> None:
        self._found = await self.studio.disk.read(found_in, self.session)
        self.on_resize()
        self._list.set_count(len(self._found.made))
        self._list.move_to(0)
        self._moved()
        self._show_state()

    def _show_state(self) -> None:
        state = self.query_one(Title)
        state.show(self._state(state.content_size.width), whole=True)

    def _state(self, width: int) -> Content:
        """Of the job while it lives, and after that where it packed what is shown as going in."""
        job, run, evaluation = self.job, self._found.run, self._found.evaluation
        if job and not job.alive and not (evaluation and job.asked("evaluation_id") == evaluation.id):
            job = None
        about = job.run_id if job else run.plan.run_id if run else ""
        state = job_state(job, "not packed yet", again="s starts it again")
        told = join((about or "package", "bold"), "  ", state)
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
        """Show what goes in, with as much of it as there is room for."""
        page, found, run = self.query_one("#intake", Page), self._found, self._found.run
        if run is None:
            page.show(shown(NO_RUN, "$warning"))
        else:
            tall = self.has_class("-tall")
            self.set_class(found.already is not None, "-packed")
            page.show(lambda width: intake_page(run, found, width, whole=tall), from_top=False)

    @on(VirtualList.Moved, "#packages")
    def _moved(self) -> None:
        package = self._package
        if package is None:
            self.query_one("#package", Page).show(Content(""))
        else:
            self.run(self._show_package(package), "sizes", exclusive=True)

    async def _show_package(self, package: Package) -> None:
        sizes = await self.studio.disk.read(sizes_of, package)
        self.query_one("#package", Page).show(lambda width: package_page(package, sizes, width))

    @property
    def _package(self) -> Package | None:
        """The one under the cursor."""
        cursor = self._list.cursor
        return self._found.made[cursor] if cursor < len(self._found.made) else None

    def _draw(self, index: int, width: int) -> Content:
        return package_line(self._found.made[index], width)

    def action_start(self) -> None:
        run, evaluation, already = self._found.run, self._found.evaluation, self._found.already
        if run is None:
            self.studio.tell("no run was trained to its end yet: train one first", "warning")
        elif evaluation is None:
            self.studio.tell("the run is not evaluated yet: evaluate it first", "warning")
        elif already is not None and already.verification.verified:
            self.studio.tell("exactly this is packed and proven already; c copies its path")
        else:
            spec_path, root = str(self.session.loaded.path), str(self.session.root)
            params = PackageParams(
                spec_path=spec_path, workspace=root, run_id=run.plan.run_id, evaluation_id=evaluation.id
            )
            self.launch_entry(ENTRY, params)

    def action_copy(self) -> None:
        if self._package is None:
            self.studio.tell("there is no package yet")
        else:
            self.run(copy(self.studio, self._package.path, "the path"))
