"""Required terms: whether a reply keeps the words of the request that a probe puts in brackets."""

from __future__ import annotations

from studio.text.words import words_of

_STEM = 5
"""Letters by which a longer word is known again with another ending: ``reviewing`` for ``review``."""


def keeps(reply: str, phrases: tuple[str, ...]) -> bool | None:
    """Whether every word of every phrase is in ``reply``, in any order and with any ending; None without phrases."""
    wanted = [word for phrase in phrases for word in words_of(phrase)]
    if not wanted:
        return None
    said = words_of(reply)
    stems = {word[:_STEM] for word in said}
    return all(word in said or (len(word) > _STEM and word[:_STEM] in stems) for word in wanted)
