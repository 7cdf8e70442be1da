"""A line or a few that say how something stands."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static

NOTHING = Content("")


class Caption(Static):
    """Repaints only where it says something else than before, and without a layout."""

    def __init__(self, content: Content = NOTHING, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(content, id=id, classes=classes)
        self._told = content

    def show(self, content: Content) -> None:
        self.tell(content)

    def tell(self, content: Content, *, layout: bool = False) -> None:
        """As ``show``; with ``layout`` where it may need more lines."""
        if not content.is_same(self._told):
            self._told = content
            self.update(content, layout=layout)
