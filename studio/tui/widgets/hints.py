"""The last line of a dialog: which keys it takes."""

from __future__ import annotations

from textual.content import Content

from studio.tui.text import join

CLOSE = join(("esc closes this, j and k scroll", "$quiet"))
"""Of a page to read."""


def hints(*pairs: tuple[str, str]) -> Content:
    """``enter keep   esc leave as it was``."""
    return Content("   ").join(join((key, "$primary bold"), " ", what) for key, what in pairs)
