"""Whether English words stand beside words that they stand beside elsewhere: told by the small words.

A table, counted in general text, says of each two classes of words how much more often they are neighbours than by
chance (pointwise mutual information). A class is a small word, or the ending of any other. Sentences keep to the pairs
that English likes; the same words in another order do not.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

TABLE = Path(__file__).with_name("neighbours.txt")
WORST, STEP = -4.0, 0.28
"""What the letter ``a`` stands for, in nats, and the distance from one letter to the next."""
USUAL, PRIOR = 0.9, 3
"""The mean of good sentences, and the pairs that it counts for, so that a few words are not judged by one rare pair."""
ODD = -0.1
"""Mean under which a sentence is odd: 1 in 300 of general text, and 3 of 4 with their words shuffled."""

_ENDINGS = ("ing", "ed", "ly")
OTHERS = frozenset(("^", "$", ",", "0", "*", "-s", *(f"-{ending}" for ending in _ENDINGS)))
"""The classes that are no words: ends of a sentence, marks, numbers, and all other words by their endings."""
_QUOTED = re.compile(r"(?<!\w)'[^'\n]*'(?!\w)|\"[^\"\n]*\"")
_TOKEN = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*|\d[\w.,:]*|[.!?;:,()\n]")


def odd(text: str) -> bool:
    """Whether a sentence of folded text has neighbours that English sentences do not have."""
    table = _table()
    return any(_mean(sentence, table.values) < ODD for sentence in classes_of(text, table.small))


def classes_of(text: str, small: frozenset[str]) -> Iterator[list[str]]:
    """The sentences of a text as classes of words between ``^`` and ``$``. A quoted phrase is one word."""
    sentence: list[str] = []
    for token in [*_TOKEN.findall(_QUOTED.sub(" item ", text).lower()), "."]:
        if token not in ".!?;:\n":
            sentence.append(_class(token, small))
        elif sentence:
            yield ["^", *sentence, "$"]
            sentence = []


def _mean(sentence: list[str], values: Mapping[tuple[str, str], float]) -> float:
    found = [values[pair] for pair in pairwise(sentence)]
    return (sum(found) + PRIOR * USUAL) / (len(found) + PRIOR)


def _class(token: str, small: frozenset[str]) -> str:
    if token in small:
        return token
    if token in ",()":
        return ","
    if token[0].isdigit():
        return "0"
    ending = next((ending for ending in _ENDINGS if token.endswith(ending) and len(token) > len(ending) + 2), "")
    return f"-{ending}" if ending else "-s" if len(token) > 3 and re.search("[^s]s$", token) else "*"


class _Table(NamedTuple):
    small: frozenset[str]
    """The words that are classes of their own."""
    values: dict[tuple[str, str], float]


@lru_cache(maxsize=1)
def _table() -> _Table:
    rows = [line.split(" ") for line in TABLE.read_text(encoding="utf-8").splitlines()]
    values = {
        (first, second): WORST + STEP * (ord(letter) - ord("a"))
        for first, letters in rows
        for (second, _), letter in zip(rows, letters, strict=True)
    }
    return _Table(frozenset(name for name, _ in rows) - OTHERS, values)
