"""Texts that are held out: what must not be learnt from, word for word or nearly so."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from studio.chatml import Messages
from studio.dedup.shingles import pieces, shingles

NEARLY = 0.8
"""Jaccard similarity from which a text says a held-out one again: one word of nine may be another."""
_LEAST, _PART = 3, 1 / 3
"""A held-out text inside a longer one is said again if it has so many words, or makes so large a part of the other."""


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
