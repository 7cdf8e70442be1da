"""Thinking aloud, which some models put before their reply: it is not part of what was said."""

from __future__ import annotations

import re

_TAGS = ("<think>", "<thinking>", "<reasoning>")
_THOUGHT = re.compile(r"\s*<(think|thinking|reasoning)>.*?(</\1>|\Z)\s*", re.DOTALL)
_END_OF_THOUGHT = "</think>"


def without_thoughts(text: str) -> str:
    """``text`` without the blocks of thought that it begins with. One that never ends is all there is.

    Some templates open the block themselves, so that only its end is in the text.
    """
    rest = text
    while found := _THOUGHT.match(rest):
        rest = rest[found.end() :]
    head, end, tail = rest.partition(_END_OF_THOUGHT)
    if end and rest is text and not head.lstrip().startswith(("{", "```")):
        return tail.lstrip()
    return rest


class ThoughtFilter:
    """The same for a reply that arrives in pieces: what may yet turn out to be a thought is held back."""

    def __init__(self) -> None:
        self._held: str | None = ""

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        if self._held is None:
            return piece
        self._held += piece
        start = self._held.lstrip()
        thinking = any(tag.startswith(start[: len(tag)]) for tag in _TAGS)
        over = "</" in start and without_thoughts(start) != ""
        return "" if thinking and not over else self.end()

    def end(self) -> str:
        """What was held back and is no thought after all."""
        held, self._held = self._held, None
        return without_thoughts(held) if held else ""
