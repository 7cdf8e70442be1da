"""The line that says how a stage stands. It takes more lines where it has something to explain."""

from __future__ import annotations

from textual.content import Content

from studio.tui.text import lines
from studio.tui.widgets.caption import NOTHING, Caption


class Title(Caption):
    """``show(content)``: one line, cut with an ellipsis; ``whole`` gives it up to four lines instead."""

    def __init__(self, id: str = "title") -> None:
        super().__init__(id=id, classes="title")
        self._content, self._whole = NOTHING, False

    def show(self, content: Content, *, whole: bool = False) -> None:
        self._content, self._whole = content, whole
        width = self.content_size.width
        long = whole and width > 0 and ("\n" in content.plain or content.cell_length > width)
        self.set_class(long, "-whole")
        self.tell(lines(content.wrap(width)) if long else content, layout=long)

    def on_resize(self) -> None:
        self.show(self._content, whole=self._whole)
