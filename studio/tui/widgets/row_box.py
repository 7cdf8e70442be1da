"""A list of examples below a rule that names its columns."""

from __future__ import annotations

from textual.containers import Container

from studio.tui.widgets.row_line import row_heading
from studio.tui.widgets.row_list import RowList


class RowBox(Container):
    """Holds a :class:`RowList`; the names stand in its upper border, so that they cost no line."""

    DEFAULT_CSS = """
    RowBox { height: 1fr; border-top: solid $rule; border-title-color: $quiet; }
    """

    def on_resize(self) -> None:
        self.border_title = row_heading(self.query_one(RowList).text_width - 2)
