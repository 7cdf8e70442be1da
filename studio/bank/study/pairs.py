"""Pairs of people at given similarities: a random sample for the common ones, nearest neighbours for the rare ones.

People are embedded in chunks, in random order, until every bin is full. Within a chunk all pairs are seen, and of each
person the nearest among all before: memory grows with the people who were embedded, never with the number of pairs.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import TYPE_CHECKING

from studio.bank.person import Person, person_text
from studio.bank.study.record import Bin, Pair
from studio.embed import Embedder, Nearest

if TYPE_CHECKING:
    from studio.embed.model import Vectors

CHUNK = 256
HALF_WIDTH = 0.05
_TRIED = 8
"""Candidates of a chunk that are looked at, for each pair that is still wanted."""


class PairFinder:
    """Fills ``bins`` (centres) with ``wanted`` pairs each out of ``people``, of whom at most ``sample`` are embedded.

    What is compared is the text that a model is told (:func:`studio.bank.person.person_text`); who says the same as
    another is one with them. Nobody comes twice in a bin. Deterministic for the same people and ``seed``.
    """

    def __init__(
        self, people: Sequence[Person], embedder: Embedder, bins: Sequence[float], wanted: int, seed: int, sample: int
    ) -> None:
        different = {person_text(person): person for person in people}
        order = sorted(different.values(), key=lambda person: person.id)
        self._rng = random.Random(f"study {seed}")
        self._rng.shuffle(order)
        self._people = order[:sample]
        self._embedder, self._wanted = embedder, wanted
        self._nearest = Nearest()
        self._seen = dict.fromkeys(sorted(bins), 0)
        self._pairs: dict[float, list[Pair]] = {centre: [] for centre in self._seen}
        self._used: dict[float, set[str]] = {centre: set() for centre in self._seen}

    @property
    def compared(self) -> int:
        """How many people were embedded so far."""
        return len(self._nearest)

    @property
    def done(self) -> bool:
        full = all(len(pairs) >= self._wanted for pairs in self._pairs.values())
        return full or self.compared >= len(self._people)

    @property
    def most(self) -> int:
        """How many people there are to embed at most."""
        return len(self._people)

    @property
    def pairs(self) -> tuple[Pair, ...]:
        return tuple(pair for pairs in self._pairs.values() for pair in pairs)

    @property
    def bins(self) -> tuple[Bin, ...]:
        return tuple(
            Bin(centre=centre, seen=seen, used=len(self._pairs[centre])) for centre, seen in self._seen.items()
        )

    def step(self) -> None:
        """Embed one chunk more, and take the pairs that it brings."""
        start = self.compared
        vectors = self._embedder.embed([person_text(one) for one in self._people[start : start + CHUNK]])
        numbers, cosines = self._nearest.of(vectors)
        self._nearest.add(vectors)
        for centre in self._seen:
            self._take(centre, self._within(vectors, start, centre))
            before = [
                (start + row, int(number), float(cosine))
                for row, (number, cosine) in enumerate(zip(numbers, cosines, strict=True))
                if number >= 0 and centre - HALF_WIDTH <= cosine < centre + HALF_WIDTH
            ]
            self._seen[centre] += len(before)
            self._take(centre, before)

    def _within(self, vectors: Vectors, start: int, centre: float) -> list[tuple[int, int, float]]:
        """Some pairs of a chunk that are in a bin, in random order; all are counted."""
        import numpy as np

        products = vectors @ vectors.T
        inside = np.triu((products >= centre - HALF_WIDTH) & (products < centre + HALF_WIDTH), 1)
        rows, columns = np.nonzero(inside)
        self._seen[centre] += len(rows)
        some = self._rng.sample(range(len(rows)), min(len(rows), _TRIED * self._wanted))
        return [
            (start + int(rows[at]), start + int(columns[at]), float(products[rows[at], columns[at]])) for at in some
        ]

    def _take(self, centre: float, candidates: list[tuple[int, int, float]]) -> None:
        used, pairs = self._used[centre], self._pairs[centre]
        for one, another, cosine in candidates:
            first, second = self._people[one].id, self._people[another].id
            if len(pairs) < self._wanted and not used & {first, second}:
                used.update((first, second))
                pairs.append(Pair(first=first, second=second, similarity=round(cosine, 4), bin=centre))


def shortage(finder: PairFinder, wanted: int) -> str:
    """Which bins are not full, and what to do; empty where all are."""
    short = [f"{one.used} of {wanted} pairs at {one.centre:g}" for one in finder.bins if one.used < wanted]
    if not short:
        return ""
    few = f"of {finder.compared} people compared there are only {', '.join(short)}"
    return (
        f"{few}: a larger --sample looks at more of the bank, a larger bank holds more (close ones: studio bank "
        "relations; far ones: studio bank compose), --pairs asks for fewer"
    )
