"""How like two framed sentences are: the same words, in the same order, with the same things in their holes."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Collection, Sequence
from functools import lru_cache
from itertools import pairwise

from studio.judge.offline.framing import Framed, is_hole
from studio.judge.offline.text import spaced

LIKELIEST = 4
"""Sentences, of those that have the most words in common, that are compared in order."""


class Alike:
    """Compares sentences, each word weighed by its rarity in the replies of the spec's examples."""

    def __init__(self, replies: Sequence[frozenset[str]]) -> None:
        """``replies``: the words of each."""
        counts = Counter(token for reply in replies for token in reply)
        self._unknown = math.log(len(replies) + 2)
        self._weights = {token: self._unknown - math.log(1 + count) for token, count in counts.items()}
        self._of = lru_cache(maxsize=4096)(self._compared)

    def best(self, sentence: Framed, others: Collection[Framed]) -> float:
        """0..1: how like the sentence is to the one of ``others`` that is most like it."""
        if sentence in others:
            return 1.0
        likeliest = sorted(others, key=lambda other: (-self._common(sentence, other), other))[:LIKELIEST]
        return max((self._of(sentence, other) for other in likeliest), default=0.0)

    def same_words(self, first: Framed, second: Framed) -> float:
        """0..1: how much of both is common in whatever order; a part of what a hole stands for counts as the hole."""
        mine, theirs = (frozenset(token.replace("~", "") for token in sentence) for sentence in (first, second))
        return 2 * self._sum(mine & theirs) / (self._sum(mine) + self._sum(theirs) or 1.0)

    def _compared(self, first: Framed, second: Framed) -> float:
        """How much of both is common in the same order, and how many neighbours; 0 where holes changed places."""
        if _turned(first, second):
            return 0.0
        row = [0.0] * (len(second) + 1)
        for token in first:
            above, row = row, [0.0]
            weight = self._weight(token)
            for at, other in enumerate(second):
                row.append(max(row[at], above[at + 1], above[at] + weight if token == other else 0.0))
        in_order = 2 * row[-1] / (self._sum(first) + self._sum(second) or 1.0)
        mine, theirs = (Counter(pairwise(("", *sentence, ""))) for sentence in (first, second))
        alike = (in_order + 2 * (mine & theirs).total() / (mine.total() + theirs.total())) / 2
        return alike if spaced(first) else alike**2  # a character is half a word, and a word is like with both halves

    def _common(self, first: Framed, second: Framed) -> float:
        return self._sum(set(first) & set(second)) / (1 + len(second))

    def _sum(self, tokens: Collection[str]) -> float:
        return sum(map(self._weight, tokens))

    def _weight(self, token: str) -> float:
        """Rare words weigh more; a hole weighs half of an unknown word."""
        return self._unknown / 2 if is_hole(token) else self._weights.get(token, self._unknown)


def _turned(first: Framed, second: Framed) -> bool:
    """Whether the holes of one sentence stand in another order in the other, a torn one counting for each part."""
    mine, theirs = (_holes(sentence) for sentence in (first, second))
    shared = set(mine) & set(theirs)
    return [hole for hole in mine if hole in shared] != [hole for hole in theirs if hole in shared]


def _holes(sentence: Framed) -> list[str]:
    """The holes of a sentence in their order; each once, but for one of which only parts are there."""
    whole = [token for token in sentence if is_hole(token)]
    found = [token.replace("~", "") for token in whole]
    return [hole for at, hole in enumerate(found) if hole not in (found[:at] if hole in whole else found[at - 1 : at])]
