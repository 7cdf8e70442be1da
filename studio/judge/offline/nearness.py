"""Which of the spec's own requests are near another one."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence

Bag = frozenset[str]


class Nearness:
    """Cosine similarity of sets of words, each word weighed by its rarity (inverse frequency)."""

    def __init__(self, wordings: Sequence[Sequence[Bag]]) -> None:
        """``wordings``: of each known request, the ways to say it."""
        bags = [(number, bag) for number, group in enumerate(wordings) for bag in group]
        counts = Counter(word for _, bag in bags for word in bag)
        self._total = len(bags) + 1
        self._weights = {word: self._weight(count) for word, count in counts.items()}
        self._unknown = self._weight(0)
        self._requests = [number for number, _ in bags]
        self._count = len(wordings)
        self._index: dict[str, list[tuple[int, float]]] = {}
        for place, (_, bag) in enumerate(bags):
            norm = self._norm(bag)
            for word in bag:
                self._index.setdefault(word, []).append((place, self._weights[word] / norm))

    def of(self, bag: Bag) -> list[float]:
        """The similarity, 0..1, of ``bag`` to each of the requests, in the wording that is most like it."""
        found: dict[int, float] = {}
        for word in sorted(bag & self._index.keys()):
            for place, share in self._index[word]:
                found[place] = found.get(place, 0.0) + share
        norm, best = self._norm(bag), [0.0] * self._count
        for place, value in found.items():
            best[self._requests[place]] = max(best[self._requests[place]], value / norm)
        return best

    def _norm(self, words: Iterable[str]) -> float:
        return math.sqrt(math.fsum(self._weights.get(word, self._unknown) for word in words)) or 1.0

    def _weight(self, count: int) -> float:
        return math.log(self._total / (1 + count)) ** 2 + 0.01
