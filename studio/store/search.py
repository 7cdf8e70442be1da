"""Searching conversations by words, in any script."""

from __future__ import annotations

import re
import unicodedata

from studio.chatml import Messages
from studio.text.normalize import UNSPACED

# Where a script has no spaces between words, a character counts as a word.
_UNSPACED = re.compile(f"([{UNSPACED}])")


def spaced(text: str) -> str:
    """``text`` for the word index: composed (NFC), with spaces around each character of a script that has none."""
    if text.isascii():
        return text
    return _UNSPACED.sub(r" \1 ", unicodedata.normalize("NFC", text))


def words(messages: Messages) -> str:
    """What of a conversation the index holds."""
    return spaced("\n".join(message.content for message in messages))


def query(text: str) -> str:
    """An FTS5 query for conversations that hold all words of ``text``, each at the beginning of a word.

    Nothing in ``text`` is syntax. Without any word in it the query finds nothing.
    """
    parts = [" ".join(re.findall(r"\w+", spaced(part))) for part in text.split()]
    return " AND ".join(f'"{part}" *' for part in parts if part) or '""'
