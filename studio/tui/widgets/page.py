"""Text to read: wrapped to its width, scrolled by keys, and repainted without a layout when it changes."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.visual import Visual

from studio.tui.keys import bindings
from studio.tui.widgets.scrolling import Scrolling


class Reader(Scrolling):
    """Draws lines that a subclass has wrapped to ``text_width``; paints only those that changed."""

    BINDINGS = bindings("page")

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._strips: list[Strip] = []

    def lay(self, strips: list[Strip], *, top: int | None = None) -> None:
        """These are the lines now, shown from ``top`` on, or from where the reader is."""
        before, scrolled = self._strips, self.scroll_offset.y
        self._strips = strips
        self.set_total(len(strips))
        if top is not None:
            self.to_line(top)
        if self.scroll_offset.y == scrolled:
            for index in range(scrolled, scrolled + self.text_height):
                if _at(before, index) != _at(strips, index):
                    self.repaint_lines(index)

    def line(self, index: int, width: int) -> Strip:
        strip = _at(self._strips, index)
        if strip is None:
            return Strip.blank(width, self.visual_style.rich_style)
        return strip.adjust_cell_length(width, self.visual_style.rich_style)


def _at(strips: list[Strip], index: int) -> Strip | None:
    return strips[index] if index < len(strips) else None


Shown = Content | Callable[[int], Content]
"""Content, or what makes it for a width in cells."""
NOTHING = Content("")


class Page(Reader):
    """One piece of content in a fixed area; with ``height: auto`` it is laid out again where it takes other lines."""

    def __init__(self, content: Shown = NOTHING, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._shown: Shown = content
        self._content = NOTHING
        self._width = -1
        self._laid_out = 0

    def show(self, content: Shown, *, from_top: bool = True) -> None:
        """Show ``content``; from its first line, or from where the reader is. Repaints only if it differs."""
        self._shown, self._width = content, -1
        self._wrap(self._content, 0 if from_top else None)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """For ``height: auto``."""
        text_width = max(width - 1, 1)
        return self._made(text_width).get_height(self.styles.get_rules(), text_width)

    def _made(self, width: int) -> Content:
        return self._shown(width) if callable(self._shown) else self._shown

    def on_resize(self) -> None:
        self._wrap()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._width = -1
        if self.is_mounted:
            self._wrap()

    def _wrap(self, before: Content | None = None, top: int | None = None) -> None:
        """Make the lines for the width there is; nothing where they are the same as ``before``."""
        width = self.text_width
        if width <= 0 or width == self._width:
            return
        self._width = width
        self._content = self._made(width)
        if before is None or not self._content.is_same(before):
            self.lay(Visual.to_strips(self, self._content, width, None, self.visual_style, pad=True), top=top)
            height = self.styles.height
            if height is not None and height.is_auto and self.total != self._laid_out:
                self._laid_out = self.total
                self.refresh(layout=True)
