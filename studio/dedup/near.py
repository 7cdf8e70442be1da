"""Near-duplicates as they arrive: MinHash LSH proposes, exact Jaccard similarity decides."""

from __future__ import annotations

import hashlib
from array import array
from typing import TYPE_CHECKING

from studio.dedup.shingles import shingles

if TYPE_CHECKING:
    from datasketch import MinHash

PERMUTATIONS = 128
_SCHEME = "affine32"
# Bands x rows measured for these thresholds. datasketch's own choice for 0.9 (5 x 25) misses half of the one-word
# edits of a 24-word text.
_MEASURED = {0.9: (16, 8), 0.5: (42, 3)}
_RECALL = 0.999


class NearDuplicates:
    """An index of texts that answers which of them a new text nearly repeats.

    Incremental and deterministic: the same texts in the same order give the same answers in every process. Not for
    use by several threads at once.
    """

    def __init__(self, threshold: float = 0.9) -> None:
        """``threshold`` is the Jaccard similarity of shingle sets from which texts count as one, 0 (excluded) to 1."""
        if not 0 < threshold <= 1:
            raise ValueError(f"threshold must be above 0 and at most 1, not {threshold}")
        self.threshold = threshold
        from datasketch import MinHash, MinHashLSH  # half a second, for scipy: paid by those who make an index

        bands, rows = bands_for(threshold)
        self._empty = MinHash(num_perm=bands * rows, hashfunc=int, scheme=_SCHEME)
        self._lsh = MinHashLSH(num_perm=bands * rows, params=(bands, rows))
        self._numbers: dict[str, int] = {}
        """Piece -> a small number, so that a stored set costs 4 bytes a piece."""
        self._hashes: list[int] = []
        self._sets: dict[str, array[int]] = {}
        self._order: dict[str, int] = {}
        self._added = 0

    def __len__(self) -> int:
        return len(self._sets)

    def __contains__(self, id: object) -> bool:
        return id in self._sets

    def add(self, id: str, text: str) -> None:
        """Remember ``text`` under ``id``, in place of what was there. An empty text is like no other."""
        self.remove(id)
        numbers = array("I", sorted(self._number(piece) for piece in shingles(text)))
        self._sets[id] = numbers
        self._order[id] = self._added
        self._added += 1
        if numbers:
            self._lsh.insert(id, self._sketch([self._hashes[number] for number in numbers]))

    def remove(self, id: str) -> None:
        """Forget ``id``; nothing happens where it is not known."""
        numbers = self._sets.pop(id, None)
        if numbers:
            self._lsh.remove(id)
        self._order.pop(id, None)

    def nearest(self, text: str) -> tuple[str, float] | None:
        """The most similar text that the index proposes, and its exact similarity; of equals the one added first.

        One at the threshold or above is found; a less similar one only by chance, so None means "none close".
        """
        pieces = shingles(text)
        if not pieces:
            return None
        known = {number for piece in pieces if (number := self._numbers.get(piece)) is not None}
        candidates = self._lsh.query(self._sketch([self._hash(piece) for piece in pieces]))
        best: tuple[float, int, str] | None = None
        for id in candidates:
            stored = self._sets[id]
            shared = len(known.intersection(stored))
            similarity = shared / (len(pieces) + len(stored) - shared)
            ranked = (similarity, -self._order[id], id)
            if similarity > 0 and (best is None or ranked > best):
                best = ranked
        return (best[2], best[0]) if best else None

    def duplicate_of(self, text: str) -> tuple[str, float] | None:
        """The nearest text if it is at the threshold or above it."""
        found = self.nearest(text)
        return found if found and found[1] >= self.threshold else None

    def _number(self, piece: str) -> int:
        number = self._numbers.get(piece)
        if number is None:
            number = self._numbers[piece] = len(self._hashes)
            self._hashes.append(_hash(piece))
        return number

    def _hash(self, piece: str) -> int:
        number = self._numbers.get(piece)
        return _hash(piece) if number is None else self._hashes[number]

    def _sketch(self, hashes: list[int]) -> MinHash:
        sketch = self._empty.copy()  # making one anew would draw its permutations again, 113 us
        sketch.update_batch(hashes)
        return sketch


def bands_for(threshold: float) -> tuple[int, int]:
    """Bands and rows of the LSH: the most selective ones that still propose 99.9 % of pairs at the threshold.

    At 0.5, where that would take many more candidates, they propose 99.6 %.
    """
    if threshold in _MEASURED:
        return _MEASURED[threshold]
    for rows in range(PERMUTATIONS, 1, -1):
        bands = PERMUTATIONS // rows
        if (1 - threshold**rows) ** bands <= 1 - _RECALL:
            return bands, rows
    return PERMUTATIONS, 1


def _hash(piece: str) -> int:
    """32 bits that are the same in every process, unlike ``hash()``."""
    return int.from_bytes(hashlib.blake2b(piece.encode("utf-8", "replace"), digest_size=4).digest(), "little")
