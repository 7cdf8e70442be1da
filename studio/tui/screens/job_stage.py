"""A stage whose work is a job: starting it, stopping it, and saying how it stands."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from textual.content import Content

from studio.errors import UserError
from studio.tui.dialogs.reading import Text
from studio.tui.live.bridge import Snapshot
from studio.tui.screens.stage import StageScreen
from studio.tui.text import duration, join

if TYPE_CHECKING:
    from pydantic import BaseModel

    from studio.jobs import Job

TICK_S = 1.0
STATE_STYLES = {"running": "$primary bold", "finished": "$success", "failed": "$error bold", "dead": "$error bold"}


class JobStage(StageScreen):
    """Starting and stopping run off the UI thread; the bridge sees the change at once and shows it."""

    _told_it_goes_on: ClassVar[bool] = False
    """Said once is enough."""

    def on_mount(self) -> None:
        self.set_interval(TICK_S, self._tick)

    def _tick(self) -> None:
        """Let the time go on of a job that says nothing, as while it loads."""
        if self.is_current and self.job is not None and self.job.alive:
            self.refresh_soon()

    def action_start(self) -> None:
        """Start or go on; asks first where there is something to ask."""
        raise NotImplementedError

    def action_stop(self) -> None:
        self.halt()

    def action_log(self) -> None:
        self.run(self._show_log(), keys_wait=True)

    async def _show_log(self) -> None:
        if self.job is None:
            self.studio.tell(f"{self.stage} has no job yet")
            return
        log = await self.studio.disk.read(self.job.job.log_tail, 200)
        self.app.push_screen(Text(f"The log of {self.job.job.id}", log or "It printed nothing.", at_end=True))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        alive = self.is_mounted and self.job is not None and self.job.alive
        fits = {"start": not alive, "use": not alive, "stop": alive}.get(action, True)
        return fits and super().check_action(action, parameters)

    def launch(self, start: Callable[[], Job]) -> None:
        """Run ``start``, which starts or resumes the stage's job."""
        if self.job and self.job.alive:
            self.studio.tell(f"{self.stage} is running already")
            return
        if self.studio.spec_problem is not None:
            self.studio.tell(UserError("the spec cannot be used as it is now", remedy="press 1 and fix it"))
            return
        if not self._told_it_goes_on:
            JobStage._told_it_goes_on = True
            self.studio.tell(f"starting {self.stage}; it runs on when the window is closed")
        self.run(self._write(start), "launch")

    def launch_entry(self, entry: str, params: BaseModel, stage: str = "") -> None:
        """Start a new job of this stage, or of another that this screen follows."""
        from studio.jobs import start

        self.launch(lambda: start(self.session.workspace.jobs_dir, stage or self.stage, entry, params))

    def halt(self) -> None:
        """Ask the job to save and end."""
        snapshot = self.job
        if snapshot is None or not snapshot.alive:
            self.studio.tell(f"{self.stage} is not running")
            return
        self.studio.tell(f"stopping {self.stage}; what is done is kept")
        self.run(self._write(snapshot.job.stop), "launch")

    async def _write(self, work: Callable[[], object]) -> None:
        await self.studio.disk.write(work)
        self.studio.wake()


def job_failed(snapshot: Snapshot | None) -> bool:
    """Whether it ended with something to read."""
    return snapshot is not None and bool(snapshot.view.error)


def job_state(snapshot: Snapshot | None, nothing: str, *, again: str = "s resumes it") -> Content:
    """``running for 1:12``, ``failed: why``, and what to do then: ``again`` and the log. ``nothing`` where there was no
    job yet."""
    if snapshot is None:
        return join((nothing, "$quiet"))
    view = snapshot.view
    told = Content("")
    if snapshot.alive and view.started:
        told = join((f" for {duration((datetime.now(UTC) - view.started).total_seconds())}", "$quiet"))
    elif view.state == "dead":
        told = join(f": killed; {again.split()[0]} resumes it, L shows its log")
    elif view.error:
        told = join(": ", view.error, (f"; {again}, L shows its log", "$quiet"))
    elif view.ended and view.started:
        told = join((f" after {duration((view.ended - view.started).total_seconds())}", "$quiet"))
    return join((view.state, STATE_STYLES.get(view.state, "bold")), told)
