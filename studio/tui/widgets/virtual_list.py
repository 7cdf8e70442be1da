"""A list that draws only what is visible: ready at once with a hundred thousand rows."""

from __future__ import annotations

from collections.abc import Callable

from rich.segment import Segment
from textual.content import Content
from textual.geometry import Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from studio.tui.keys import bindings

Draw = Callable[[int, int], Content | None]
"""``draw(index, width)``: one line, or None while the row is on its way."""


class VirtualList(ScrollView, can_focus=True):
    """Rows by index. Whoever owns it sets ``draw`` and ``count``; moving the cursor repaints two lines."""

    BINDINGS = bindings("list")
    COMPONENT_CLASSES = {"list--cursor", "list--blurred"}

    class Moved(Message):
        """The cursor stands on another row."""

        def __init__(self, list_: VirtualList, index: int) -> None:
            super().__init__()
            self.list, self.index = list_, index

        @property
        def control(self) -> VirtualList:
            return self.list

        def can_replace(self, message: Message) -> bool:
            return isinstance(message, VirtualList.Moved) and message.list is self.list

    class Chosen(Moved):
        """Enter was pressed on a row."""

        def can_replace(self, message: Message) -> bool:
            return False

    def __init__(self, draw: Draw | None = None, *, id: str | None = None, empty: str = "") -> None:
        super().__init__(id=id)
        self.draw: Draw = draw or (lambda _index, _width: None)
        self.count = 0
        self.cursor = 0
        self.empty = empty
        """Shown where there is no row: what to do about it."""

    def set_count(self, count: int) -> None:
        """There are this many rows now; the cursor stays where it can."""
        if count != self.count:
            self.count = count
            self.virtual_size = Size(0, count)
        if self.cursor >= count:
            self.move_to(count - 1)
        self.refresh()

    def move_to(self, index: int) -> None:
        """Put the cursor on a row and make it visible."""
        index = max(0, min(index, self.count - 1))
        before, self.cursor = self.cursor, index
        self._reveal(index)
        if before != index:
            self.refresh_line(before)
            self.refresh_line(index)
            self.post_message(self.Moved(self, index))

    def _reveal(self, index: int) -> None:
        top, height = self.scroll_offset.y, self.scrollable_content_region.height
        if height <= 0:
            return
        if index < top:
            self.scroll_to(y=index, animate=False, force=True)
        elif index >= top + height:
            self.scroll_to(y=index - height + 1, animate=False, force=True)

    def on_resize(self) -> None:
        self._reveal(self.cursor)

    def render_line(self, y: int) -> Strip:
        width, index = self.scrollable_content_region.width, self.scroll_offset.y + y
        base = self.visual_style
        if index >= self.count:
            if self.count == 0 and self.empty:
                return self._empty_line(y, width)
            return Strip([Segment(" " * width, base.rich_style)], width)
        content = self.draw(index, width - 2) or Content("…")
        here = index == self.cursor
        if here:
            base += self.get_visual_style("list--cursor" if self.has_focus else "list--blurred")
        line = Content.assemble("> " if here else "  ", content).truncate(width, ellipsis=True)
        strips = Visual.to_strips(self, line, width, 1, base, pad=True)
        return strips[0] if strips else Strip.blank(width, base.rich_style)

    def _empty_line(self, y: int, width: int) -> Strip:
        strips = Visual.to_strips(self, Content(self.empty).stylize("$quiet"), width, None, self.visual_style, pad=True)
        return strips[y - 1] if 0 < y <= len(strips) else Strip.blank(width, self.visual_style.rich_style)

    def action_down(self) -> None:
        self.move_to(self.cursor + 1)

    def action_up(self) -> None:
        self.move_to(self.cursor - 1)

    def action_first(self) -> None:
        self.move_to(0)

    def action_last(self) -> None:
        self.move_to(self.count - 1)

    def action_half_down(self) -> None:
        self.move_to(self.cursor + max(self.size.height // 2, 1))

    def action_half_up(self) -> None:
        self.move_to(self.cursor - max(self.size.height // 2, 1))

    def action_choose(self) -> None:
        if self.count:
            self.post_message(self.Chosen(self, self.cursor))
