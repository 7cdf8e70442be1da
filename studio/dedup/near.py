"""Near-duplicates: texts that say again, word for word or nearly so, what is there already or is held out.

As they arrive MinHash LSH proposes and exact Jaccard similarity decides. What is compared are a text's pieces: words,
and pairs of characters where a script writes no spaces.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from array import array
from collections import Counter, defaultdict
from collections.abc import Iterable
from itertools import pairwise
from typing import TYPE_CHECKING

from studio.chatml import Messages
from studio.text.normalize import UNSPACED, one_kind

if TYPE_CHECKING:
    from datasketch import MinHash

BANDS = {0.9: (16, 8), 0.8: (25, 5), 0.5: (42, 3)}
"""Threshold -> bands and rows of the LSH, measured: the most selective ones that still propose 99.9 % of pairs at the
threshold (99.6 % at 0.5, where more would take many more candidates). datasketch's own choice for 0.9 (5 x 25) misses
half of the one-word edits of a 24-word text."""

NEARLY = 0.8
"""Jaccard similarity from which a text says a held-out one again: one word of nine may be another."""
_LEAST, _PART = 3, 1 / 3
"""A held-out text inside a longer one is said again if it has so many words, or makes so large a part of the other."""

# Runs of anything but white space and punctuation, so that combining marks stay inside their words; an apostrophe
# between letters belongs to the word.
_BREAKS = (
    r"\s!\"#$%&()*+,\-./:;<=>?@\[\\\]^`{|}~\u00a1\u00ab\u00b7\u00bb\u00bf\u0964\u0965"
    r"\u2010-\u2017\u201c-\u205e\u3000-\u3003\u3008-\u3020\u30a0\u30fb"
)
_WORD = re.compile(f"[^{_BREAKS}'][^{_BREAKS}]*")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_RUN = re.compile(f"[{UNSPACED}]+|[^{UNSPACED}]+")


def shingles(text: str) -> frozenset[str]:
    """The pieces of ``text``; equal for texts that differ in case, punctuation, white space or word order alone.

    A piece that comes again is a piece of its own, so the set is the bag of words. Chinese, Japanese, Thai, Lao,
    Khmer and Burmese give overlapping pairs of characters: their clauses have no spaces, and would be one word each.
    A text without any word (``?!``, an emoji) is one piece, itself; an empty one has none.
    """
    counts = Counter(pieces(text))
    if not counts:
        return frozenset([bare]) if (bare := " ".join(_plain(text).split())) else frozenset()
    found = set(counts)
    found.update(f"{piece} {again}" for piece, count in counts.items() for again in range(2, count + 1))
    return frozenset(found)


def pieces(text: str) -> tuple[str, ...]:
    """The pieces of ``text`` in their order, each as often as it comes."""
    found: list[str] = []
    for match in _WORD.finditer(_plain(text)):
        for run in _RUN.findall(match[0].rstrip("'")):
            found.extend(map("".join, pairwise(run)) if _UNSPACED.match(run) and len(run) > 1 else [run])
    return tuple(found)


def _plain(text: str) -> str:
    return one_kind(unicodedata.normalize("NFKC", text).casefold())


class NearDuplicates:
    """An index of texts that answers which of them a new text nearly repeats.

    Incremental and deterministic: the same texts in the same order give the same answers in every process. Not for
    use by several threads at once.
    """

    def __init__(self, threshold: float = 0.9) -> None:
        """``threshold`` is the Jaccard similarity of shingle sets from which texts count as one, of :data:`BANDS`."""
        if threshold not in BANDS:
            raise ValueError(f"threshold must be one of {', '.join(map(str, BANDS))}, not {threshold}")
        self.threshold = threshold
        from datasketch import MinHash, MinHashLSH  # half a second, for scipy: paid by those who make an index

        bands, rows = BANDS[threshold]
        self._empty = MinHash(num_perm=bands * rows, hashfunc=int, scheme="affine32")
        self._lsh = MinHashLSH(num_perm=bands * rows, params=(bands, rows))
        self._numbers: dict[str, int] = {}
        """Piece -> a small number, so that a stored set costs 4 bytes a piece."""
        self._hashes: list[int] = []
        self._sets: dict[str, tuple[int, array[int]]] = {}
        """When it was added, and what it is made of."""
        self._added = 0

    def __len__(self) -> int:
        return len(self._sets)

    def __contains__(self, id: object) -> bool:
        return id in self._sets

    def add(self, id: str, text: str) -> None:
        """Remember ``text`` under ``id``, in place of what was there. An empty text is like no other."""
        self.remove(id)
        numbers = array("I", sorted(self._number(piece) for piece in shingles(text)))
        self._sets[id] = (self._added, numbers)
        self._added += 1
        if numbers:
            self._lsh.insert(id, self._sketch([self._hashes[number] for number in numbers]))

    def remove(self, id: str) -> None:
        """Forget ``id``; nothing happens where it is not known."""
        _, numbers = self._sets.pop(id, (0, None))
        if numbers:
            self._lsh.remove(id)

    def nearest(self, text: str) -> tuple[str, float] | None:
        """The most similar text that the index proposes, and its exact similarity; of equals the one added first.

        One at the threshold or above is found; a less similar one only by chance, so None means "none close".
        """
        found = shingles(text)
        if not found:
            return None
        known = {number for piece in found if (number := self._numbers.get(piece)) is not None}
        candidates = self._lsh.query(self._sketch([self._hash(piece) for piece in found]))
        best = (0.0, 0, "")
        for id in candidates:
            added, stored = self._sets[id]
            shared = len(known.intersection(stored))
            best = max(best, (shared / (len(found) + len(stored) - shared), -added, id))
        return (best[2], best[0]) if best[0] > 0 else None

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


def _hash(piece: str) -> int:
    """32 bits that are the same in every process, unlike ``hash()``."""
    return int.from_bytes(hashlib.blake2b(piece.encode("utf-8", "replace"), digest_size=4).digest(), "little")


class HeldOut:
    """Finds which of some texts is said again, whatever is said around it."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = tuple(dict.fromkeys(texts))
        self._runs = [pieces(text) for text in self._texts]
        self._sets = [shingles(text) for text in self._texts]
        self._holding: defaultdict[str, list[int]] = defaultdict(list)
        for number, found in enumerate(self._sets):
            for piece in found:
                self._holding[piece].append(number)

    def asked_in(self, messages: Messages) -> str | None:
        """The first held-out text that a user's turn says."""
        said = (self.said_in(message.content) for message in messages if message.role == "user")
        return next((text for text in said if text is not None), None)

    def said_in(self, text: str) -> str | None:
        """The first held-out text that ``text`` says; None where it says none."""
        there, run = shingles(text), pieces(text)
        shared = Counter(number for piece in there for number in self._holding.get(piece, ()))
        for number in sorted(shared):
            alike = shared[number] / (len(there) + len(self._sets[number]) - shared[number])
            if alike >= NEARLY or self._stands_in(self._runs[number], run):
                return self._texts[number]
        return None

    @staticmethod
    def _stands_in(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
        size = len(short)
        if not size or (size < _LEAST and size < _PART * len(long)):
            return False
        return any(long[at : at + size] == short for at in range(len(long) - size + 1))
