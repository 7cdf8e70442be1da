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
            frame = _frame(slots, carried, tokens_of(sentence.text), answer)
            if frame is not None:
                found.setdefault(frame.expression.pattern, frame)
    return tuple(sorted(found.values(), key=lambda frame: (-frame.literals, frame.expression.pattern)))


def tokens_of(sentence: str) -> tuple[str, ...]:
    """The words of a folded sentence, with a comma for each comma or colon between them."""
    parts = [words_of(part) for part in re.split(r"[,:]\s", sentence)]
    return tuple(token for part in parts for token in (",", *part))[1:]


def _frame(slots: Slots, carried: frozenset[str], tokens: tuple[str, ...], answer: tuple[str, ...]) -> Frame | None:
    """Commas only tell holes apart that follow each other; elsewhere people write them or not.

    A hole right after another holds a phrase of its kind, for nothing else tells where it begins.
    """
    parts: list[str] = []
    kinds: list[str] = []
    kept: list[bool] = []
    at = 0
    for hit in slots.find(tokens):
        if hit.kind in carried:
            between = tokens[at : hit.start]
            parts += [","] if kinds and between == (",",) else [re.escape(token) for token in between if token != ","]
            parts.append("(.+?)" if between or not kinds else f"({'|'.join(map(re.escape, slots.phrases(hit.kind)))})")
            kinds.append(hit.kind)
            kept.append(in_order(hit.words, answer))
            at = hit.end
    parts += [re.escape(token) for token in tokens[at:] if token != ","]
    literals = sum(part[0] not in "(," for part in parts)
    if literals < LEAST_LITERALS:
        return None
    expression = "(?: ,)? ".join(parts).replace("(?: ,)? ,(?: ,)? ", " , ")
    return Frame(re.compile(expression), tuple(kinds), tuple(kept), literals)
