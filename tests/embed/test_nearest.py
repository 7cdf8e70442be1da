"""Exact nearest neighbours."""

from __future__ import annotations

import numpy as np

from studio.embed import DIMENSIONS, NearestVectors


def unit(seed: int) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    vector = np.random.default_rng(seed).normal(size=DIMENSIONS).astype(np.float32)
    return vector / np.linalg.norm(vector)


def test_what_is_found_is_what_a_full_comparison_finds() -> None:
    there = NearestVectors()
    for seed in range(600):
        there.add(str(seed), unit(seed))
    asked = unit(10_001)
    wanted = sorted(range(600), key=lambda seed: -float(unit(seed) @ asked))[:5]
    assert [near.id for near in there.search(asked, 5)] == [str(seed) for seed in wanted]
    assert there.search(unit(7))[0].id == "7"
    assert there.search(unit(7))[0].similarity > 0.9999


def test_what_was_removed_or_replaced_is_not_found_as_it_was() -> None:
    there = NearestVectors()
    for seed in range(5):
        there.add(str(seed), unit(seed))
    there.remove("1")
    there.remove("none")
    there.add("2", unit(99))
    assert len(there) == 4 and "1" not in there and "4" in there
    assert there.search(unit(1))[0].similarity < 0.9
    assert there.search(unit(4))[0].id == "4" and there.search(unit(99))[0].id == "2"


def test_among_nothing_nothing_is_near() -> None:
    there = NearestVectors()
    assert there.search(unit(0)) == []
    there.add("a", unit(0))
    there.remove("a")
    assert there.search(unit(0)) == []
