"""Drawing who talks with whom: the relation first, then two people by its law of ages; no pair twice, nobody too often.

People lie in buckets by age, each a heap by how often somebody was drawn, so that a draw costs the logarithm of the
bank and no table of all pairs is ever made (Synthetic Persona Bank precomputes n(n - 1)/2 weights).
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain

from studio.bank.person import Person
from studio.bank.talk.relations import Relation, Role, Shared, relations

AHEAD = 2
"""Draws by which somebody may be ahead of the mean of all."""
_TRIES = 60
"""Relations tried before everybody may be drawn more often than that."""
_Buckets = dict[int, list[tuple[int, float, int]]]
"""Age -> heap of uses, a random number, and whose place in the list."""


class Pairs:
    """Draws pairs from ``people`` of a known name and age. Deterministic: the same calls give the same pairs."""

    def __init__(self, people: Sequence[Person], seed: int) -> None:
        self.people = tuple(one for one in people if one.age is not None and one.name.strip())
        self._places = {person.id: place for place, person in enumerate(self.people)}
        self._uses: Counter[int] = Counter()
        self._total = 0
        self._drawn: set[frozenset[int]] = set()
        rng = random.Random(f"talk {seed}")
        self._luck = [rng.random() for _ in self.people]
        self._indexes: dict[tuple[Role, Shared], dict[str, _Buckets]] = {}

    def add(self, first: str, second: str) -> bool:
        """Count a pair that was drawn before; False where one of the two is no longer there."""
        places = self._places.get(first), self._places.get(second)
        if places[0] is None or places[1] is None:
            return False
        self._count(places[0], places[1])
        return True

    def draw(self, rng: random.Random) -> tuple[Relation, Person, Person] | None:
        """A relation by its weight, and two people for it; None where no pair is left for any."""
        for ahead in (AHEAD, None):
            most = None if ahead is None else self._total * 2 // max(1, len(self.people)) + ahead
            left = dict(relations())
            for _ in range(_TRIES):
                if not left:
                    break
                relation = rng.choices(list(left.values()), [one.weight for one in left.values()])[0]
                pair = self._pair(relation, rng, most)
                if pair is not None:
                    self._count(*pair)
                    return relation, self.people[pair[0]], self.people[pair[1]]
                del left[relation.kind]
        return None

    def _count(self, first: int, second: int) -> None:
        self._drawn.add(frozenset((first, second)))
        self._uses.update((first, second))
        self._total += 1

    def _pair(self, relation: Relation, rng: random.Random, most: int | None) -> tuple[int, int] | None:
        gap = relation.draw_gap(rng)
        youngest, oldest = relation.role("second").ages
        by_age = self._index(relation.role("first"), "").get("", {})
        whole = [heap for age, heap in by_age.items() if youngest <= age - gap <= oldest]
        aside: list[tuple[list[tuple[int, float, int]], tuple[int, float, int]]] = []
        try:
            for _ in range(_TRIES):
                first = self._least_used(whole, most)
                if first is None:
                    return None
                second = self._second(relation, first, gap, most)
                if second is not None:
                    return first, second
                for heap in whole:  # nobody is left for them: look at the next one
                    if heap and heap[0][2] == first:
                        aside.append((heap, heapq.heappop(heap)))
                        break
            return None
        finally:
            for heap, entry in aside:
                heapq.heappush(heap, entry)

    def _second(self, relation: Relation, first: int, gap: int, most: int | None) -> int | None:
        person = self.people[first]
        assert person.age is not None, "only people of a known age are drawn"
        shared = getattr(person, relation.same) if relation.same else ""
        if relation.same == "place" and not shared:
            return None
        buckets = self._index(relation.role("second"), relation.same).get(shared, {})
        _, _, least, longest = relation.gap
        for age in _outwards(person.age - gap, person.age - longest, person.age - least):
            found = self._free(buckets.get(age), first, most)
            if found is not None:
                return found
        return None

    def _free(self, heap: list[tuple[int, float, int]] | None, first: int, most: int | None) -> int | None:
        """The least used of a bucket who has not talked with ``first``."""
        if not heap:
            return None
        aside = []
        try:
            while heap:
                place = self._least_used([heap], most)
                if place is None:
                    return None
                if place != first and frozenset((place, first)) not in self._drawn:
                    return place
                aside.append(heapq.heappop(heap))
            return None
        finally:
            for entry in aside:
                heapq.heappush(heap, entry)

    def _least_used(self, heaps: Iterable[list[tuple[int, float, int]]], most: int | None) -> int | None:
        """Whoever was drawn the fewest times, first in line by luck; None where all were drawn too often."""
        best: tuple[int, float, int] | None = None
        for heap in heaps:
            while heap and heap[0][0] != self._uses[heap[0][2]]:  # drawn for another role meanwhile
                _, luck, place = heapq.heappop(heap)
                heapq.heappush(heap, (self._uses[place], luck, place))
            if heap and (best is None or heap[0] < best):
                best = heap[0]
        return None if best is None or (most is not None and best[0] > most) else best[2]

    def _index(self, role: Role, same: Shared) -> dict[str, _Buckets]:
        """What is shared -> the buckets of who fits ``role``."""
        found = self._indexes.get((role, same))
        if found is None:
            found = self._indexes[role, same] = {}
            for place, person in enumerate(self.people):
                if role.fits(person):
                    assert person.age is not None, "roles have ages"
                    shared = getattr(person, same) if same else ""
                    entry = (self._uses[place], self._luck[place], place)
                    found.setdefault(shared, {}).setdefault(person.age, []).append(entry)
            for heap in chain.from_iterable(buckets.values() for buckets in found.values()):
                heapq.heapify(heap)
        return found


def _outwards(middle: int, least: int, most: int) -> Iterator[int]:
    """``middle`` and then what is further and further from it, within the two ends."""
    for away in range(most - least + 1):
        for age in dict.fromkeys((middle - away, middle + away)):
            if least <= age <= most:
                yield age
