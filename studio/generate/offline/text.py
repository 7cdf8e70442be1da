"""Small changes to text that leave it well written: sentences, capitals, articles."""

from __future__ import annotations

import re
from collections.abc import Collection
from functools import lru_cache

from studio.letters import UNSPACED, folded

_CLOSING = "\"'\u201d\u2019)\\]\u300d\u300f\uff09"
_WIDE_ENDS = "\u3002\uff01\uff1f"
_END = re.compile(rf"(?<=[.!?\u2026])[{_CLOSING}]*\s+|(?<=[{_WIDE_ENDS}])[{_CLOSING}]*\s*")
_AN = re.compile(r"(?i)(?:8|11\b|18\b|hour|honest|heir|(?!uni|use|usa|usu|eu|one\b|once\b|ubi)[aeiou])")
_ARTICLE = re.compile(r"(?<![^\W\d_])([Aa])(n?)(\s+)\Z")
_I = re.compile(r"I(?![^\W_])")
_WORD = re.compile(r"[^\W\d_]{3,}")
_UNSPACED = re.compile(f"[{UNSPACED}]")
_COMMON = frozenset(
    "the and for you your with have has had not that this what how when does can may will are was".split()
)


def sentences(text: str) -> list[str]:
    """The sentences of ``text``, each with its own end mark and no space around it."""
    found, start = [], 0
    for match in _END.finditer(text):
        found.append(text[start : match.end()].strip())
        start = match.end()
    return [sentence for sentence in [*found, text[start:].strip()] if sentence]


def joined(parts: Collection[str], unspaced: bool = False) -> str:
    return ("" if unspaced else " ").join(part for part in parts if part)


def plain(text: str) -> str:
    """``text`` for comparing: lower case, one kind of apostrophe, no punctuation at its ends, single spaces."""
    return " ".join(folded(text).casefold().split()).strip(" .!?\u2026,;:\"'\u3001" + _WIDE_ENDS)


def capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def small(text: str, keep: Collection[str] = ()) -> str:
    """``text`` as it goes on inside a sentence. I, abbreviations and words in ``keep`` stay as they are."""
    first = text.split(maxsplit=1)[0] if text.strip() else ""
    bare = first.strip("\"',.!?:;")
    if _I.match(text) or bare in keep or sum(letter.isupper() for letter in bare) > 1:
        return text
    return text[:1].lower() + text[1:]


def article_fixed(before: str, word: str) -> str:
    """``before``, which ends with an English a or an, with the one that ``word`` wants; else unchanged."""
    match = _ARTICLE.search(before)
    if match is None:
        return before
    return f"{before[: match.start()]}{match[1]}{'n' if _AN.match(word) else ''}{match[3]}"


@lru_cache(maxsize=16_384)
def stems(text: str) -> frozenset[str]:
    """Words without their usual English endings, five letters at most: ``transfers`` is ``transferred``."""
    words = (re.sub(r"(?:ing|ed|es|s)\Z", "", word.casefold()) for word in _WORD.findall(text))
    return frozenset(word[:5] for word in words if len(word) > 2) - _COMMON


def bounded(literal: str) -> str:
    """A regular expression for ``literal`` on whole words; scripts without spaces need no boundary."""
    left = r"(?<![^\W_])" if _spaced(literal[:1]) else ""
    right = r"(?![^\W_])" if _spaced(literal[-1:]) else ""
    return left + re.escape(literal) + right


def _spaced(character: str) -> bool:
    """Whether ``character`` belongs to a script that puts spaces between words."""
    return character.isalnum() and not _UNSPACED.match(character)
