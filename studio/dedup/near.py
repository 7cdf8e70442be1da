"""Near-duplicates: texts that say again, word for word or nearly so, what is there already or is held out.

As they arrive MinHash LSH proposes and exact Jaccard similarity decides. What is compared are a text's pieces: words,
and pairs of characters where a script writes no spaces. A text's signature is all that the index needs of it, and can
be kept: an index of 100,000 is then there within a second. The bands are kept as sorted keys, since datasketch's own
index takes 3.5 s for so many.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, pairwise
from typing import TYPE_CHECKING

from studio.chatml import Messages
from studio.dedup.minhash import KEY, Signer
from studio.text.normalize import UNSPACED, one_kind

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_VERSION = 2
"""Of signatures: another one where anything about them changes."""
_BATCH = 1024
"""Texts that are signed at once."""

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
    return _shingles(pieces(text), text)


def _shingles(run: Sequence[str], text: str) -> frozenset[str]:
    """Those of a text whose :func:`pieces` are known."""
    if not run:
        return frozenset([bare]) if (bare := " ".join(_plain(text).split())) else frozenset()
    found = set(run)
    if len(found) < len(run):
        counts = Counter(run)
        found.update(f"{piece} {again}" for piece, count in counts.items() for again in range(2, count + 1))
    return frozenset(found)


def pieces(text: str) -> tuple[str, ...]:
    """The pieces of ``text`` in their order, each as often as it comes."""
    if text.isascii():  # nothing in it varies but its case
        words = _WORD.findall(text.lower())
        return tuple(word.rstrip("'") for word in words) if "'" in text else tuple(words)
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
        """``threshold`` is the Jaccard similarity of shingle sets from which texts count as one: .9, .8 or .5."""
        import numpy as np  # a tenth of a second: paid by those who make an index

        self._signer = Signer(threshold, shingles)
        self.threshold, self._bands = threshold, self._signer.bands
        self._slots: dict[str, int] = {}
        """Id -> its place in the two lists, which only grow: an id that is added again gets another place."""
        self._ids: list[str] = []
        self._signatures: list[bytes] = []
        self._buckets: dict[int, list[int]] = {}
        """Key -> places of what was added one by one."""
        self._loaded: NDArray[np.uint64] = np.empty(0, np.uint64)
        """Keys of what was loaded, sorted; their places are beside."""
        self._places: NDArray[np.int64] = np.empty(0, np.int64)

    @property
    def kind(self) -> str:
        """What its signatures are: those of one kind may be kept, and loaded into any index of it."""
        return f"near-{_VERSION}-{self.threshold:g}"

    def __len__(self) -> int:
        return len(self._slots)

    def __contains__(self, id: object) -> bool:
        return id in self._slots

    def signature(self, text: str) -> bytes:
        """What the index keeps of a text: 8 bytes a band, then 4 a piece; empty for an empty text."""
        return self._signer([text]).packed(0)

    def signatures(self, texts: Sequence[str]) -> Iterator[bytes]:
        """As :meth:`signature` of many, more than twice as fast."""
        for start in range(0, len(texts), _BATCH):
            some = texts[start : start + _BATCH]
            found = self._signer(some)
            yield from (found.packed(place) for place in range(len(some)))

    def add(self, id: str, text: str) -> bytes:
        """Remember ``text`` under ``id``, in place of what was there; its signature. An empty one is like no other."""
        signature = self.signature(text)
        self.add_signature(id, signature)
        return signature

    def add_signature(self, id: str, signature: bytes) -> None:
        """As :meth:`add`, of a text whose signature is known."""
        self.remove(id)
        place = self._append(id, signature)
        for key in self._keys(signature):
            self._buckets.setdefault(key, []).append(place)

    def load(self, signatures: Iterable[tuple[str, bytes]]) -> None:
        """As :meth:`add_signature` of many, into an index that is still empty: 5 us each."""
        import numpy as np

        if self._ids:
            raise ValueError("an index is loaded before anything is added to it")
        for id, signature in signatures:
            self._append(id, signature)
        full = [place for place, signature in enumerate(self._signatures) if signature]
        raw = b"".join(self._signatures[place][: self._bands * KEY] for place in full)
        keys = np.frombuffer(raw, "<u8").astype(np.uint64)
        order = np.argsort(keys)
        self._loaded, self._places = keys[order], np.repeat(np.array(full, np.int64), self._bands)[order]

    def remove(self, id: str) -> None:
        """Forget ``id``; nothing happens where it is not known."""
        place = self._slots.pop(id, None)
        if place is None:
            return
        for key in self._keys(self._signatures[place]):
            there = self._buckets.get(key)
            if there is not None and place in there:  # what was loaded stays in its array, and is passed over
                there.remove(place)
                if not there:
                    del self._buckets[key]
        self._signatures[place] = b""

    def nearest(self, text: str) -> tuple[str, float] | None:
        """The most similar text that the index proposes, and its exact similarity; of equals the one added first.

        One at the threshold or above is found; a less similar one only by chance, so None means "none close".
        """
        return self.nearest_to(self.signature(text))

    def nearest_to(self, signature: bytes) -> tuple[str, float] | None:
        """As :meth:`nearest`, of a text whose signature is known."""
        pieces = self._pieces(signature)
        best: tuple[float, int] | None = None
        for place in self._candidates(signature):
            stored = self._pieces(self._signatures[place])
            shared = len(pieces & stored)
            ranked = (shared / (len(pieces) + len(stored) - shared), -place)
            if shared and (best is None or ranked > best):
                best = ranked
        return (self._ids[-best[1]], best[0]) if best else None

    def duplicate_of(self, text: str) -> tuple[str, float] | None:
        """The nearest text if it is at the threshold or above it."""
        found = self.nearest(text)
        return found if found and found[1] >= self.threshold else None

    def neighbours(self, signature: bytes) -> list[str]:
        """Ids of all texts that are at the threshold or above it from one whose signature is known."""
        pieces, found = self._pieces(signature), []
        for place in sorted(self._candidates(signature)):
            stored = self._pieces(self._signatures[place])
            shared = len(pieces & stored)
            if shared >= self.threshold * (len(pieces) + len(stored) - shared):
                found.append(self._ids[place])
        return found

    def _append(self, id: str, signature: bytes) -> int:
        place = self._slots[id] = len(self._ids)
        self._ids.append(id)
        self._signatures.append(signature)
        return place

    def _candidates(self, signature: bytes) -> set[int]:
        keys = self._keys(signature)
        found = set(chain.from_iterable(self._buckets.get(key, ()) for key in keys))
        if keys and len(self._loaded):
            import numpy as np

            asked = np.array(keys, np.uint64)
            first, last = (np.searchsorted(self._loaded, asked, side) for side in ("left", "right"))
            for start, end in zip(first.tolist(), last.tolist(), strict=True):
                found.update(self._places[start:end].tolist())
        return {place for place in found if self._slots.get(self._ids[place]) == place}

    def _keys(self, signature: bytes) -> list[int]:
        head = signature[: self._bands * KEY]
        return [int.from_bytes(head[at : at + KEY], "little") for at in range(0, len(head), KEY)]

    def _pieces(self, signature: bytes) -> frozenset[int]:
        return frozenset(memoryview(signature)[self._bands * KEY :].cast("B").cast("I")) if signature else frozenset()


class HeldOut:
    """Finds which of some texts is said again, whatever is said around it.

    A text that shares none of a held-out one's rarest pieces can share too few of them, so few are compared (prefix
    filtering, Chaudhuri 2006).
    """

    def __init__(self, texts: Iterable[str]) -> None:
        self._texts = tuple(dict.fromkeys(texts))
        self._runs = [pieces(text) for text in self._texts]
        self._sets = [shingles(text) for text in self._texts]
        common = Counter(piece for found in self._sets for piece in found)
        self._by_piece: defaultdict[str, list[int]] = defaultdict(list)
        for number, found in enumerate(self._sets):
            rarest_first = sorted(found, key=lambda piece: (common[piece], piece))
            for piece in rarest_first[: len(found) - math.ceil(NEARLY * len(found)) + 1]:
                self._by_piece[piece].append(number)

    def asked_in(self, messages: Messages) -> str | None:
        """The first held-out text that a user's turn says."""
        said = (self.said_in(message.content) for message in messages if message.role == "user")
        return next((text for text in said if text is not None), None)

    def said_in(self, text: str) -> str | None:
        """The first held-out text that ``text`` says; None where it says none."""
        run = pieces(text)
        there = _shingles(run, text)
        for number in sorted({number for piece in there & self._by_piece.keys() for number in self._by_piece[piece]}):
            wanted = self._sets[number]
            shared = len(there & wanted)
            alike = shared / (len(there) + len(wanted) - shared)
            if alike >= NEARLY or self._stands_in(self._runs[number], run):
                return self._texts[number]
        return None

    @staticmethod
    def _stands_in(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
        size = len(short)
        if not size or (size < _LEAST and size < _PART * len(long)):
            return False
        return any(long[at : at + size] == short for at in range(len(long) - size + 1))
