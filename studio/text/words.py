"""Words of a text, in any script."""

from __future__ import annotations

import re

from studio.text.normalize import UNSPACED, folded

_WORD = re.compile(rf"[{UNSPACED}]|[^\W_]+(?:['.,:\-][^\W_]+)*")


def words_of(text: str) -> tuple[str, ...]:
    """The words in lower case, with their inner marks (``9:15``, ``don't``); single characters of scripts without
    spaces."""
    return tuple(_WORD.findall(folded(text).casefold()))
