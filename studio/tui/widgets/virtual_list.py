"""A list that draws only what is visible: ready at once with a hundred thousand rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.content import Content
from textual.message import Message
from textual.strip import Strip
from textual.visual import Visual

from studio.tui.keys import bindings
from studio.tui.widgets.scrolling import Scrolling, strip_of

Draw = Callable[[int, int], Content | None]
"""``draw(index, width)``: one line, or None while the row is on its way."""


class VirtualList(Scrolling):
    """Rows by index, drawn by whoever owns it; moving the cursor repaints two lines."""

    BINDINGS = bindings("list")
    COMPONENT_CLASSES = {"list--cursor", "list--blurred"}

    @dataclass
    class Moved(Message):
        """The cursor stands on another row, or there are more or fewer rows."""

        list: VirtualList
        index: int

        @property
        def control(self) -> VirtualList:
            return self.list

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, VirtualList.Moved) and message.list is self.list

    class Chosen(Moved):
        """Enter was pressed on a row."""

        def can_replace(self, message: Message) -> bool:
            return False

    def __init__(self, draw: Draw, *, id: str | None = None, empty: str = "", opens: bool = False) -> None:
        """``opens``: whether enter on a row does something, which is then its owner's to do."""
        super().__init__(id=id)
        self._opens = opens
        self.draw = draw
        self.count = 0
        self.cursor = 0
        self.steered = False
        """Whether a key has moved the cursor."""
        self.empty = empty
        """Shown where there is no row: what to do about it."""

    def set_count(self, count: int) -> None:
        """There are this many rows now; the cursor stays where it can. Paints every visible row again."""
        self.resize_to(count)
        self.refresh()

    def resize_to(self, count: int) -> None:
        """As ``set_count``, where the rows that are there have not changed: paints those that came or went."""
        before, self.count = self.count, count
        self.set_total(count)
        if self.cursor >= count:
            self.move_to(count - 1)
        if before != count:
            self.repaint_lines(min(before, count), abs(count - before))
            self.post_message(self.Moved(self, self.cursor))
        if not count or not before:
            self.refresh()

    def move_to(self, index: int) -> None:
        """Put the cursor on a row and make it visible."""
        index = max(0, min(index, self.count - 1))
        before, self.cursor = self.cursor, index
        self._reveal()
        if before != index:
            self.repaint_lines(before)
            self.repaint_lines(index)
            self.post_message(self.Moved(self, index))

    def _reveal(self) -> None:
        """Scroll only when the cursor would leave, and then by a third, so that a key seldom repaints every row."""
        top, height = self.scroll_offset.y, self.text_height
        ahead = height // 3
        if height < 1 or top <= self.cursor < top + height:
            return
        self.to_line(self.cursor - ahead if self.cursor < top else self.cursor - height + 1 + ahead)

    def on_resize(self) -> None:
        self._reveal()

    def line(self, index: int, width: int) -> Strip:
        if index >= self.count:
            return self._empty_line(index, width)
        base, here = self.visual_style, index == self.cursor
        if here:
            base += self.get_visual_style("list--cursor" if self.has_focus else "list--blurred")
        content = self.draw(index, width - 2) or Content("…")
        row = Content.assemble("> " if here else "  ", content).truncate(width, ellipsis=True)
        return strip_of(self, row, width, base)

    def _empty_line(self, index: int, width: int) -> Strip:
        """Below the last row; where there is none, what to do about it."""
        blank = Strip.blank(width, self.visual_style.rich_style)
        if self.count or not self.empty:
            return blank
        strips = Visual.to_strips(self, Content(self.empty).stylize("$quiet"), width, None, self.visual_style, pad=True)
        return strips[index - 1] if 0 < index <= len(strips) else blank

    @property
    def position(self) -> int:
        return self.cursor

    def steer_to(self, index: int) -> None:
        self.steered = True
        self.move_to(index)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        return action != "choose" or self._opens

    def action_choose(self) -> None:
        if self.count:
            self.post_message(self.Chosen(self, self.cursor))
