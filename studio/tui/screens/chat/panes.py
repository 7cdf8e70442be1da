"""A side's transcript, which grows while it is read, and the line in which a message is written."""

from __future__ import annotations

from dataclasses import dataclass

from textual.message import Message
from textual.strip import Strip
from textual.timer import Timer
from textual.visual import Visual
from textual.widgets import TextArea

from studio.chatml import Messages
from studio.evaluate.types import Side
from studio.tui.keys import bindings
from studio.tui.text import join, shown
from studio.tui.widgets.page import Reader

FLUSH_S = 0.08
STYLES = {"user": "bold", "system": "$quiet"}


class Transcript(Reader):
    """Turns of plain text, inert, appended to at 12 Hz and followed only from the bottom. Only the turns that changed
    are wrapped again."""

    def __init__(self, side: Side, empty: str) -> None:
        super().__init__(id=side)
        self._side, self._empty = side, empty
        self._turns: list[tuple[str, str]] = []
        self._wrapped: list[list[Strip]] = []
        self._dirty = 0
        """The first turn that is to be wrapped again."""
        self._later: Timer | None = None
        self._width = 0

    def show(self, messages: Messages, *, to_bottom: bool) -> None:
        """A whole conversation in place of what was shown; without ``to_bottom`` the reader stays where they are,
        unless that is the bottom."""
        self._turns = [(self._side if one.role == "assistant" else one.role, one.content) for one in messages]
        self._dirty = 0
        self._flush(to_bottom=to_bottom)

    def begin(self) -> None:
        """Start the side's turn."""
        self._turns.append((self._side, ""))
        self._soon()

    def append(self, text: str) -> None:
        """More of the last turn."""
        name, before = self._turns[-1]
        self._turns[-1] = (name, before + text)
        self._soon()

    def on_resize(self) -> None:
        if self.text_width != self._width:
            self._dirty = 0
            self._flush()

    def _soon(self) -> None:
        self._dirty = min(self._dirty, len(self._turns) - 1)
        if self._later is None:
            self._later = self.set_timer(FLUSH_S, self._flush)

    def _flush(self, *, to_bottom: bool = False) -> None:
        follows = to_bottom or self.scroll_offset.y >= self.total - self.text_height
        self._later, self._width = None, self.text_width
        del self._wrapped[self._dirty :]
        self._wrapped += [self._wrap(*turn) for turn in self._turns[self._dirty :]]
        self._dirty = len(self._turns)
        strips = [strip for turn in self._wrapped for strip in turn]
        self.lay(strips or self._wrap("", self._empty), top=len(strips) if follows else None)

    def _wrap(self, name: str, text: str) -> list[Strip]:
        content = join((name, STYLES.get(name, "$primary bold")), "\n", shown(text, "" if name else "$quiet"), "\n")
        return Visual.to_strips(self, content, max(self._width, 1), None, self.visual_style, pad=True)


class Composer(TextArea):
    """Posts ``Sent`` where enter is pressed; ctrl+j is a new line."""

    BINDINGS = bindings("write")

    @dataclass
    class Sent(Message):
        """Enter was pressed."""

        text: str

    def __init__(self, placeholder: str, id: str) -> None:
        super().__init__(
            id=id, placeholder=placeholder, soft_wrap=True, show_line_numbers=False, highlight_cursor_line=False
        )
        self.cursor_blink = False

    def write(self, text: str) -> None:
        """Put ``text`` there, to be gone on with."""
        self.load_text(text)
        self.move_cursor(self.document.end)

    def action_send(self) -> None:
        self.post_message(self.Sent(self.text))

    def action_newline(self) -> None:
        self.insert("\n")

    async def action_leave(self) -> None:
        await self.app.run_action("back")
