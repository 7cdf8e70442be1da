"""The spec's file in a text area, checked while one types."""

from __future__ import annotations

import stat
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.timer import Timer
from textual.widgets import TextArea

from studio.errors import UserError
from studio.files import write_atomic
from studio.tui.dialogs.questions import Choose, Confirm
from studio.tui.keys import bindings
from studio.tui.live.state import Draft, drop_draft, find_draft, keep_draft
from studio.tui.text import counted, join, lines
from studio.tui.widgets.page import Page

if TYPE_CHECKING:
    from studio.spec import Problem
    from studio.tui.screens.stage import StageScreen

PAUSE_S = 0.25
"""Without a key before the text is checked."""
DRAFT_S = 3.0
"""Between two looks at whether there is something new to keep: what a lost window may lose of what was typed."""
DRAFT_CHOICES = {"y": "go on with the draft", "d": "drop it, and edit the file as it is", "escape": "not now"}
LEAVE_CHOICES = {"s": "save and close", "d": "drop the changes", "escape": "go on editing"}


class SpecEditor(Vertical):
    """Opens, checks and saves one file. Nothing typed is dropped without being asked."""

    BINDINGS = bindings("edit")

    def __init__(self, stage: StageScreen, *, saved: Callable[[], None], closed: Callable[[], None], id: str) -> None:
        """``saved`` is called when the file holds what the text area holds, ``closed`` when the editor is done with."""
        super().__init__(id=id)
        self._stage, self._studio, self._disk = stage, stage.studio, stage.studio.disk
        self._after_save, self._after_close = saved, closed
        self.area = TextArea(show_line_numbers=True, soft_wrap=True, tab_behavior="indent", id="text")
        self.area.cursor_blink = False
        self._page = Page(id="problems")
        self._path = Path()
        self._read = ""
        """What the file held when it was read or written here."""
        self._clean = ""
        """The same as the text area has it: with one kind of line ends."""
        self._drafted: str | None = None
        """The text of the draft that is on the disk."""
        self._draft_problem = ""
        self._saving = False
        self._problems: tuple[Problem, ...] | None = None
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        yield self.area
        yield self._page

    def on_mount(self) -> None:
        self.set_interval(DRAFT_S, lambda: self._stage.run(self._keep_draft(), "draft"))

    @property
    def changed(self) -> bool:
        """Whether there is something to lose."""
        return self.area.text != self._clean

    async def open(self, path: Path) -> Draft | None:
        """Read the file, unless an edit of it is still open; a draft of it that was never saved comes back.

        Raises UserError for one that cannot be edited here.
        """
        if self.changed:
            return None
        self._read, self._path = await self._disk.read(_read, path), path
        self._load()
        draft = await self._disk.read(find_draft, self._studio.root, path)
        await self._check()
        self._drafted = draft.text if draft else None
        return draft if draft and draft.text != self.area.text else None

    def _load(self) -> None:
        self.area.load_text(self._read)
        self._clean = self.area.text

    async def offer(self, draft: Draft) -> None:
        """Ask what becomes of a draft of the file that was opened."""

        def take(answer: str | None) -> None:
            if answer == "y":
                self.area.load_text(draft.text)
            elif answer == "d":
                self._stage.run(self._drop_draft(), "draft")
            else:
                self._close()

        await self.app.push_screen(Choose(draft.told, DRAFT_CHOICES), take)

    async def _keep_draft(self) -> None:
        """Nothing where there is nothing new. What cannot be kept is told once."""
        text = self.area.text
        if self._saving or not self.changed or text == self._drafted:
            return
        self._drafted = text
        try:
            await self._disk.write(keep_draft, self._studio.root, self._path, text)
            self._draft_problem = ""
        except UserError as error:
            known, self._draft_problem = self._draft_problem, str(error)
            if known != str(error):
                raise

    async def _drop_draft(self) -> None:
        self._drafted = None
        await self._disk.write(drop_draft, self._studio.root, self._path)

    @on(TextArea.Changed)
    def _typed(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, lambda: self._stage.run(self._check(), "check", exclusive=True))
        self._show_problems()

    async def _check(self) -> tuple[Problem, ...]:
        from studio.spec import check

        text = self.area.text
        _, problems = await self._disk.read(check, text, self._path)
        if text == self.area.text:
            self._problems = problems
            self._show_problems()
        return problems

    def _show_problems(self) -> None:
        state = ("changed, not saved", "$warning") if self.changed else ("as saved", "$quiet")
        if self._problems is None:
            told = "checking", "$quiet"
        elif self._problems:
            told = f"{counted(len(self._problems), 'error')} (^n goes there)", "$error"
        else:
            told = "valid", "$success"
        found = (
            join((f"{one.line:>5} ", "$primary"), (one.key, "bold"), " ", one.message) for one in self._problems or ()
        )
        self._page.show(lines([join(told, "  ", state), *found]))

    def action_next_problem(self) -> None:
        """To the first problem below the cursor, or the first of all."""
        rows = [problem.line - 1 for problem in self._problems or ()]
        if rows:
            here = self.area.cursor_location[0]
            self.area.move_cursor((next((row for row in rows if row > here), rows[0]), 0), center=True)

    def action_save(self, *, close: bool = False) -> None:
        """One save at a time. The keys after it are meant for what it leaves: they wait."""
        if not self._saving:
            self._saving = True
            self._studio.hold_keys(self)
            self._stage.run(self._save(close), "save")

    async def _save(self, close: bool) -> None:
        saved = False
        try:
            saved = await self._saved()
        finally:
            if close and saved:
                self._close()
            elif close:
                self.area.focus()
            self._saving = False
            self._studio.free_keys(self)

    async def _saved(self) -> bool:
        """Write the file, after asking where it is not valid or was changed by somebody else. Raises UserError."""
        text = self.area.text
        if problems := await self._check():
            question = f"The spec has {counted(len(problems), 'problem')}. Save it anyway?"
            if not await self._asked(question, "The stages cannot use it until it is fixed."):
                return False
        if await self._disk.read(_read, self._path) != self._read:
            question = "The file was changed outside the window. Overwrite it?"
            if not await self._asked(question, "What was written there since is lost."):
                return False
        await self._disk.write(_write, self._path, text)
        self._read = self._clean = text
        self._show_problems()
        await self._drop_draft()
        self._after_save()
        return True

    async def _asked(self, question: str, consequence: str) -> bool:
        """The keys are the question's until it is answered."""
        self._studio.free_keys(self)
        answer: bool | None = await self.app.push_screen_wait(Confirm(question, consequence))
        self._studio.hold_keys(self)
        return bool(answer)

    def action_leave(self) -> None:
        """Close, after asking what becomes of unsaved changes."""
        if self.changed:
            self.app.push_screen(Choose("The spec has changes that are not saved.", LEAVE_CHOICES), self._leave)
        else:
            self._close()

    def _leave(self, answer: str | None) -> None:
        if answer == "s":
            self.screen.set_focus(None)
            self.action_save(close=True)
        elif answer == "d":
            self._load()
            self._stage.run(self._drop_draft(), "draft")
            self._close()

    def _close(self) -> None:
        """Without the focus, so that a key that comes before the editor is gone is not typed into it."""
        self.screen.set_focus(None)
        self._after_close()


def _read(path: Path) -> str:
    """The file's text; empty where there is none yet. Raises UserError for what is no text, so that it is never saved
    over."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror or error}", where=str(path)) from None
    except UnicodeDecodeError:
        raise UserError("is not UTF-8 text", where=str(path), remedy="convert it, or edit it with E") from None


def _write(path: Path, text: str) -> None:
    """A link stays a link, and the file keeps its mode. Raises UserError."""
    target = path.resolve()
    try:
        mode = stat.S_IMODE(target.stat().st_mode) if target.exists() else 0o644
        write_atomic(target, text, mode=mode)
    except OSError as error:
        raise UserError(f"not saved: {error.strerror or error}", where=str(path)) from None
