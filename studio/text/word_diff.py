"""Word diff: which words of a text were removed and which added (difflib's longest matching blocks, on words)."""

from __future__ import annotations

import re
from difflib import SequenceMatcher
from typing import NamedTuple

_PARTS = re.compile(r"\s+|\w+|[^\w\s]")
MOST_PARTS = 4000
"""Longer texts are one change: the diff would take a second."""


class Piece(NamedTuple):
    text: str
    changed: bool


def word_diff(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces; ``changed`` ones were removed from the first, or added to the second."""
    old, new = _PARTS.findall(before), _PARTS.findall(after)
    if len(old) + len(new) > MOST_PARTS:
        return [Piece(before, before != after)], [Piece(after, before != after)]
    left: list[Piece] = []
    right: list[Piece] = []
    for what, first, last, begins, ends in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        changed = what != "equal"
        if first < last:
            left.append(Piece("".join(old[first:last]), changed))
        if begins < ends:
            right.append(Piece("".join(new[begins:ends]), changed))
    return left, right
