"""How often intervals of means from balanced draws cover, beside those of equal chances: 2,000 draws a line.

    python -m tests.bench.trust [DRAWS]

A pool of replies is drawn from a population in which the judge gives 5 / 15 / 80 % of 0 / 1 / 2, people are asked of
``n`` of them, and the truth is what people would say of the whole population. ``PASS`` and ``FAIL`` are what misses on
one side.
"""

from __future__ import annotations

import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from studio.evaluate.intervals import corrected_mean, mean
from studio.evaluate.metrics import MIN_LABELS, TRAIT
from studio.evaluate.strata import Labelled, balanced, stratified_mean

POOL = 400
SCORES = (0, 1, 2)
JUDGED = (0.05, 0.15, 0.80)


@dataclass(frozen=True)
class Population:
    """People say what the judge says in ``right`` of the replies, else anything as often."""

    right: float

    @property
    def truth(self) -> float:
        told = sum(score * share for score, share in zip(SCORES, JUDGED, strict=True))
        return self.right * told + (1 - self.right)

    def sample(self, size: int, draw: random.Random) -> list[tuple[int, float]]:
        judged = draw.choices(SCORES, JUDGED, k=size)
        return [(one, float(one if draw.random() < self.right else draw.choice(SCORES))) for one in judged]


@dataclass(frozen=True)
class Found:
    share: float
    passed: float
    failed: float
    width: float


def covers(population: Population, n: int, draws: int, pool: int = POOL, equal: bool = False) -> Found:
    """Of ``draws`` pools with ``n`` labels each. ``equal``: every reply has the same chance, as in the plain order."""
    draw = random.Random(1)
    truth, hits, over, under, width = population.truth, 0, 0, 0, 0.0
    for _ in range(draws):
        replies = population.sample(pool, draw)
        strata: dict[int, list[tuple[int, float]]] = {}
        for reply in replies:
            strata.setdefault(reply[0], []).append(reply)
        if equal:
            said, rest = replies[:n], replies[n:]
            both = [(people, float(judge)) for judge, people in said]
            few = n < MIN_LABELS
            found = (
                mean([one for one, _ in both], TRAIT)
                if few
                else corrected_mean(both, [float(judge) for judge, _ in rest], TRAIT)
            )
        else:
            taken = balanced(strata, draw)[:n]
            given = [Labelled(judge, people, float(judge)) for judge, people in taken]
            sizes = Counter(judge for judge, _ in replies)
            found = stratified_mean(given, sizes, [float(judge) for judge, _ in replies], TRAIT)
        assert found is not None
        hits += found.low <= truth <= found.high
        over += found.lower > truth
        under += found.upper < truth
        width += found.high - found.low
    return Found(hits / draws, over / draws, under / draws, width / draws)


def cases() -> Iterator[tuple[float, int, int, bool]]:
    for right in (0.9, 0.7, 0.3):
        for n, pool in ((30, 400), (50, 400), (60, 100), (100, 400)):
            for equal in (False, True):
                yield right, n, pool, equal


def main() -> None:
    draws, began = int(sys.argv[1]) if len(sys.argv) > 1 else 2000, time.process_time()
    print(f"{'draw':<10}{'right':>6}{'n':>5}{'pool':>6}{'covers':>8}{'PASS':>8}{'FAIL':>8}{'width':>8}")
    for right, n, pool, equal in cases():
        found = covers(Population(right), n, draws, pool, equal)
        name = "equal" if equal else "balanced"
        figures = f"{found.share:>8.3f}{found.passed:>8.3f}{found.failed:>8.3f}{found.width:>8.2f}"
        print(f"{name:<10}{right:>6.1f}{n:>5}{pool:>6}{figures}", flush=True)
    print(f"{draws} draws a line, {time.process_time() - began:.0f} CPU seconds")


if __name__ == "__main__":
    main()
