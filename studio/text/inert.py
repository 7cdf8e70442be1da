"""Making text from a model or a file harmless before it reaches a terminal."""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\ufffd"
_KEPT = {"\n", "\t"}
_ZERO_WIDTH_JOINERS = {"\u200c", "\u200d"}  # needed to write Persian, Indic scripts and joined emoji


def inert(text: str) -> str:
    """``text`` with every control, bidi and other unprintable character replaced by U+FFFD.

    New lines and tabs stay. C0, DEL, C1 (``Cc``), format characters with bidi controls (``Cf``, but for the
    zero-width joiners that scripts need), surrogates and private use are replaced.
    """
    return "".join(_inert_character(character) for character in text)


def inert_line(text: str) -> str:
    """As :func:`inert`, on one line: runs of white space become one space."""
    return " ".join(inert(text).split())


def _inert_character(character: str) -> str:
    if character in _KEPT or character in _ZERO_WIDTH_JOINERS:
        return character
    category = unicodedata.category(character)
    return REPLACEMENT if category in ("Cc", "Cf", "Cs", "Co", "Zl", "Zp") else character
