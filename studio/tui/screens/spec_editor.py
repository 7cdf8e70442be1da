"""The spec's file in a text area, checked while one types."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.timer import Timer
from textual.widgets import TextArea

from studio.errors import UserError
from studio.files import write_atomic
from studio.tui.figures import counted
from studio.tui.keys import bindings
from studio.tui.text import join, lines
from studio.tui.widgets.dialogs import Choose, Confirm
from studio.tui.widgets.page import Page

if TYPE_CHECKING:
    from studio.spec import Problem

P = ParamSpec("P")
T = TypeVar("T")
PAUSE_S = 0.25
"""Without a key before the text is checked."""


class SpecEditor(Vertical):
    """Opens, checks and saves one file. Nothing typed is dropped without being asked."""

    BINDINGS = bindings("edit")

    class Saved(Message):
        """The file holds what the text area holds."""

    class Left(Message):
        """The editor is done with."""

    def __init__(self, id: str) -> None:
        super().__init__(id=id)
        self._path = Path()
        self._read = ""
        self._problems: tuple[Problem, ...] | None = None
        self._pause: Timer | None = None

    def compose(self) -> ComposeResult:
        area = TextArea(show_line_numbers=True, soft_wrap=False, tab_behavior="indent", id="text")
        area.cursor_blink = False
        yield area
        yield Page(id="problems")

    @property
    def area(self) -> TextArea:
        return self.query_one(TextArea)

    @property
    def changed(self) -> bool:
        """Whether there is something to lose."""
        return self.is_mounted and self.area.text != self._read

    async def open(self, path: Path) -> None:
        """Read the file, unless an edit of it is still open."""
        self.area.focus()
        if self.changed:
            return
        self._path = path
        self._read = await self._disk(_read, path)
        self.area.load_text(self._read)
        await self._check()

    @on(TextArea.Changed)
    def _typed(self) -> None:
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, self._check_soon)
        self._show_problems()

    def _check_soon(self) -> None:
        self.run_worker(self._check(), group="check", exclusive=True)

    async def _check(self) -> None:
        text = self.area.text
        problems = await self._disk(_problems, text, self._path)
        if text == self.area.text:
            self._problems = problems
            self._show_problems()

    def _show_problems(self) -> None:
        state = ("changed, not saved", "$warning") if self.changed else ("as saved", "$quiet")
        if self._problems is None:
            told: tuple[str, str] = ("checking", "$quiet")
        elif self._problems:
            told = (f"{len(self._problems)} to mend (^n goes there)", "$error")
        else:
            told = ("valid", "$success")
        found = [
            join((f"{one.line:>5} ", "$primary"), (one.key, "bold"), " ", one.message) for one in self._problems or ()
        ]
        self.query_one("#problems", Page).show(lines([join(told, "  ", state), *found]))

    def action_next_problem(self) -> None:
        """To the first problem below the cursor, or the first of all."""
        rows = [problem.line - 1 for problem in self._problems or ()]
        if rows:
            here = self.area.cursor_location[0]
            self.area.move_cursor((next((row for row in rows if row > here), rows[0]), 0), center=True)

    def action_save(self) -> None:
        self.run_worker(self._save(), group="save", exclusive=True)

    async def _save(self) -> bool:
        """Write the file, after asking where it is not valid or was changed by somebody else."""
        await self._check()
        if self._problems:
            question = f"The spec has {counted(len(self._problems), 'problem')}. Save it anyway?"
            if not await self._asked(Confirm(question, "The stages cannot use it until it is mended.")):
                return False
        if await self._disk(_read, self._path) != self._read:
            question = "The file was changed outside the window. Overwrite it?"
            if not await self._asked(Confirm(question, "What was written there since is lost.")):
                return False
        text = self.area.text
        try:
            await self._disk(write_atomic, self._path, text)
        except OSError as error:
            self.app.notify(f"not saved: {error.strerror or error}", severity="error")
            return False
        self._read = text
        self._show_problems()
        self.post_message(self.Saved())
        return True

    def action_leave(self) -> None:
        """Close, after asking what becomes of unsaved changes."""
        if not self.changed:
            self._close()
            return
        choices = {"s": "save and close", "d": "drop the changes", "escape": "go on editing"}
        self.app.push_screen(Choose("The spec has changes that are not saved.", choices), self._leave)

    def _leave(self, answer: str | None) -> None:
        if answer == "s":
            self.screen.set_focus(None)
            self.run_worker(self._save_and_close(), group="save", exclusive=True)
        elif answer == "d":
            self.area.load_text(self._read)
            self._close()

    async def _save_and_close(self) -> None:
        if await self._save():
            self._close()
        else:
            self.area.focus()

    def _close(self) -> None:
        """Without the focus, so that a key that comes before the editor is gone is not typed into it."""
        self.screen.set_focus(None)
        self.post_message(self.Left())

    async def _disk(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await asyncio.to_thread(function, *args, **kwargs)

    async def _asked(self, question: Confirm) -> bool:
        answer: bool | None = await self.app.push_screen_wait(question)
        return bool(answer)


def _problems(text: str, path: Path) -> tuple[Problem, ...]:
    from studio.spec import check

    return check(text, path)[1]


def _read(path: Path) -> str:
    """The file's text; empty where there is none yet. Undecodable bytes are shown as such and never saved over."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot be edited here: {error}", where=str(path)) from None
