"""A conversation that grows while it is read: appended to at 12 Hz, followed only from its bottom."""

from __future__ import annotations

from collections.abc import Mapping

from textual.strip import Strip
from textual.timer import Timer
from textual.visual import Visual

from studio.chatml import Messages
from studio.tui.text import join, shown
from studio.tui.widgets.page import Reader

FLUSH_S = 0.08
STYLES = {"user": "bold", "system": "$quiet"}


class Transcript(Reader):
    """Turns of plain text, inert. Only the turns that changed are wrapped again."""

    def __init__(self, *, id: str | None = None, empty: str = "") -> None:
        super().__init__(id=id)
        self._turns: list[tuple[str, str]] = []
        self._wrapped: list[list[Strip]] = []
        self._dirty = 0
        """The first turn that is to be wrapped again."""
        self._later: Timer | None = None
        self._width = 0
        self._empty = empty

    def show(self, messages: Messages, names: Mapping[str, str] | None = None, *, to_bottom: bool = True) -> None:
        """A whole conversation in place of what was shown. ``names`` replaces the roles' own; without ``to_bottom``
        the reader stays where they are, unless that is the bottom."""
        self._turns = [((names or {}).get(one.role, one.role), one.content) for one in messages]
        self._dirty = 0
        self._flush(to_bottom=to_bottom)

    def begin(self, name: str, text: str = "") -> None:
        """Start a turn."""
        self._turns.append((name, text))
        self._soon()

    def append(self, text: str) -> None:
        """More of the last turn."""
        name, before = self._turns[-1]
        self._turns[-1] = (name, before + text)
        self._soon()

    @property
    def at_bottom(self) -> bool:
        return self.scroll_offset.y >= self.total - self.text_height

    def on_resize(self) -> None:
        if self.text_width != self._width:
            self._dirty = 0
            self._flush()

    def _soon(self) -> None:
        self._dirty = min(self._dirty, len(self._turns) - 1)
        if self._later is None:
            self._later = self.set_timer(FLUSH_S, self._flush)

    def _flush(self, *, to_bottom: bool = False) -> None:
        follows = to_bottom or self.at_bottom
        self._later, self._width = None, self.text_width
        del self._wrapped[self._dirty :]
        self._wrapped += [self._wrap(*turn) for turn in self._turns[self._dirty :]]
        self._dirty = len(self._turns)
        strips = [strip for turn in self._wrapped for strip in turn]
        self.lay(strips or self._wrap("", self._empty), top=len(strips) if follows else None)

    def _wrap(self, name: str, text: str) -> list[Strip]:
        content = join((name, STYLES.get(name, "$primary bold")), "\n", shown(text, "" if name else "$quiet"), "\n")
        return Visual.to_strips(self, content, max(self._width, 1), None, self.visual_style, pad=True)
