"""What of a request a reply has to carry over, and what a reply made up instead."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from studio.judge.offline.frames import Frame, frames_of, tokens_of
from studio.judge.offline.slots import Slots, carried_kinds, in_order, reply_kinds
from studio.judge.offline.text import SMALL_WORDS, Sentence, Text, content, heard, words_of

LONGEST_HOLE, LONGEST_FILLER = 10, 5
"""Words that fill a hole, and words before a comma that may stand before a frame (``So,``, ``Quick one:``)."""
LEAST_QUOTES = 5
"""Quotes in the examples from which their habit of quoting is known."""
_QUOTED = re.compile(r"(?<!\w)'([^'\n]+(?:'\w[^'\n]*)*)'(?!\w)|\"([^\"\n]+)\"")
_NUMBER = re.compile(r"\d")
_NAME = re.compile(r"(?<=[\w,;'] )(?!I\b)[A-Z][\w-]+")


@dataclass(frozen=True)
class Asked:
    """What one request names. ``keep`` are the content words that a reply has to repeat."""

    keep: tuple[str, ...]
    kinds: tuple[str, ...]
    """The slot kinds of what it names, as far as it has any."""
    holes: tuple[tuple[str, ...], ...]
    """The phrases that it names, in its order."""


class Keeping:
    """What the spec's own examples carry over from request to reply, as rules for any request."""

    def __init__(self, slots: Slots, turns: Sequence[tuple[str, str]], proper_names: bool, name: str) -> None:
        """``turns`` are the examples' (request, reply), folded; ``name`` is the persona's."""
        self._slots, self._proper_names, self._own_name = slots, proper_names, name.lower()
        pairs = [(words_of(request), words_of(reply)) for request, reply in turns]
        self.carried = carried_kinds(slots, pairs)
        self.free = reply_kinds(slots, pairs)
        self._frames = frames_of(slots, self.carried, turns)
        self._framing = self._framing_words([request for request, _ in pairs])
        self._own = self._own_phrases(pairs)
        quotes = [(words, _within(words, request)) for request, reply in turns for words in _quotes(reply)]
        self._own_quotes = {words for words, given in quotes if not given}
        self._quotes_only_given = len(quotes) >= LEAST_QUOTES and sum(given for _, given in quotes) >= 0.8 * len(quotes)

    def asked(self, request: Text) -> Asked:
        """The words to keep: what fills the holes of a known frame, else phrases, quotes, numbers and names."""
        keep: list[str] = []
        kinds: list[str] = []
        holes: list[tuple[str, ...]] = []
        for sentence in request.sentences:
            frame, fillings = self._match(sentence)
            if frame is not None:
                for hole, kind, kept in zip(fillings, frame.kinds, frame.kept, strict=True):
                    if filling := self._filling(hole):
                        kinds.append(kind)
                        holes.append(filling)
                        keep += filling if kept else ()
            else:
                found = [hit for hit in self._slots.find(sentence.words) if hit.kind in self.carried]
                marked = self._marked(sentence.text)
                kinds += [hit.kind for hit in found]
                holes += [*(hit.words for hit in found), *((word,) for word in marked)]
                keep += [*(word for hit in found for word in hit.words), *marked]
        quotes = _quotes(request.plain)
        keep += [word for words in quotes for word in words]
        return Asked(
            keep=tuple(dict.fromkeys(word for word in keep if word not in SMALL_WORDS)),
            kinds=tuple(kinds),
            holes=_in_order_of([*holes, *quotes], request.words),
        )

    def invented(self, reply: Text, said: tuple[str, ...], missing: Sequence[str]) -> str:
        """A phrase of the reply that nobody gave; empty if there is none. ``said`` are the conversation's words.

        That is a task, a date or a name of the spec's own; or a quote with a word that nobody said, where the examples
        quote only what was said, or where it stands for the words ``missing`` from the reply.
        """
        for hit in self._slots.find(reply.words):
            if hit.kind in self.carried and hit.words not in self._own and not in_order(hit.words, said):
                return _joined(hit.words)
        known = frozenset(said)
        for words in _quotes(reply.plain):
            heard_in = [heard(word, known) for word in content(words)]
            changed = bool(missing) and any(heard_in)
            if not all(heard_in) and (changed or self._quotes_only_given) and words not in self._own_quotes:
                return _joined(words)
        return ""

    def _match(self, sentence: Sentence) -> tuple[Frame | None, tuple[str, ...]]:
        """The most specific frame of a sentence, and what fills its holes; a filler before a comma is left out."""
        tokens = tokens_of(sentence.text)
        comma = tokens.index(",") if "," in tokens[: LONGEST_FILLER + 1] else 0
        for form in (tokens, tokens[comma + 1 :]) if comma else (tokens,):
            plain = " ".join(form).removeprefix("please ").removesuffix(" please").removesuffix(" ,")
            for frame in self._frames:
                match = frame.expression.fullmatch(plain)
                if match and all(len(hole.split()) <= LONGEST_HOLE for hole in match.groups()):
                    return frame, tuple(hole.replace(" ,", "") for hole in match.groups())
        return None, ()

    def _filling(self, hole: str) -> tuple[str, ...]:
        """What fills a hole; nothing if it only holds words that the examples' requests are framed with.

        ``I want to X`` fits "I want to delete all tasks" too, where "delete", "all" and "tasks" are no task's name.
        """
        words = tuple(hole.split())
        named = any(hit.kind in self.carried for hit in self._slots.find(words))
        return words if named or not self._framing.issuperset(content(words)) else ()

    def _framing_words(self, requests: Sequence[tuple[str, ...]]) -> frozenset[str]:
        found: set[str] = set()
        for request in requests:
            filled = {
                at for hit in self._slots.find(request) if hit.kind in self.carried for at in range(hit.start, hit.end)
            }
            found |= {word for at, word in enumerate(request) if at not in filled}
        return frozenset(found | self._slots.words_besides(self.carried))

    def _marked(self, sentence: str) -> list[str]:
        """Numbers, and names where the language writes only those with a capital."""
        words = [word for word in words_of(sentence) if _NUMBER.search(word)]
        if self._proper_names and not sentence.isupper():
            words += [word for name in _NAME.findall(sentence) for word in words_of(name) if word != self._own_name]
        return words

    def _own_phrases(self, pairs: Sequence[tuple[tuple[str, ...], tuple[str, ...]]]) -> set[tuple[str, ...]]:
        """Slot phrases that the examples' replies say without having heard them: ``tomorrow`` in a suggestion."""
        return {
            found.words
            for request, reply in pairs
            for found in self._slots.find(reply)
            if not in_order(found.words, request)
        }


def _in_order_of(phrases: Sequence[tuple[str, ...]], text: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The phrases in the order of ``text``, without those that are a part of another."""
    whole = [one for one in phrases if not any(len(other) > len(one) and in_order(one, other) for other in phrases)]
    places = {one: next((at for at in range(len(text)) if text[at : at + len(one)] == one), len(text)) for one in whole}
    return tuple(sorted(places, key=lambda one: places[one]))


def _joined(words: tuple[str, ...]) -> str:
    """Words as they are written: scripts without spaces give single characters."""
    return ("" if all(len(word) == 1 and not word.isascii() for word in words) else " ").join(words)


def _quotes(text: str) -> list[tuple[str, ...]]:
    """The words of each quoted span."""
    return [words for match in _QUOTED.finditer(text) if (words := words_of(match[1] or match[2]))]


def _within(words: tuple[str, ...], text: str) -> bool:
    return in_order(words, words_of(text))
