"""Text as the rules judge sees it: sentences, words, and which of the words carry meaning."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from studio.letters import UNSPACED, folded

# Words of spaced scripts with their inner marks (9:15, don't, to-do); single characters of scripts without spaces.
_WORD = re.compile(rf"[{UNSPACED}]|[^\W_]+(?:['.,:\-][^\W_]+)*")
_ENDS = re.compile(r"(?<=[.!?\u2026\u061f])\s+|(?<=[.!?\u2026\u061f]['\")\]])\s+|(?<=[\u3002\uff01\uff1f])|\n+")
_QUESTION = re.compile(r"[?\u061f\uff1f]['\")\]\s]*$")
FINAL_MARKS = frozenset(".!?\u2026\u3002\uff01\uff1f\u061f\u0964")

# English words that carry no topic: function words and the empty verbs of small talk.
SMALL_WORDS = frozenset(
    """a about after again all also am an and any anything are aren't as at be because been before being both but by can
    can't cannot could did didn't do does doesn't doing don't done each else every few for from get give go going
    gonna good got had has have having he her here hers him his how i i'd i'll i'm i've if in into is isn't it
    it's its just let let's like many may maybe me might mine more most much must my no not nothing now of off ok
    okay on one only or other our out outside over own please really shall she should so some something still
    such than that that's the their them then there there's these they thing things this those through to today
    too under until up us very want was wasn't we we'll we're well were what what's whatever when where which
    while who whoever why will with won't would yes yet you you'd you'll you're you've your yours""".split()
)


@dataclass(frozen=True)
class Sentence:
    """One sentence as it is written, and its words in lower case."""

    text: str
    words: tuple[str, ...]
    question: bool


@dataclass(frozen=True)
class Text:
    """A text taken apart once. ``plain`` is folded: one kind of apostrophe, quote and hyphen."""

    raw: str

    @cached_property
    def plain(self) -> str:
        return folded(self.raw).strip()

    @cached_property
    def lower(self) -> str:
        return self.plain.casefold()

    @cached_property
    def words(self) -> tuple[str, ...]:
        return words_of(self.plain)

    @cached_property
    def vocabulary(self) -> frozenset[str]:
        return frozenset(self.words)

    @cached_property
    def sentences(self) -> tuple[Sentence, ...]:
        return sentences_of(self.plain)

    @property
    def first(self) -> str:
        return self.sentences[0].text if self.sentences else ""

    @property
    def last(self) -> str:
        return self.sentences[-1].text if self.sentences else ""


def words_of(text: str) -> tuple[str, ...]:
    """The words of folded text, in lower case."""
    return tuple(word.lower() for word in _WORD.findall(text))


def spaced(words: tuple[str, ...]) -> bool:
    """Whether words are words, and not the single characters of a script without spaces."""
    return sum(len(word) > 1 or word.isascii() for word in words) * 2 >= len(words)


def sentences_of(text: str) -> tuple[Sentence, ...]:
    """The sentences of folded text. "1. Send it" stays one sentence with its number."""
    found: list[str] = []
    for part in _ENDS.split(text):
        if not part.strip():
            continue
        if found and found[-1].rstrip(".").isdigit():
            found[-1] += " " + part.strip()
        else:
            found.append(part.strip())
    return tuple(Sentence(part, words_of(part), bool(_QUESTION.search(part))) for part in found)


def content(words: tuple[str, ...]) -> tuple[str, ...]:
    """The words that carry a topic, in their order."""
    return tuple(word for word in words if word not in SMALL_WORDS)


def heard(word: str, vocabulary: frozenset[str]) -> bool:
    """Whether ``word`` is in ``vocabulary``, an ending apart: ``report`` is heard in ``reports``, not the reverse."""
    if word in vocabulary:
        return True
    stem = _stem(word)
    return len(stem) >= 3 and not stem.isdigit() and any(_stem(other) == stem for other in vocabulary)


def _stem(word: str) -> str:
    """A word without its commonest English endings: enough to see the same word twice, and no linguistics."""
    word = word.removesuffix("'s")
    for ending, least in (("ing", 3), ("ied", 2), ("ies", 2), ("ed", 3), ("es", 3), ("s", 3), ("e", 3), ("y", 3)):
        if word.endswith(ending) and len(word) - len(ending) >= least:
            return word[: -len(ending)]
    return word
