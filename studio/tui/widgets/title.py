"""The line under the tabs: how the stage stands. It takes more lines where it has a mistake to explain."""

from __future__ import annotations

from textual.content import Content

from studio.tui.widgets.caption import Caption


class Title(Caption):
    """``show(content)``: one line, cut with an ellipsis; ``whole`` gives it up to four lines instead."""

    def __init__(self) -> None:
        super().__init__(id="title", classes="title")

    def show(self, content: Content, *, whole: bool = False) -> None:
        long = whole and content.cell_length > self.content_size.width > 0
        self.set_class(long, "-whole")
        self.tell(content, layout=long)
