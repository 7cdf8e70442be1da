"""Making text from a model or a file harmless before it reaches a terminal."""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\ufffd"
_KEPT = {"\n", "\t", "\u200c", "\u200d"}
"""With the zero-width joiners, which Persian, Indic scripts and joined emoji are written with."""
_REPLACED = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}


def inert(text: str) -> str:
    """``text`` with every control, bidi and other unprintable character replaced by U+FFFD.

    New lines and tabs stay. C0, DEL, C1 (``Cc``), format characters with bidi controls (``Cf``, but for the
    zero-width joiners that scripts need), surrogates and private use are replaced.
    """
    return "".join(REPLACEMENT if unicodedata.category(one) in _REPLACED and one not in _KEPT else one for one in text)


def inert_line(text: str) -> str:
    """As :func:`inert`, on one line: runs of white space become one space."""
    return " ".join(inert(text).split())
