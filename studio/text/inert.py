"""Making text from a model or a file harmless before it reaches a terminal, and finding what nobody writes by hand."""

from __future__ import annotations

import re
import unicodedata

from studio.text.normalize import UNSPACED

REPLACEMENT = "\ufffd"
_KEPT = {"\n", "\t", "\u200c", "\u200d"}
"""With the zero-width joiners, which Persian, Indic scripts and joined emoji are written with."""
_REPLACED = {"Cc", "Cf", "Cs", "Co", "Zl", "Zp"}

_UNFIT = re.compile(
    r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]"  # controls, but for tab and line ends
    r"|[\u202a-\u202e\u2066-\u2069]"  # what turns the writing around: text that reads otherwise than it is
    r"|[\u200b-\u200d\u2060-\u2064\ufeff]{2}"  # nothing to see, twice in a row
    rf"|(?<![{UNSPACED}])[\u200b\u2060-\u2064\ufeff](?![{UNSPACED}])"  # where no script breaks its lines there
    r"|(?<=[A-Za-z])[\u200c\u200d](?=[A-Za-z])"  # joiners, within a word that joins nothing
    r"|[\U000e0000-\U000e007f]"  # tags: a message within the message
)
_FLAG = re.compile("\U0001f3f4[\U000e0020-\U000e007e]+\U000e007f")


def unfit(text: str) -> str:
    """The first character that does not belong into a conversation (``U+202E``), empty where there is none: controls,
    changes of the writing direction, and invisible ones other than scripts and emoji need."""
    if text.isascii() and text.isprintable():
        return ""
    found = _UNFIT.search(_FLAG.sub("", text) if "\U0001f3f4" in text else text)
    return f"U+{ord(found[0][0]):04X}" if found else ""


def inert(text: str) -> str:
    """``text`` with every control, bidi and other unprintable character replaced by U+FFFD.

    New lines and tabs stay. C0, DEL, C1 (``Cc``), format characters with bidi controls (``Cf``, but for the
    zero-width joiners that scripts need), surrogates and private use are replaced.
    """
    return "".join(REPLACEMENT if unicodedata.category(one) in _REPLACED and one not in _KEPT else one for one in text)


def inert_line(text: str) -> str:
    """As :func:`inert`, on one line: runs of white space become one space."""
    return " ".join(inert(text).split())
