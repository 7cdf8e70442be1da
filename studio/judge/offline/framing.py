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

    def __init__(self, slots: Slots, carried: frozenset[str], holes: Sequence[Words], earlier: Iterable[Words]) -> None:
        """``holes`` are the phrases that the request names, in its order; ``earlier`` those of the turns before."""
        self._slots, self._carried = slots, carried
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
            token, size = self._at(words, at)
            if not (token.startswith("<") and framed[-1:] == [token]):
                framed.append(token)
            at += size
        return tuple(framed)

    def _at(self, words: Words, at: int) -> tuple[str, int]:
        for phrase, token in self._phrases.get(words[at], ()):
            if words[at : at + len(phrase)] == phrase:
                return token, len(phrase)
        if (found := self._slots.at(words, at)) and found.kind in self._carried:
            return f"<{found.kind}>", found.end - at
        return self._parts.get(words[at], words[at]), 1

    def _add(self, phrase: Words, token: str) -> None:
        """The phrase, and without its article: a form is filled in as well as the form."""
        for words in {phrase, phrase[1:] if phrase[0] in _DETERMINERS and len(phrase) > 1 else phrase}:
            self._phrases.setdefault(words[0], []).append((words, token))
            self._phrases[words[0]].sort(key=lambda entry: -len(entry[0]))


def wordings(slots: Slots, carried: frozenset[str], framed: Framed) -> tuple[Framed, ...]:
    """A sentence of an example, and what it is with another phrase in the place of one that no request gives."""
    found = [hit for hit in slots.find(framed) if hit.kind not in carried]
    if len(found) != 1:
        return (framed,)
    hit = found[0]
    others = (tuple(phrase.split(" ")) for phrase in slots.phrases(hit.kind))
    return tuple(dict.fromkeys((framed, *((*framed[: hit.start], *words, *framed[hit.end :]) for words in others))))


def is_hole(token: str) -> bool:
    """Whether a token of a frame stands for what the request names."""
    return token.startswith("<") and token[1].isdigit()


def own_words(framed: Framed) -> list[str]:
    """The words of a frame that carry meaning: neither holes nor small words."""
    return [token for token in framed if not token.startswith("<") and token not in SMALL_WORDS]
