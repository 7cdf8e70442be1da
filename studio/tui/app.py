"""The window: modes, theme, line filter, keys. What a stage shows and does is in its screen."""

from __future__ import annotations

import traceback
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib import import_module
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from rich.text import Text
from textual.filter import LineFilter

from studio.errors import UserError
from studio.files import as_seen
from studio.text.inert import inert
from studio.tui.keys import active_actions, bindings
from studio.tui.keys.ordered import OrderedKeys
from studio.tui.live.bridge import Bridge, JobMoved, LookFailed, Snapshot, StoreMoved
from studio.tui.live.threads import Disk, detached
from studio.tui.screens.stage import StageScreen
from studio.tui.stages import ENTRIES, Mark, preload
from studio.tui.text import InertLines
from studio.tui.theme import STUDIO, STUDIO_16

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from textual.notifications import SeverityLevel
    from textual.worker import Worker

    from studio.build import Session
    from studio.doctor import Environment
    from studio.llm import ModelSettings
    from studio.spec import LoadedSpec
    from studio.store import Filter
    from studio.tui.live.state import Memory

    Work = Callable[[], Coroutine[None, None, None]]

PAINTED_S = 0.02
QUITTING = "quitting"
"""The question whether to drop what is not saved; it is asked once, however often the key is pressed."""


