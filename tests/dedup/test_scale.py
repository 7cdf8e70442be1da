"""Near-duplicates at scale: the same answer as one by one, whatever the parts, and what is missing is told."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from studio.dedup import NearDuplicates, shingles
from studio.dedup import pairs as module
from studio.dedup.minhash import Signer
from studio.dedup.pairs import candidates, first_stays, similarity
from studio.errors import UserError
from tests.dedup.similarity import jaccard

needs_daft = pytest.mark.skipif(find_spec("daft") is None, reason="daft is not installed")
WORDS = [f"w{number}" for number in range(400)]
Found = list[tuple[int, int, float]]


def texts(count: int, seed: int = 3) -> list[str]:
    """A third of them say again an earlier one: exactly, in another order, or with a word or more replaced."""
    draw = random.Random(seed)
    made = ["", "?!"]
    while len(made) < count:
        words = draw.choices(WORDS, k=draw.randint(4, 30))
        if draw.random() < 1 / 3 and len(made) > 50:
            words = draw.choice(made[2:]).split()
            for _ in range(draw.choice((0, 0, 1, 1, 2, 5))):
                words[draw.randrange(len(words))] = draw.choice(WORDS)
            draw.shuffle(words)
        made.append(" ".join(words))
    return made


def one_by_one(said: Sequence[str], threshold: float) -> Found:
    index, found = NearDuplicates(threshold), []
    for number, text in enumerate(said):
        twin = index.duplicate_of(text)
        if twin is None:
            index.add(f"{number}", text)
        else:
            found.append((number, int(twin[0]), round(twin[1], 9)))
    return found


def read(part: Sequence[tuple[int, str | None]]) -> Iterator[tuple[int, str | None]]:
    yield from part


def in_parts(said: Sequence[str | None], size: int) -> list[list[tuple[int, str | None]]]:
    numbered = list(enumerate(said))
    return [numbered[start : start + size] for start in range(0, len(said), size)]


@needs_daft
@pytest.mark.parametrize(("threshold", "size"), [(0.9, 4000), (0.9, 700), (0.5, 900)])
def test_daft_finds_the_same_as_one_by_one_whatever_the_parts(threshold: float, size: int) -> None:
    from studio.dedup.scale import near_duplicates

    said = texts(4000)
    found = near_duplicates(in_parts(said, size), read, threshold)
    told = zip(found.gone.tolist(), found.twins.tolist(), found.similarity.round(9).tolist(), strict=True)
    assert list(told) == one_by_one(said, threshold)
    assert found.records == 4000 and not len(found.unreadable) and not found.crowds
    assert len(found.gone) > 400


@needs_daft
def test_records_that_are_unreadable_or_empty_are_like_no_other() -> None:
    from studio.dedup.scale import near_duplicates

    found = near_duplicates(in_parts([None, "", "a b c d", "", None, "A, b; C d!"], 2), read, 0.9)
    assert (found.records, found.unreadable.tolist()) == (6, [0, 4])
    assert (found.gone.tolist(), found.twins.tolist()) == ([5], [2])
    nobody = near_duplicates([[]], read, 0.9)
    assert (nobody.records, len(nobody.gone)) == (0, 0)


@needs_daft
def test_a_cluster_that_is_not_there_is_told_and_an_engine_stays_what_it_is() -> None:
    from studio.dedup.scale import near_duplicates

    if find_spec("ray") is None:
        with pytest.raises(UserError, match="ray is not installed"):
            near_duplicates([[]], read, 0.9, ray="local")
        return
    code = "from studio.dedup.scale import near_duplicates\nnear_duplicates([[]], iter, 0.9, ray='127.0.0.1:1')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert "UserError" in done.stderr and "no Ray cluster there" in done.stderr.splitlines()[-1]


def test_without_daft_the_command_that_installs_it_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from studio.dedup import scale

    monkeypatch.setattr(scale, "find_spec", lambda name: None)
    with pytest.raises(UserError) as told:
        scale.near_duplicates([[]], read, 0.9, ray="local")
    assert str(told.value) == "--engine daft: daft and ray are not installed (pip install 'persona-studio[scale]')"


def test_a_batch_is_signed_as_texts_one_by_one_by_datasketch() -> None:
    from datasketch import MinHash

    said = [*texts(700), "私は山田です", "I'm here. I'm here."]
    signer = Signer(0.9, shingles)
    together = signer(said)
    for place in (0, 1, 2, 511, 512, 513, 700, 701):
        alone = signer([said[place]])
        assert together.packed(place) == alone.packed(0)
    assert together.packed(0) == b""
    own = together.pieces[together.starts[5] : together.starts[6]]
    sketch = MinHash(num_perm=128, hashfunc=int, scheme="affine32")
    sketch.update_batch(own.tolist())
    assert signer.least(own, np.array([0])).tolist() == [sketch.hashvalues.tolist()]


def columns(*rows: tuple[int, int, int]) -> list[Column]:
    """Key, whole set and number of each."""
    kinds = (np.uint64, np.uint64, np.int64)
    return [Column(np.array(one, kind)) for one, kind in zip(zip(*rows, strict=True), kinds, strict=True)]


class Column:
    def __init__(self, values: Any) -> None:
        self.values = values

    def to_arrow(self) -> Any:
        import pyarrow

        return pyarrow.array(self.values)


def test_of_equal_sets_only_the_first_is_compared_with_others() -> None:
    # Key 7 is shared by records 1 (set 50), 2 (set 50 again), 4 (set 60), 9 (set 70); key 50 is that of the set itself.
    rows = [(7, 70, 9), (7, 50, 2), (7, 50, 1), (50, 50, 2), (50, 50, 1), (7, 60, 4), (8, 60, 4), (8, 70, 9), (3, 1, 6)]
    found = candidates(*columns(*rows)).to_pylist()
    assert [(one["first"], one["second"]) for one in found] == [(1, 2), (1, 4), (1, 9), (4, 9)]
    assert candidates(*columns((3, 1, 6))).to_pylist() == []


def test_in_a_crowd_each_is_compared_with_the_first_only_and_that_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "CROWD", 3)
    found = candidates(*columns(*((9, 100 + number, number) for number in range(6)))).to_pylist()
    pairs = [(one["first"], one["second"]) for one in found]
    assert pairs[0] == (-1, 4) and pairs[1:] == sorted((a, b) for a in range(3) for b in range(a + 1, 6))


def test_similarity_is_exact() -> None:
    said = texts(400)
    signed = Signer(0.9, shingles)(said)
    sets = [signed.pieces[a:b].tobytes() for a, b in pairwise(signed.starts.tolist())]
    draw = random.Random(1)
    chosen = [(draw.randrange(2, 400), draw.randrange(2, 400)) for _ in range(900)]
    found = similarity(Column([sets[a] for a, _ in chosen]), Column([sets[b] for _, b in chosen])).to_pylist()
    assert found == pytest.approx([jaccard(shingles(said[a]), shingles(said[b])) for a, b in chosen])
    assert sum(one > 0.3 for one in found) > 3


def test_who_is_alike_only_to_those_who_go_stays() -> None:
    first, second = np.array([0, 1, 2, 0, 3]), np.array([1, 2, 4, 5, 5])
    alike = np.array([0.9, 0.95, 0.9, 0.91, 0.97])
    gone, twins, how = first_stays(first, second, alike)
    assert list(zip(gone.tolist(), twins.tolist(), how.tolist(), strict=True)) == [
        (1, 0, 0.9),
        (4, 2, 0.9),
        (5, 3, 0.97),
    ]


def test_who_equals_one_that_goes_goes_with_the_twin_that_is_most_alike_of_those_that_stay() -> None:
    # 1 equals nobody before and goes for 0; 2 is not like 0 and stays; 3 equals 1 and is more like 2 than like 0.
    gone, twins, how = first_stays(np.array([0, 1, 1]), np.array([1, 2, 3]), np.array([0.9, 0.95, 1.0]))
    assert list(zip(gone.tolist(), twins.tolist(), how.tolist(), strict=True)) == [(1, 0, 0.9), (3, 2, 0.95)]
