"""Finding phrases as whole words in text of any script."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from studio.text.normalize import UNSPACED, folded

# A phrase may begin and end anywhere in scripts without spaces.
_UNSPACED = re.compile(f"[{UNSPACED}]")


class Plain(NamedTuple):
    """A text made ready to be searched for many phrases."""

    text: str
    """Folded, in its own case."""
    caseless: str

    @classmethod
    def of(cls, text: str) -> Plain:
        plain = folded(text)
        return cls(plain, plain.casefold())


@dataclass(frozen=True, slots=True)
class Phrase:
    """A literal to look for: any case, any white space between its words, whole words only."""

    name: str
    _expression: re.Pattern[str]
    _hint: str
    """A word that is in every text that has the phrase; looking for it is twenty times faster."""

    @classmethod
    def of(cls, literal: str) -> Phrase:
        words = folded(literal).split()
        expression = re.compile(r"\s+".join(re.escape(word) for word in words), re.IGNORECASE)
        return cls(literal, expression, max((word.lower() for word in words if word.isascii()), key=len, default=""))

    def find(self, text: str | Plain) -> str | None:
        """The first occurrence, as it is written in the text; None where there is none. A str is folded already."""
        return next((said for _, said in self.each(text)), None)

    def each(self, text: str | Plain) -> Iterator[tuple[int, str]]:
        """Every occurrence with the place where it begins; see :meth:`find`. They may overlap."""
        plain = Plain(text, text.casefold()) if isinstance(text, str) else text
        at = 0 if self._hint in plain.caseless else len(plain.text)
        while at < len(plain.text) and (match := self._expression.search(plain.text, at)):
            start, end = match.span()
            if start < end and not (_joins(plain.text, start) or _joins(plain.text, end)):
                yield start, match[0]
            at = start + 1


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