class StudioApp(OrderedKeys):
    """One spec in one workspace."""

    TITLE = "Persona Studio"
    CSS_PATH = ["app.tcss", "screens/spec/spec.tcss"]
    """With that of the first screen, so that the first paint parses the styles once."""
    ENABLE_COMMAND_PALETTE = False
    MODES = {entry.stage: entry.open for entry in ENTRIES}
    DEFAULT_MODE = ENTRIES[0].stage
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (120, "-wide")]
    VERTICAL_BREAKPOINTS = [(0, "-short"), (40, "-tall")]
    BINDINGS = bindings("studio")

    def __init__(
        self,
        spec_path: Path,
        workspace_root: Path,
        settings: ModelSettings,
        environment: Environment,
        base: str | None = None,
    ) -> None:
        super().__init__()
        self.spec_path, self.root = spec_path, workspace_root
        self.settings, self.environment, self.base = settings, environment, base
        self.animation_level = "none"
        self.disk = Disk()
        self.loaded: LoadedSpec | None = None
        self.spec_problem: UserError | None = None
        self.session_problem: UserError | None = None
        self.session: Session | None = None
        self.memory: Memory | None = None
        self.bridge: Bridge | None = None
        self.snapshots: dict[str, Snapshot] = {}
        self.marks: dict[str, Mark] = {}
        self.next_step = ""
        self.version = 0
        self._inert_lines = InertLines()
        theme = STUDIO_16 if self.console.color_system == "standard" else STUDIO
        self.register_theme(theme)
        self.set_reactive(StudioApp.theme, theme.name)
        self.stylesheet.set_variables(self.get_css_variables())

    def get_line_filters(self) -> Sequence[LineFilter]:
        return [self._inert_lines, *super().get_line_filters()]

    def on_ready(self) -> None:
        """After the first paint: only now is anything imported or read that it did not need. The pause lets the paint
        reach the terminal: imports in a thread would hold up the thread that writes."""
        self.set_timer(PAINTED_S, lambda: self._begin(self.reopen, "default", exclusive=False))

    async def reopen(self) -> None:
        """Load the spec as it is now, and open its workspace; also after an edit of the spec."""
        opening = await self.disk.read(import_module, "studio.tui.live.session")
        try:
            loaded = await self.disk.read(opening.load, self.spec_path)
        except UserError as error:
            self.spec_problem = error
            self.marks, self.next_step = {**self.marks, "spec": "needs"}, "Next: fix the spec (1)"
        else:
            self.loaded, self.spec_problem = loaded, None
            self._session_changed()
            arguments = (loaded, self.root, self.settings, self.base, self.session)
            try:
                session, memory = await self.disk.write(opening.open_session, *arguments)
                self.environment = await self.disk.read(opening.environment_of, self.environment, session)
                self._opened(session, memory)
            except UserError as error:
                self.session_problem = error
                self.tell(error)
        self._session_changed()
        await self.disk.read(preload)
        self.set_timer(PAINTED_S, lambda: self._begin(self._measure_judge, "judge"))

    async def _measure_judge(self) -> None:
        """How far a judge that learned from labels agrees with people, once for each set of labels."""
        from studio.tui.live.session import environment_of, measure_apart, unmeasured

        if self.session is not None and unmeasured(self.environment):
            await detached(measure_apart, self.spec_path)
            self.environment = await self.disk.read(environment_of, self.environment, self.session)
            self._refresh_soon()

    def _opened(self, session: Session, memory: Memory) -> None:
        from studio.tui.keys.remap import usable

        moved = self.session is None or self.session.workspace is not session.workspace
        self.session, self.session_problem = session, None
        if moved:
            self.memory, self.snapshots = memory, {}
            keymap, problems = usable(memory.keymap)
            self.set_keymap(keymap)
            for problem in (*problems, memory.problem):
                if problem:
                    self.tell(problem)
        self.bridge = Bridge(session, self.post_message)
        self._begin(self.bridge.watch, "bridge")

    def _begin(
        self, work: Callable[[], Coroutine[None, None, None]], group: str, *, exclusive: bool = True
    ) -> Worker[None]:
        """In the background. Given as a function: of one that is cancelled before its first step nothing is left."""
        return self.run_worker(work, group=group, exclusive=exclusive)

    @property
    def active_stage(self) -> StageScreen | None:
        stack = self._screen_stacks.get(self.current_mode, [])
        return next((screen for screen in stack if isinstance(screen, StageScreen)), None)

    async def use_models(self, settings: ModelSettings) -> None:
        from studio.tui.live.session import environment_with

        if self.session is not None:
            self.settings = settings
            self.session = replace(self.session, settings=settings)
            self.environment = await detached(environment_with, self.session)
            self._session_changed()

    def _session_changed(self) -> None:
        if self.active_stage:
            self.active_stage.refresh_now()

    def _refresh_soon(self) -> None:
        if self.active_stage:
            self.active_stage.refresh_soon()

    def on_job_moved(self, message: JobMoved) -> None:
        self.snapshots = {**self.snapshots, message.snapshot.stage: message.snapshot}
        self._refresh_soon()

    def on_store_moved(self, message: StoreMoved) -> None:
        self.version = message.version
        self.marks, self.next_step = message.marks, message.next_step
        if self.spec_problem:
            self.marks, self.next_step = {**self.marks, "spec": "needs"}, "Next: fix the spec (1)"
        self._refresh_soon()

    def on_look_failed(self, message: LookFailed) -> None:
        self.tell(message.error)

    def wake(self) -> None:
        if self.bridge:
            self.bridge.wake()

    def tell(self, message: str | UserError, severity: SeverityLevel = "information") -> None:
        if isinstance(message, UserError):
            severity = "error"
        self.notify(str(message), severity=severity)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = False,
    ) -> None:
        """As Textual's, but what it shows is inert and never markup, and not what is on the screen already."""
        if all(shown.message != inert(message) for shown in self._notifications):
            super().notify(inert(message), title=inert(title), severity=severity, timeout=timeout, markup=False)

    def action_help_quit(self) -> None:
        """What Textual has for ctrl+c, which ends most programs."""
        self.tell("ctrl+q quits; jobs go on")

    async def look_at(self, example_id: str) -> None:
        from studio.tui.screens.triage.screen import TriageScreen

        await self.switch_mode("triage")
        screen = self.active_stage
        if isinstance(screen, TriageScreen):
            screen.look_at(example_id)

    async def look_through(self, wanted: Filter) -> None:
        from studio.tui.screens.triage.screen import TriageScreen

        await self.switch_mode("triage")
        screen = self.active_stage
        if isinstance(screen, TriageScreen):
            screen.look_through(wanted)

    def _fatal_error(self) -> None:
        """A fault of ours ends the window: its traceback goes to the terminal inert, and without the values."""
        error = getattr(self._exception, "error", self._exception)  # a worker's own, not that it failed
        told = "".join(traceback.format_exception(error)) if error else "unknown error"
        self._exit_renderables.append(Text(inert(told)))
        self._close_messages_no_wait()

    async def action_go(self, stage: str) -> None:
        """Awaited, so that the next key meets the screen that it was meant for."""
        await self.switch_mode(stage)

    def action_help(self) -> None:
        from studio.tui.dialogs.reading import Help

        loaded, session = self.loaded, self.session
        place = f"{loaded.spec.name}: {as_seen(self.spec_path)}" if loaded else as_seen(self.spec_path)
        kept = f", kept in {as_seen(session.workspace.folder)}" if session else ""
        self.push_screen(Help(self.screen, place + kept))

    def action_palette(self) -> None:
        from studio.tui.dialogs.pick import palette

        found = [one for one in active_actions(self.screen) if one.action.in_palette]

        def run(index: int | str | None) -> None:
            if isinstance(index, int):
                self.call_later(self.run_action, found[index].action.action, found[index].node)

        self.push_screen(palette(found), run)

    async def action_back(self) -> None:
        if len(self.screen_stack) > 1:
            await self.pop_screen()
        elif self.active_stage:
            self.active_stage.back()

    async def action_quit(self) -> None:
        """Leave once everything shown as done is on the disk. Jobs go on."""
        from studio.tui.dialogs.questions import Confirm

        screens = chain.from_iterable(self._screen_stacks.values())
        unsaved = [told for screen in screens if (told := getattr(screen, "unsaved", ""))]
        if not unsaved:
            await self._leave()
        elif not (isinstance(self.screen, Confirm) and self.screen.id == QUITTING):
            self.push_screen(Confirm(f"Quit without saving {' and '.join(unsaved)}?", id=QUITTING), self._leave_if)

    async def _leave_if(self, sure: bool | None) -> None:
        if sure:
            await self._leave()

    async def _leave(self) -> None:
        with suppress(UserError):  # at worst the cursor is forgotten
            if self.active_stage:
                await self.active_stage.memory_kept()
        await self.disk.drain()
        self.exit()

    def on_unmount(self) -> None:
        self.disk.close()
        if self.session:
            self.session.workspace.close()
