"""Replies as frames: sentences in which what came from the request is a hole."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from studio.judge.offline.slots import Slots
from studio.judge.offline.text import SMALL_WORDS

Words = tuple[str, ...]
Framed = tuple[str, ...]
"""``i added <1> to your list``: ``<1>`` is what the request names first, ``<said>`` something said before, ``<1~>`` a
part of the first in other words, and ``<date>`` a phrase of a carried kind that nobody has said."""


_DETERMINERS = frozenset("a an the this that my your our his her its their".split())


class Framing:
    """Frames the sentences of one reply."""

    def __init__(
        self,
        slots: Slots,
        carried: frozenset[str],
        free: frozenset[str],
        holes: Sequence[Words],
        earlier: Iterable[Words],
    ) -> None:
        """``holes`` are the phrases that the request names, in its order; ``earlier`` those of the turns before.

        Phrases of the ``free`` kinds, which only replies have, stay as they are, whatever words of the request are in
        them.
        """
        self._slots, self._carried, self._free = slots, carried, free
        self._phrases: dict[str, list[tuple[Words, str]]] = {}
        self._parts: dict[str, str] = {}
        for number, hole in enumerate(holes, 1):
            self._add(hole, f"<{number}>")
            for word in hole:
                if len(word) > 1 and word not in SMALL_WORDS:
                    self._parts.setdefault(word, f"<{number}~>")
        for hole in earlier:
            self._add(hole, "<said>")

    def __call__(self, words: Words) -> Framed:
        framed: list[str] = []
        at = 0
        while at < len(words):
            tokens, size = self._at(words, at)
            if not (tokens[0].startswith("<") and framed[-1:] == [*tokens]):
                framed += tokens
            at += size
        return tuple(framed)

    def _at(self, words: Words, at: int) -> tuple[Words, int]:
        """What stands for the words at a place, and how many they are."""
        slot = self._slots.at(words, at)
        phrase, token = self._named(words, at)
        if slot and slot.kind in self._free and len(slot.words) > len(phrase):
            return slot.words, len(slot.words)
        if phrase:
            return (token,), len(phrase)
        if slot and slot.kind in self._carried:
            return (f"<{slot.kind}>",), len(slot.words)
        return (self._parts.get(words[at], words[at]),), 1

    def _named(self, words: Words, at: int) -> tuple[Words, str]:
        """The longest phrase of the conversation that begins at a place, and its token; empty if none does."""
        known = self._phrases.get(words[at], ())
        return next((entry for entry in known if words[at : at + len(entry[0])] == entry[0]), ((), ""))

    def _add(self, phrase: Words, token: str) -> None:
        """The phrase, and without its article: a form is filled in as well as the form."""
        for words in {phrase, phrase[1:] if phrase[0] in _DETERMINERS and len(phrase) > 1 else phrase}:
            self._phrases.setdefault(words[0], []).append((words, token))
            self._phrases[words[0]].sort(key=lambda entry: -len(entry[0]))


def is_hole(token: str) -> bool:
    """Whether a token of a frame stands for what the request names."""
    return token.startswith("<") and token[1].isdigit()


def own_words(framed: Framed) -> list[str]:
    """The words of a frame that carry meaning: neither holes nor small words."""
    return [token for token in framed if not token.startswith("<") and token not in SMALL_WORDS]
