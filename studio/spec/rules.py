"""The phrases and patterns of a spec that a reply must not hold, compiled once and asked of every reply.

Phrases are literals, found as whole words in text of any script: any case, any white space, any apostrophe.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal, NamedTuple

from studio.chatml import Frozen
from studio.spec.model import Spec, compiled
from studio.text.normalize import UNSPACED, folded

PATTERN_SECONDS = 0.05
"""CPU time that one search for a pattern may take: what backtracks without end is given up."""

GENERIC_AI = tuple(
    phrase.strip()
    for phrase in """
    As an AI | As a language model | As a large language model | As an artificial intelligence | I'm an AI |
    I am an AI | I'm just an AI | AI language model | AI assistant | my training data | my knowledge cutoff |
    I'd be happy to | I would be happy to | I'm happy to help | I'd be glad to | I would be glad to |
    I'm here to help | I am here to help | I'm here to assist | How can I assist you | How may I assist you |
    How can I help you today | Is there anything else I can help | Is there anything else you'd like |
    Feel free to ask | Feel free to reach out | Don't hesitate to ask | Don't hesitate to reach out |
    Please don't hesitate | Let me know if you have any questions | Let me know if you have any other questions |
    Let me know if there's anything else | I hope this helps | I hope that helps | Hope this helps | Certainly! Here |
    Of course! Here | Sure! Here's | Absolutely! Here | Great question! | That's a great question |
    What a great question | It's important to note that | It is important to note that | It's worth noting that |
    I apologize for any inconvenience | I apologize for any confusion | I apologize for the confusion |
    I don't have personal opinions | I don't have feelings | I cannot fulfill | I can't fulfill that request |
    In today's fast-paced world | delve into | Let's delve | Thank you for reaching out | Thanks for reaching out |
    I understand your frustration | I understand how frustrating | a testament to
    """.split("|")
)
"""Phrases by which text gives itself away as an AI assistant's, whatever the persona; ``avoid_generic_ai``."""

# A phrase may begin and end anywhere in scripts without spaces.
_UNSPACED = re.compile(f"[{UNSPACED}]")


class Hit(Frozen):
    """A rule that a text breaks: which one, and the words of the text.

    ``pattern_timeout`` is no rule broken but one that could not be checked: its pattern took too long.
    """

    kind: Literal["banned", "pattern", "generic", "boundary", "pattern_timeout"]
    name: str
    """The literal or pattern as the spec has it, or the boundary's id."""
    quote: str


class Plain(NamedTuple):
    """A text made ready to be searched for many phrases."""

    text: str
    """Folded, in its own case."""
    caseless: str

    @classmethod
    def of(cls, text: str) -> Plain:
        plain = folded(text)
        return cls(plain, plain.casefold())


class Phrase:
    """A literal to look for: any case, any white space between its words, whole words only."""

    def __init__(self, literal: str) -> None:
        words = folded(literal).split()
        self._expression = re.compile(r"\s+".join(re.escape(word) for word in words), re.IGNORECASE)
        # A word that is in every text that has the phrase; looking for it is twenty times faster.
        self._hint = max((word.lower() for word in words if word.isascii()), key=len, default="")

    def find(self, plain: Plain) -> str | None:
        """The first occurrence, as it is written in the text; None where there is none."""
        at = 0 if self._hint in plain.caseless else len(plain.text)
        while at < len(plain.text) and (match := self._expression.search(plain.text, at)):
            start, end = match.span()
            if start < end and not (_joins(plain.text, start) or _joins(plain.text, end)):
                return match[0]
            at = start + 1
        return None


class Rules:
    """What a reply must not say, and what it does well to say.

    The texts given to the methods are raw; apostrophes, quotes, hyphens and composed letters are made alike first.
    """

    def __init__(self, spec: Spec) -> None:
        words = spec.vocabulary
        self._banned, self._prefer = _phrases(words.avoid), _phrases(words.prefer)
        self._patterns = [compiled(pattern) for pattern in words.avoid_patterns]
        self._generic = _phrases(GENERIC_AI) if words.avoid_generic_ai else ()
        self._boundaries = [(one.id, phrase) for one in spec.boundaries for _, phrase in _phrases(one.phrases)]

    def broken(self, text: str) -> tuple[Hit, ...]:
        """Every rule that ``text`` breaks: banned words, patterns, generic phrases, boundary phrases, in this order."""
        plain = Plain.of(text)
        return (
            *_hits("banned", self._banned, plain),
            *self._pattern_hits(plain),
            *_hits("generic", self._generic, plain),
            *_hits("boundary", self._boundaries, plain),
        )

    def preferred(self, text: str) -> tuple[str, ...]:
        """The preferred expressions in ``text``, as the spec has them."""
        plain = Plain.of(text)
        return tuple(name for name, phrase in self._prefer if phrase.find(plain))

    def _pattern_hits(self, plain: Plain) -> list[Hit]:
        hits = []
        for pattern in self._patterns:
            try:
                if match := pattern.search(plain.text, timeout=PATTERN_SECONDS):
                    hits.append(Hit(kind="pattern", name=pattern.pattern, quote=match[0]))
            except TimeoutError:
                hits.append(Hit(kind="pattern_timeout", name=pattern.pattern, quote=""))
        return hits


Named = tuple[str, Phrase]


@lru_cache(maxsize=64)
def _phrases(literals: tuple[str, ...]) -> tuple[Named, ...]:
    return tuple((literal, Phrase(literal)) for literal in literals)


def _hits(kind: Literal["banned", "generic", "boundary"], phrases: Iterable[Named], plain: Plain) -> list[Hit]:
    return [Hit(kind=kind, name=name, quote=quote) for name, phrase in phrases if (quote := phrase.find(plain))]


def _joins(text: str, at: int) -> bool:
    """True where the characters on both sides of ``at`` belong to one word."""
    if at == 0 or at == len(text):
        return False
    before, after = text[at - 1], text[at]
    if unicodedata.category(after)[0] == "M":
        return True
    if not (_in_word(before) and _in_word(after)):
        return False
    return not (_UNSPACED.match(before) or _UNSPACED.match(after))


def _in_word(character: str) -> bool:
    return character == "_" or unicodedata.category(character)[0] in "LNM"
