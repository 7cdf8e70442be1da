"""A stage with a page beside its list, which is scrolled while the list keeps the focus."""

from __future__ import annotations

from studio.tui.keys import bindings
from studio.tui.screens.stage import StageScreen
from studio.tui.widgets.page import Page


class Beside(StageScreen):
    """The pages of the class ``beside`` are scrolled by half of what they show."""

    BINDINGS = bindings("detail")

    def action_page_down(self) -> None:
        for page in self.query(".beside").results(Page):
            page.action_half_down()

    def action_page_up(self) -> None:
        for page in self.query(".beside").results(Page):
            page.action_half_up()
