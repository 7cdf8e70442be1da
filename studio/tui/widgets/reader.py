"""Lines to read, scrolled by keys: what a page and a transcript have in common."""

from __future__ import annotations

from textual.strip import Strip

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

    def action_down(self) -> None:
        self.to_line(self.scroll_offset.y + 1)

    def action_up(self) -> None:
        self.to_line(self.scroll_offset.y - 1)

    def action_first(self) -> None:
        self.to_line(0)

    def action_last(self) -> None:
        self.to_line(self.total)

    def action_half_down(self) -> None:
        self.to_line(self.scroll_offset.y + max(self.text_height // 2, 1))

    def action_half_up(self) -> None:
        self.to_line(self.scroll_offset.y - max(self.text_height // 2, 1))


def _at(strips: list[Strip], index: int) -> Strip | None:
    return strips[index] if index < len(strips) else None
