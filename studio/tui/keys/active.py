"""Which actions can be done here, by the bindings that are active: for the help and the palette."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from textual.dom import DOMNode
from textual.screen import Screen

from studio.tui.keys.actions import BY_ID, Action, name_of

LAST = {"detail": 1, "list": 2, "page": 2, "studio": 3}
"""Scopes that come after those of the place itself."""


@dataclass(frozen=True)
class ActiveAction:
    """An action, the keys that run it now (remapped ones too), and the node on which it runs."""

    action: Action
    keys: str
    node: DOMNode


def active_actions(screen: Screen[Any]) -> list[ActiveAction]:
    """The actions of this place, its own first, then those of everywhere."""
    keys: dict[str, list[str]] = {}
    nodes: dict[str, DOMNode] = {}
    for key, active in screen.active_bindings.items():
        id = active.binding.id or ""
        if id in BY_ID and active.enabled:
            keys.setdefault(id, []).append(name_of(key))
            nodes[id] = active.node
    ordered = sorted((id for id in BY_ID if id in keys), key=lambda id: LAST.get(BY_ID[id].scope, 0))
    return [ActiveAction(BY_ID[id], " ".join(sorted(keys[id], key=len)), nodes[id]) for id in ordered]
