"""MinHash signatures (Broder, 1997) of many texts at once: LSH keys that propose, and the set of pieces that decides.

The permutations are datasketch's (affine32), so the values are those of its ``MinHash``; a whole batch goes through
NumPy here: 3 us a text of 36 words, beside 21 for finding its pieces, where an object a text takes 40.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

BANDS = {0.9: (16, 8), 0.8: (25, 5), 0.5: (42, 3)}
"""Threshold -> bands and rows of the LSH, measured: the most selective ones that still propose 99.9 % of pairs at the
threshold (99.6 % at 0.5, where more would take many more candidates). datasketch's own choice for 0.9 (5 x 25) misses
half of the one-word edits of a 24-word text."""
KEY, PIECE = 8, 4
"""Bytes of a key and of a piece in a signature."""
_BLOCK = 512
"""Texts whose pieces go through the permutations at once: they stay in the processor's cache."""
_KNOWN = 1 << 20
"""Pieces whose hashes are remembered: a language has fewer, a web of names more."""


@dataclass(frozen=True)
class Signatures:
    """Of n texts: ``keys`` (n, bands), and the sorted hashes of their pieces, ``starts[i]`` to ``starts[i + 1]``.

    A text without any piece has the keys 0, and is like no other.
    """

    keys: NDArray[np.uint64]
    starts: NDArray[np.int64]
    pieces: NDArray[np.uint32]

    def packed(self, place: int) -> bytes:
        """8 bytes a band, then 4 a piece; empty for an empty text."""
        own = self.pieces[self.starts[place] : self.starts[place + 1]]
        return self.keys[place].astype("<u8").tobytes() + own.astype("<u4").tobytes() if len(own) else b""


class Signer:
    """Signs texts for one threshold. Deterministic over processes; not for use by several threads at once."""

    def __init__(self, threshold: float, shingles: Callable[[str], Iterable[str]]) -> None:
        """``threshold`` is one of :data:`BANDS`; ``shingles`` gives the pieces of a text, each once."""
        if threshold not in BANDS:
            raise ValueError(f"threshold must be one of {', '.join(map(str, BANDS))}, not {threshold}")
        self.bands, self._rows = BANDS[threshold]
        self._shingles = shingles
        self._hashes: dict[str, int] = {}
        self._mix = _constants("row", self._rows) | 1
        self._salt = _constants("band", self.bands)

    def __call__(self, texts: Sequence[str]) -> Signatures:
        import numpy as np

        found = [sorted({self._hash(piece) for piece in self._shingles(text)}) for text in texts]
        lengths = np.fromiter(map(len, found), np.int64, len(found))
        starts = np.concatenate([[0], np.cumsum(lengths)])
        pieces = np.fromiter((one for own in found for one in own), np.uint32, int(starts[-1]))
        keys = np.zeros((len(texts), self.bands), np.uint64)
        full = np.flatnonzero(lengths)
        for start in range(0, len(full), _BLOCK):
            some = full[start : start + _BLOCK]
            first, last = starts[some[0]], starts[some[-1] + 1]
            keys[some] = self._keys(pieces[first:last], starts[some] - first)
        return Signatures(keys, starts, pieces)

    def least(self, pieces: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.uint32]:
        """(n, permutations): the MinHash values of n sets of hashes that begin at ``starts``, none of them empty."""
        import numpy as np

        factors, terms = _permutations(self.bands * self._rows)
        mixed = _finalized(pieces)
        if len(starts) == 1:
            return (mixed[:, None] * factors + terms).min(axis=0)[None]  # type: ignore[no-any-return]
        least = np.empty((len(starts), len(factors)), np.uint32)
        for number, (factor, term) in enumerate(zip(factors, terms, strict=True)):
            least[:, number] = np.minimum.reduceat(mixed * factor + term, starts)
        return least

    def _keys(self, pieces: NDArray[np.uint32], starts: NDArray[np.int64]) -> NDArray[np.uint64]:
        """A band of the least hashed into one, (n, bands)."""
        import numpy as np

        banded = self.least(pieces, starts).astype(np.uint64).reshape(len(starts), self.bands, self._rows)
        return (banded * self._mix).sum(axis=2, dtype=np.uint64) ^ self._salt  # type: ignore[no-any-return]

    def _hash(self, piece: str) -> int:
        """32 bits that are the same in every process, unlike ``hash()``."""
        number = self._hashes.get(piece)
        if number is None:
            if len(self._hashes) >= _KNOWN:
                self._hashes.clear()
            digest = hashlib.blake2b(piece.encode("utf-8", "replace"), digest_size=PIECE).digest()
            number = self._hashes[piece] = int.from_bytes(digest, "little")
        return number


@lru_cache
def _permutations(count: int) -> Any:
    """Factors and terms, uint32 each, as ``MinHash(count)`` draws them."""
    from datasketch import MinHash  # half a second, for scipy: paid with the first text

    return tuple(MinHash(num_perm=count, scheme="affine32").permutations)


def _finalized(hashes: NDArray[np.uint32]) -> NDArray[np.uint32]:
    """MurmurHash3's finalizer, with which datasketch's affine32 begins."""
    import numpy as np

    mixed = hashes ^ (hashes >> np.uint32(16))
    mixed = mixed * np.uint32(0x85EBCA6B)
    mixed = mixed ^ (mixed >> np.uint32(13))
    mixed = mixed * np.uint32(0xC2B2AE35)
    return mixed ^ (mixed >> np.uint32(16))  # type: ignore[no-any-return]


def _constants(name: str, count: int) -> NDArray[np.uint64]:
    """Fixed random numbers of 64 bits."""
    import numpy as np

    raw = b"".join(hashlib.blake2b(f"{name} {n}".encode(), digest_size=8).digest() for n in range(count))
    return np.frombuffer(raw, "<u8").astype(np.uint64)
