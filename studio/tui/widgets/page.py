"""Text to read: wrapped to its width, scrolled by keys, and repainted without a layout when it changes."""

from __future__ import annotations

from collections.abc import Callable

from textual.content import Content
from textual.geometry import Size
from textual.visual import Visual

from studio.tui.widgets.reader import Reader

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
