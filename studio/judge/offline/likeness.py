"""How close a request and its reply are to the spec's own examples: does the reply do what such replies do?"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

NEAR = 0.5
"""Similarity of requests below which nothing is known of what is expected."""
CLOSE_TO_BEST, CLOSEST_TO_BEST = 0.55, 0.8
"""Shares of the best similarity from which other examples are as near, for what is done and for how it begins."""
MISPLACED_LIKE, MISPLACED_GAP, AT_HOME = 0.5, 0.35, 0.4
"""A reply is misplaced if it is this like some example's, by the gap less like those of similar requests, and not
like any of these."""


@dataclass(frozen=True)
class Pair:
    """An example's request and reply as sets of words, holes filled in by their kinds (``<task>``)."""

    scenario: str
    request: frozenset[str]
    reply: frozenset[str]
    stock_opening: bool = False
    """Whether the reply begins with a stock phrase: praise for a deed, which fits no trouble."""


@dataclass(frozen=True)
class Fit:
    """How a reply fits its request, 0..1 each: like the replies expected here, and like any reply of the spec."""

    known: float
    """How like the nearest example's request this one is."""
    expected: float
    anywhere: float
    stock_opening: bool = True
    """Whether a reply to such a request may begin with a stock phrase."""

    @property
    def misplaced(self) -> bool:
        return (
            self.known >= NEAR
            and self.anywhere >= MISPLACED_LIKE
            and self.anywhere - self.expected >= MISPLACED_GAP
            and self.expected < AT_HOME
        )


_Index = dict[str, list[tuple[int, float]]]


class Likeness:
    """Cosine similarity of word sets, each word weighed by its rarity in the examples (inverse frequency)."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        self._pairs = pairs
        counts = Counter(word for pair in pairs for word in (*pair.request, *pair.reply))
        self._total = 2 * len(pairs) + 1
        self._weights = {word: self._weight(count) for word, count in counts.items()}
        self._unknown = self._weight(0)
        self._requests = self._index([pair.request for pair in pairs])
        self._replies = self._index([pair.reply for pair in pairs])

    def fit(self, request: frozenset[str], reply: frozenset[str], scenario: str = "") -> Fit:
        """``scenario`` names the examples that show it, if there are such."""
        near_requests = self._similar(request, self._requests)
        replies = self._similar(reply, self._replies)
        if not replies:
            return Fit(0.0, 0.0, 0.0)
        labelled = bool(scenario) and any(pair.scenario == scenario for pair in self._pairs)
        known = 1.0 if labelled else max(near_requests)
        bar = CLOSE_TO_BEST * max(near_requests)
        near = {pair.scenario for pair, value in zip(self._pairs, near_requests, strict=True) if value >= bar}
        near |= {scenario} if labelled else set()
        expected = [(pair, value) for pair, value in zip(self._pairs, replies, strict=True) if pair.scenario in near]
        return Fit(
            known=known,
            expected=max((value for _, value in expected), default=0.0),
            anywhere=max(replies),
            stock_opening=known < NEAR
            or any(
                pair.stock_opening and value >= CLOSEST_TO_BEST * max(near_requests)
                for pair, value in zip(self._pairs, near_requests, strict=True)
            ),
        )

    def _similar(self, words: frozenset[str], index: _Index) -> list[float]:
        """The similarity of ``words`` to each pair's side."""
        norm = self._norm(words)
        found = [0.0] * len(self._pairs)
        for word in sorted(words & index.keys()):
            for number, share in index[word]:
                found[number] += share
        return [value / norm for value in found]

    def _index(self, sets: Sequence[frozenset[str]]) -> _Index:
        """By word: the sets that hold it, with what it adds to the similarity."""
        index: _Index = {}
        for number, words in enumerate(sets):
            norm = self._norm(words)
            for word in words:
                index.setdefault(word, []).append((number, self._weights[word] / norm))
        return index

    def _norm(self, words: Iterable[str]) -> float:
        return math.sqrt(math.fsum(self._weights.get(word, self._unknown) for word in words)) or 1.0

    def _weight(self, count: int) -> float:
        return math.log(self._total / (1 + count)) ** 2 + 0.01
