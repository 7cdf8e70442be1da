"""Sentences of a text, each with its own end mark."""

from __future__ import annotations

import re

_CLOSING = "\"'\u201d\u2019)\\]\u300d\u300f\uff09"
_WIDE_ENDS = "\u3002\uff01\uff1f"
_END = re.compile(rf"(?<=[.!?\u2026])[{_CLOSING}]*\s+|(?<=[{_WIDE_ENDS}])[{_CLOSING}]*\s*|\n+")


def sentences(text: str) -> list[str]:
    """The sentences of ``text`` without space around them; a line break ends one too."""
    found, start = [], 0
    for match in _END.finditer(text):
        found.append(text[start : match.end()].strip())
        start = match.end()
    return [sentence for sentence in [*found, text[start:].strip()] if sentence]
