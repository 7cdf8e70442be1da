"""The phrases and patterns of a spec that a reply must not hold, compiled once and asked of every reply."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import regex

from studio.chatml import Frozen
from studio.spec.generic import GENERIC_AI
from studio.spec.matching import Phrase, Plain
from studio.spec.model import Spec, compiled

PATTERN_SECONDS = 0.05
"""CPU time that one search for a pattern may take: what backtracks without end is given up."""


class Hit(Frozen):
    """A rule that a text breaks: which one, and the words of the text.

    ``pattern_timeout`` is no rule broken but one that could not be checked: its pattern took too long.
    """

    kind: Literal["banned", "pattern", "generic", "boundary", "pattern_timeout"]
    name: str
    """The literal or pattern as the spec has it, or the boundary's id."""
    quote: str


@dataclass(frozen=True)
class Rules:
    """What a reply must not say, and what it does well to say. Make it with :meth:`of`.

    The texts given to the methods are raw; apostrophes, quotes, hyphens and composed letters are made alike first.
    """

    banned: tuple[Phrase, ...]
    patterns: tuple[regex.Pattern[str], ...]
    generic: tuple[Phrase, ...]
    prefer: tuple[Phrase, ...]
    boundaries: tuple[tuple[str, tuple[Phrase, ...]], ...]

    @classmethod
    def of(cls, spec: Spec) -> Rules:
        words = spec.vocabulary
        return cls(
            banned=_phrases(words.avoid),
            patterns=tuple(compiled(pattern) for pattern in words.avoid_patterns),
            generic=_generic() if words.avoid_generic_ai else (),
            prefer=_phrases(words.prefer),
            boundaries=tuple((boundary.id, _phrases(boundary.phrases)) for boundary in spec.boundaries),
        )

    def broken(self, text: str) -> tuple[Hit, ...]:
        """Every rule that ``text`` breaks: banned words, patterns, generic phrases, boundary phrases, in this order."""
        plain = Plain.of(text)
        hits = [*_hits("banned", self.banned, plain), *self._pattern_hits(plain)]
        hits += _hits("generic", self.generic, plain)
        for boundary, phrases in self.boundaries:
            hits += [Hit(kind="boundary", name=boundary, quote=hit.quote) for hit in _hits("boundary", phrases, plain)]
        return tuple(hits)

    def preferred(self, text: str) -> tuple[str, ...]:
        """The preferred expressions in ``text``, as the spec has them."""
        plain = Plain.of(text)
        return tuple(phrase.name for phrase in self.prefer if phrase.find(plain))

    def _pattern_hits(self, plain: Plain) -> list[Hit]:
        hits = []
        for pattern in self.patterns:
            try:
                match = pattern.search(plain.text, timeout=PATTERN_SECONDS)
            except TimeoutError:
                hits.append(Hit(kind="pattern_timeout", name=pattern.pattern, quote=""))
                continue
            if match:
                hits.append(Hit(kind="pattern", name=pattern.pattern, quote=match[0]))
        return hits


def _hits(kind: Literal["banned", "generic", "boundary"], phrases: Iterable[Phrase], plain: Plain) -> list[Hit]:
    found = ((phrase, phrase.find(plain)) for phrase in phrases)
    return [Hit(kind=kind, name=phrase.name, quote=quote) for phrase, quote in found if quote]


def _phrases(literals: Iterable[str]) -> tuple[Phrase, ...]:
    return tuple(Phrase.of(literal) for literal in literals)


@lru_cache(maxsize=1)
def _generic() -> tuple[Phrase, ...]:
    return _phrases(GENERIC_AI)
