"""Which actions can be done here, by the bindings that are active: for the help and the palette."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.dom import DOMNode
from textual.screen import Screen

from studio.tui.keys import BY_ID, Action, name_of


@dataclass(frozen=True)
class Here:
    """An action, the keys that run it now (remapped ones too), and the node on which it runs."""

    action: Action
    keys: str
    node: DOMNode


def actions_here(screen: Screen[Any]) -> list[Here]:
    """The actions of this place, its own first, then those of everywhere."""
    keys: dict[str, list[str]] = {}
    nodes: dict[str, DOMNode] = {}
    for key, active in screen.active_bindings.items():
        id = active.binding.id or ""
        if id in BY_ID and active.enabled:
            keys.setdefault(id, []).append(name_of(key))
            nodes[id] = active.node
    found = [Here(BY_ID[id], " ".join(sorted(names, key=len)), nodes[id]) for id, names in keys.items()]
    order = {"detail": 1, "list": 2, "page": 2, "studio": 3}
    places = {id: place for place, id in enumerate(BY_ID)}
    return sorted(found, key=lambda here: (order.get(here.action.scope, 0), places[here.action.id]))
