"""The sentences of the examples' users as frames with holes, for finding what a new request fills in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from studio.judge.offline.slots import Slots, in_order
from studio.judge.offline.text import Text, words_of

LEAST_LITERALS = 2
"""Fixed words that a frame needs: ``explain X`` would fit far too much."""


@dataclass(frozen=True)
class Frame:
    """A sentence of an example's user with holes where phrases of a carried kind stood: ``i need to * by *``."""

    expression: re.Pattern[str]
    kinds: tuple[str, ...]
    kept: tuple[bool, ...]
    """Of each hole, whether the example's reply carries it over."""
    literals: int


def frames_of(slots: Slots, carried: frozenset[str], turns: Sequence[tuple[str, str]]) -> tuple[Frame, ...]:
    """The frames of all sentences that users say in the examples, the most specific first."""
    found: dict[str, Frame] = {}
    for request, reply in turns:
        answer = words_of(reply)
        for sentence in Text(request).sentences:
            frame = _frame(slots, carried, sentence.words, answer)
            if frame is not None:
                found.setdefault(frame.expression.pattern, frame)
    return tuple(sorted(found.values(), key=lambda frame: (-frame.literals, frame.expression.pattern)))


def _frame(slots: Slots, carried: frozenset[str], words: tuple[str, ...], answer: tuple[str, ...]) -> Frame | None:
    parts: list[str] = []
    kinds: list[str] = []
    kept: list[bool] = []
    at = 0
    for hit in slots.find(words):
        if hit.kind in carried:
            parts += [re.escape(word) for word in words[at : hit.start]]
            parts.append("(.+?)")
            kinds.append(hit.kind)
            kept.append(in_order(hit.words, answer))
            at = hit.end
    parts += [re.escape(word) for word in words[at:]]
    literals = len(parts) - len(kinds)
    if literals < LEAST_LITERALS:
        return None
    return Frame(re.compile(" ".join(parts)), tuple(kinds), tuple(kept), literals)
