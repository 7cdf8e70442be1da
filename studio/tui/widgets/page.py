"""Text to read: wrapped to its width, scrolled by keys, and repainted without a layout when it changes."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.visual import Visual

from studio.tui.keys import bindings

Shown = Content | Callable[[int], Content]
"""Content, or what makes it for a width in cells."""

NOTHING = Content("")


class Page(ScrollView, can_focus=True):
    """One piece of content in a fixed area."""

    BINDINGS = bindings("page")

    def __init__(self, content: Shown = NOTHING, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._shown: Shown = content
        self._content = Content("")
        self._strips: list[Strip] = []
        self._width = -1

    def show(self, content: Shown, *, from_top: bool = True) -> None:
        """Show ``content``; from its first line, or from where the reader is. Repaints only if it differs."""
        before = self._content
        self._shown, self._width = content, -1
        self._wrap()
        if self._content.is_same(before):
            return
        if from_top:
            self.scroll_to(y=0, animate=False)
        self.refresh()

    def on_resize(self) -> None:
        self._wrap()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._width = -1

    def _wrap(self) -> None:
        width = self.scrollable_content_region.width
        if width <= 0 or width == self._width:
            return
        self._width = width
        self._content = self._shown(width) if callable(self._shown) else self._shown
        self._strips = Visual.to_strips(self, self._content, width, None, self.visual_style, pad=True)
        self.virtual_size = Size(0, len(self._strips))

    def render_line(self, y: int) -> Strip:
        self._wrap()
        index = self.scroll_offset.y + y
        if index < len(self._strips):
            return self._strips[index]
        return Strip.blank(self.size.width, self.visual_style.rich_style)

    def action_down(self) -> None:
        self._scroll_by(1)

    def action_up(self) -> None:
        self._scroll_by(-1)

    def action_first(self) -> None:
        self.scroll_to(y=0, animate=False)

    def action_last(self) -> None:
        self.scroll_to(y=len(self._strips), animate=False)

    def action_half_down(self) -> None:
        self._scroll_by(max(self.size.height // 2, 1))

    def action_half_up(self) -> None:
        self._scroll_by(-max(self.size.height // 2, 1))

    def _scroll_by(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False)
