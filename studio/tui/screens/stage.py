"""What every stage's screen is: tabs above, status and keys below, and a body of its own."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from textual.app import ComposeResult
from textual.containers import Container
from textual.css.query import NoMatches
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static
from textual.worker import Worker, WorkerError

from studio.errors import UserError
from studio.tui.keys import ACTIONS, bindings
from studio.tui.live.bridge import Snapshot
from studio.tui.studio import Studio, studio_of
from studio.tui.text import join
from studio.tui.widgets.page import Page
from studio.tui.widgets.status import FrameLine, KeyLine, NextLine, StageTabs, StatusLine

if TYPE_CHECKING:
    from studio.build import Session
    from studio.tui.live.state import Value

FLUSH_S = 0.1
OPENING_S = 15.0
"""So long do keys pressed before there is a workspace wait for it."""
KEEP_S = 5.0
"""Between two looks at whether there is something to remember: what a lost terminal may forget of cursor and filter."""
STAGE_ACTIONS = {action.action for action in ACTIONS if action.scope not in ("studio", "list", "page", "detail")}


class StageScreen(Screen[None]):
    """Subclasses write ``body`` and ``sync``; the other methods below are theirs to use or to extend."""

    BINDINGS = bindings("detail")
    SIGNS: ClassVar[Sequence[tuple[str, str]]] = ()
    """What the signs on the screen mean, for the help."""
    NEEDS_SESSION: ClassVar[bool] = True
    """Whether ``sync`` waits for the workspace; False for the spec's own screen."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._recalled: object = None
        self._flush: Timer | None = None

    def compose(self) -> ComposeResult:
        yield StageTabs()
        yield Static(classes="notice")
        with Container(classes="stage-body"):
            yield from self.body()
        yield NextLine()
        yield StatusLine()
        yield KeyLine()

    def body(self) -> ComposeResult:
        """The widgets between tabs and status line."""
        raise NotImplementedError

    def sync(self) -> None:
        """Bring what is shown up to date. Called when shown, when the job or the store moved, at most at 10 Hz."""
        raise NotImplementedError

    def recall(self, state: dict[str, Value]) -> None:
        """Take up what ``remember`` gave, once, before the first ``sync`` with a workspace."""

    def remember(self) -> dict[str, Value]:
        """What ``recall`` needs after a restart: cursor, filter, view."""
        return {}

    def back(self) -> None:
        """``escape`` with no dialog open."""

    def action_page_down(self) -> None:
        """Scroll the pages of the class ``detail`` by half of what they show, while the list keeps the focus."""
        for page in self.query(".detail").results(Page):
            page.action_half_down()

    def action_page_up(self) -> None:
        for page in self.query(".detail").results(Page):
            page.action_half_up()

    @property
    def unsaved(self) -> str:
        """What quitting would lose, in words; empty where nothing."""
        return ""

    @property
    def stage(self) -> str:
        return self.id or ""

    @property
    def studio(self) -> Studio:
        return studio_of(self)

    @property
    def session(self) -> Session:
        """The open workspace. Only to be asked once there is one, as in ``sync`` where NEEDS_SESSION."""
        assert self.studio.session is not None, "sync runs once a session is open"
        return self.studio.session

    @property
    def job(self) -> Snapshot | None:
        """This stage's newest job, alive or not."""
        return self.studio.snapshots.get(self.stage)

    @property
    def ready(self) -> bool:
        return self.is_mounted and (self.studio.session is not None or not self.NEEDS_SESSION)

    @property
    def _problem(self) -> UserError | None:
        """Why there is no workspace, or not that of the spec as it is now."""
        return self.studio.session_problem or self.studio.spec_problem

    @property
    def _waits(self) -> bool:
        """Whether the workspace is still being opened."""
        return self.NEEDS_SESSION and self.studio.session is None and self._problem is None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Before there is a workspace, a stage's own actions do nothing."""
        if action in ("page_down", "page_up"):
            return bool(self.query(".detail"))
        return self.ready or action not in STAGE_ACTIONS

    def run(
        self,
        work: Coroutine[Any, Any, object],
        group: str = "default",
        *,
        exclusive: bool = False,
        keys_wait: bool = False,
    ) -> None:
        """Run in the background; a UserError is told with its remedy. ``keys_wait``: the next key is meant for what
        ``work`` brings about."""
        worker = self.run_worker(self._told(work), group=group, exclusive=exclusive)
        if keys_wait:
            self.studio.hold_keys(worker)
            self.run_worker(self._free_keys_after(worker), group="keys")

    async def _free_keys_after(self, worker: Worker[None]) -> None:
        """From outside: one that is cancelled before its first step runs nothing of its own, not even ``finally``."""
        try:
            await worker.wait()
        except WorkerError:
            pass  # what it failed of was told already
        finally:
            self.studio.free_keys(worker)

    async def _told(self, work: Coroutine[Any, Any, object]) -> None:
        try:
            await work
        except UserError as error:
            self.studio.tell(error)
        except NoMatches:
            if self.query(KeyLine):
                raise  # else the screen is being taken down, and there is nobody to show anything to

    def refresh_soon(self) -> None:
        """Something moved: flush once, within a tenth of a second."""
        if self._flush is None:
            self._flush = self.set_timer(FLUSH_S, self._flush_now)

    def _flush_now(self) -> None:
        self._flush = None
        if self.is_attached and self.studio.active_stage is self:
            self.refresh_now()

    def on_mount(self) -> None:
        self.set_interval(KEEP_S, self.keep_memory)

    def on_screen_resume(self) -> None:
        if self._waits:
            self.studio.hold_keys(self, OPENING_S)
        self.refresh_now()

    def on_screen_suspend(self) -> None:
        self.keep_memory()

    def refresh_now(self) -> None:
        """As when the screen is shown, or the spec or the workspace was opened anew."""
        if self.ready:
            memory = self.studio.memory
            if memory is not None and self._recalled is not memory:
                self._recalled = memory
                self.recall(memory.of(self.stage))
            self.sync()
        if not self._waits:
            self.studio.free_keys(self)
        self._show_notice()
        self.refresh_bindings()
        for line in self.query(FrameLine):
            line.redraw()

    def _show_notice(self) -> None:
        """Where there is no workspace, say why in place of the body."""
        studio, problem = self.studio, self._problem
        closed = problem is not None and studio.session is None and self.NEEDS_SESSION
        self.set_class(closed, "-closed")
        if closed:
            todo = "The workspace cannot be opened. " if studio.session_problem else "Press 1 and fix the spec first. "
            self.query_one(".notice", Static).update(join((todo, "bold"), str(problem)))

    def keep_memory(self) -> None:
        """Write what ``remember`` gives, soon, if it changed. That it cannot be written is told once."""
        self.run(self._keep_memory(), "memory")

    async def _keep_memory(self) -> None:
        memory, problem = self.studio.memory, None
        if memory is None:
            return
        try:
            await self.memory_kept()
        except UserError as error:
            problem = error
            if memory.problem is None:
                self.studio.tell(error)
        memory.problem = problem

    async def memory_kept(self) -> None:
        """As ``keep_memory``, and it is on the disk afterwards."""
        memory = self.studio.memory
        if memory is None or self._recalled is not memory:
            return
        state = self.remember()
        if memory.changed(self.stage, state):
            await self.studio.disk.write(memory.keep, self.stage, state)
