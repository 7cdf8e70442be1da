"""The sentences of the examples' users as frames with holes, for finding what a new request fills in."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from studio.judge.offline.slots import Slots, in_order
from studio.judge.offline.text import Text, words_of

LEAST_LITERALS = 2
"""Fixed words that a frame needs: ``explain X`` would fit far too much."""
_LOOSE = "(?: ,)? "
"""Between two words: a comma may stand there."""


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

    A hole right after another holds a phrase of its kind, for nothing else tells where it begins. Of a phrase of
    another kind (what somebody feels) every phrase of that kind will do.
    """
    words = tuple(token for token in tokens if token != ",")
    after_comma = {at - number for number, at in enumerate(at for at, token in enumerate(tokens) if token == ",")}
    parts: list[str] = []
    kinds: list[str] = []
    kept: list[bool] = []
    at = literals = 0
    for hit in slots.find(words):
        between = [_literal(word) for word in words[at : hit.start]]
        if hit.kind in carried:
            apart = [","] if kinds and not between and hit.start in after_comma else between
            parts += [*apart, "(.+?)" if apart or not kinds else f"({_any_of(slots, hit.kind)})"]
            kinds.append(hit.kind)
            kept.append(in_order(hit.words, answer))
            literals += len(between)
        else:
            parts += [*between, f"(?:{_any_of(slots, hit.kind)})"]
            literals += len(between) + len(hit.words)
        at = hit.end
    literals += len(words) - at
    if literals < LEAST_LITERALS:
        return None
    expression = _LOOSE.join([*parts, *map(_literal, words[at:])]).replace(f"{_LOOSE},{_LOOSE}", " , ")
    return Frame(re.compile(expression), tuple(kinds), tuple(kept), literals)


def _any_of(slots: Slots, kind: str) -> str:
    return "|".join(_LOOSE.join(map(_literal, phrase.split(" "))) for phrase in slots.phrases(kind))


def _literal(word: str) -> str:
    """A word as it is typed, in a hurry without its apostrophe."""
    return re.escape(word).replace("'", "'?")
