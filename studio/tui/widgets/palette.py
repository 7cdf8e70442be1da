"""Every action that can be done here, found by typing a part of what it does."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from studio.tui.text import join
from studio.tui.widgets.found import Here
from studio.tui.widgets.pick import Pick

HIDDEN = ("studio.palette", "studio.back")


class Palette(Pick):
    """Gives the index among ``offered(actions)``."""

    def __init__(self, actions: Sequence[Here]) -> None:
        searched = [f"{one.action.label} {one.action.help} {one.action.scope}" for one in actions]
        super().__init__("what to do", searched, [_entry(one) for one in actions])


def offered(actions: Sequence[Here]) -> list[Here]:
    """Those that make sense to pick by name."""
    return [one for one in actions if one.action.id not in HIDDEN and one.action.scope not in ("list", "page")]


def _entry(here: Here) -> Content:
    return join((f"{here.keys.split(' ')[0]:>6}", "$primary bold"), "  ", here.action.help)
