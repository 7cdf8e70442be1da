"""Lines to read, scrolled by keys: what a page and a transcript have in common."""

from __future__ import annotations

from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from studio.tui.keys import bindings


class Reader(ScrollView, can_focus=True):
    """Draws ``strips``, which a subclass wraps to ``text_width``."""

    BINDINGS = bindings("page")

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._strips: list[Strip] = []

    @property
    def text_width(self) -> int:
        return self.scrollable_content_region.width

    def lay(self, strips: list[Strip]) -> None:
        """These are the lines now."""
        self._strips = strips
        self.virtual_size = Size(0, len(strips))
        self.refresh()

    def render_line(self, y: int) -> Strip:
        index = self.scroll_offset.y + y
        if index < len(self._strips):
            return self._strips[index]
        return Strip.blank(self.size.width, self.visual_style.rich_style)

    def action_down(self) -> None:
        self._by(1)

    def action_up(self) -> None:
        self._by(-1)

    def action_first(self) -> None:
        self.scroll_to(y=0, animate=False, force=True)

    def action_last(self) -> None:
        self.scroll_to(y=len(self._strips), animate=False, force=True)

    def action_half_down(self) -> None:
        self._by(max(self.size.height // 2, 1))

    def action_half_up(self) -> None:
        self._by(-max(self.size.height // 2, 1))

    def _by(self, lines: int) -> None:
        self.scroll_to(y=self.scroll_offset.y + lines, animate=False, force=True)
