"""Other keys for actions, as a person writes them into studio.json: which of them can be used."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from textual.binding import Binding, InvalidBinding
from textual.keys import REPLACED_KEYS, Keys, key_to_character

from studio.errors import UserError
from studio.tui.keys import ACTIONS, BY_ID, Action, name_of

_NAMED = frozenset((*(key.value for key in Keys), *REPLACED_KEYS))
_LISTED = frozenset({"studio", "list", "detail"})
PLACES = (
    *(_LISTED | {scope} for scope in ("spec", "triage")),
    *(_LISTED | {"job", scope} for scope in ("bank", "generate", "train", "evaluate", "package")),
    frozenset({"studio", "page", "job", "chat"}),
    *(frozenset({scope}) for scope in ("edit", "reply", "write", "made", "sitting")),
)
"""Scopes whose actions can be done at the same time. Where text is written, keys of everywhere give way to it,
but for those that are taken before it sees them."""


def usable(wanted: Mapping[str, str]) -> tuple[dict[str, str], list[UserError]]:
    """The part of a keymap that leaves every action a key, and what is wrong with the rest.

    A key that another action has in the same place stays that action's, unless it gets other keys too.
    """
    problems: list[UserError] = []
    taken: dict[str, tuple[str, ...]] = {}

    def refuse(id: str, message: str, remedy: str) -> None:
        problems.append(UserError(message, where=f"studio.json: settings: keys: {id}", remedy=remedy))

    for id, keys in wanted.items():
        if id not in BY_ID:
            refuse(id, "there is no such action", "studio/tui/keys/actions.py lists them")
            continue
        try:
            named = _parted(keys)
        except InvalidBinding:
            refuse(id, "it has no key", "separate several by commas")
            continue
        if unknown := [key for key in named if not _is_key(key)]:
            refuse(id, f"there is no key {unknown[0]}", "such as w, ctrl+d, f5, pagedown or question_mark")
        else:
            taken[id] = named
    while clash := next(_clashes(taken), None):
        id, key, other = clash
        refuse(id, f"{name_of(key)} is that of {other}", f"give {other} another key too")
        taken[id] = tuple(one for one in taken[id] if one != key)
        if not taken[id]:
            del taken[id]
    return {id: ",".join(keys) for id, keys in taken.items()}, problems


def _clashes(taken: Mapping[str, tuple[str, ...]]) -> Iterator[tuple[str, str, str]]:
    """Each new key, by Textual's name, that another action has in the same place; of two new ones the later."""
    for id in reversed([*taken]):
        for key in taken[id]:
            for other in ACTIONS:
                known = taken.get(other.id) or _parted(other.keys)
                if other.id != id and key in known and _together(BY_ID[id], other):
                    yield id, key, other.id


def _together(one: Action, other: Action) -> bool:
    everywhere = any(action.scope == "studio" and action.priority for action in (one, other))
    return everywhere or any({one.scope, other.scope} <= place for place in PLACES)


def _parted(keys: str) -> tuple[str, ...]:
    """Raises InvalidBinding where there is none."""
    return tuple(one.key for one in Binding.make_bindings([Binding(keys, "")]))


def _is_key(key: str) -> bool:
    name = key.rpartition("+")[2]
    return key in _NAMED or name in _NAMED or key_to_character(name) is not None
