"""The line under the tabs: how the stage stands. It takes more lines where it has a mistake to explain."""

from __future__ import annotations

from textual.content import Content
from textual.widgets import Static


class Title(Static):
    """``show(content)``: one line, cut with an ellipsis; ``whole`` gives it up to four lines instead."""

    def __init__(self) -> None:
        super().__init__(id="title", classes="title")
        self._content = Content("")

    def show(self, content: Content, *, whole: bool = False) -> None:
        if content.is_same(self._content):
            return
        self._content = content
        long = whole and content.cell_length > self.content_size.width > 0
        self.set_class(long, "-whole")
        self.update(content, layout=long)
