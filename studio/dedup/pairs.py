"""Pairs of near-duplicates by columns: candidates from LSH keys, exact similarity of their sets, and who stays.

NumPy on Arrow columns, for the engine at scale; what a column is of and in which batches it comes makes no difference.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CROWD = 256
"""Of a key that more texts share, each is compared with the first so many: all pairs of a crowd would be its square."""


def candidates(keys: Any, whole: Any, number: Any) -> Any:
    """Candidates of a group of keys; of sets that are equal only the first is compared with others, and with them.

    A pair of first -1 and a key stands for a crowd.
    """
    import numpy as np
    import pyarrow as pa

    key, own, who = (np.asarray(one.to_arrow()) for one in (keys, whole, number))
    order = np.lexsort((who, key))
    key, own, who = key[order], own[order], who[order]
    shared = np.zeros(len(key), bool)
    shared[1:] = key[1:] == key[:-1]
    shared[:-1] |= shared[1:]
    key, own, who = key[shared], own[shared], who[shared]
    first = np.ones(len(key), bool)
    by_set = np.lexsort((who, own, key))
    ranked_key, ranked_own = key[by_set], own[by_set]
    again = (ranked_key[1:] == ranked_key[:-1]) & (ranked_own[1:] == ranked_own[:-1])
    first[by_set[1:][again]] = False
    equal = key == own
    lead = np.maximum.accumulate(np.where(first, np.arange(len(key)), 0)) if len(key) else np.arange(0)
    found = [np.stack([who[lead[equal & ~first]], who[equal & ~first]], axis=1)]
    key, who = key[first & ~equal], who[first & ~equal]
    begins = np.flatnonzero(np.concatenate([[True], key[1:] != key[:-1]])) if len(key) else np.arange(0)
    sizes = np.diff(np.append(begins, len(key)))
    place = np.arange(len(key)) - np.repeat(begins, sizes)
    for back in range(1, min(int(sizes.max(initial=1)) - 1, CROWD) + 1):  # neighbours in the order of the file
        later = np.flatnonzero((place >= back) & (np.repeat(sizes, sizes) <= CROWD))
        found.append(np.stack([who[later - back], who[later]], axis=1))
    for begin, size in zip(begins[sizes > CROWD].tolist(), sizes[sizes > CROWD].tolist(), strict=True):
        crowd = who[begin : begin + size]
        left, right = np.meshgrid(crowd[:CROWD], crowd)
        before = left < right
        found.append(np.stack([left[before], right[before]], axis=1))
        found.append(np.array([[-1, key[begin] >> np.uint64(1)]], np.int64))
    both = np.unique(np.concatenate(found).astype(np.int64), axis=0)
    return pa.StructArray.from_arrays([pa.array(both[:, 0]), pa.array(both[:, 1])], ["first", "second"])


def similarity(left: Any, right: Any) -> Any:
    """Exact Jaccard similarity of pairs of sets: what stands twice among the sorted pieces of both is shared."""
    import numpy as np
    import pyarrow as pa

    tagged, lengths = [], []
    for column in (left, right):
        array = column.to_arrow().cast(pa.large_binary())
        ends = np.frombuffer(array.buffers()[1], np.int64)[array.offset : array.offset + len(array) + 1]
        pieces = np.frombuffer(array.buffers()[2] or b"", np.uint8)[ends[0] : ends[-1]].view(np.uint32)
        lengths.append(np.diff(ends) // 4)
        tagged.append(np.repeat(np.arange(len(array), dtype=np.uint64) << np.uint64(32), lengths[-1]) | pieces)
    both = np.sort(np.concatenate(tagged))
    twice = both[1:][both[1:] == both[:-1]] >> np.uint64(32)
    shared = np.bincount(twice.astype(np.int64), minlength=len(lengths[0]))
    return pa.array(shared / np.maximum(lengths[0] + lengths[1] - shared, 1))


def first_stays(
    first: NDArray[np.int64], second: NDArray[np.int64], similarity: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
    """Who goes, whose twin they are and how alike, of verified pairs ``first`` < ``second``.

    In ascending order each goes who has a partner that stays; the twin is the most similar of these, the first of
    equals. Whoever equals the first of their set has its partners, too.
    """
    import numpy as np

    order = np.lexsort((first, -similarity, second))
    pairs = list(zip(first[order].tolist(), second[order].tolist(), similarity[order].tolist(), strict=True))
    partners: dict[int, list[tuple[int, float]]] = {one: [] for one, _, alike in pairs if alike == 1.0}
    for one, other, alike in pairs:
        for this, that in ((one, other), (other, one)):
            if alike < 1.0 and this in partners:
                partners[this].append((that, alike))
    gone: dict[int, tuple[int, float]] = {}
    for one, other, alike in pairs:
        if other in gone:
            continue
        if one not in gone:
            gone[other] = one, alike
        elif alike == 1.0:
            stay = [(-how, who) for who, how in partners[one] if who < other and who not in gone]
            gone[other] = min(stay)[1], -min(stay)[0]
    return (
        np.fromiter(gone, np.int64, len(gone)),
        np.fromiter((twin for twin, _ in gone.values()), np.int64, len(gone)),
        np.fromiter((alike for _, alike in gone.values()), np.float64, len(gone)),
    )
