"""Reasoning, the thinking aloud that some models put before their reply: it is no part of what was said."""

from __future__ import annotations

import re

_TAGS = ("<think>", "<thinking>", "<reasoning>")
_THOUGHT = re.compile(r"\s*<(think|thinking|reasoning)>.*?(</\1>|\Z)\s*", re.DOTALL)
_END_OF_THOUGHT = "</think>"


def without_reasoning(text: str) -> str:
    """``text`` without the blocks of reasoning that it begins with. One that never ends is all there is.

    Some templates open the block themselves, so that only its end is in the text.
    """
    rest = text
    while found := _THOUGHT.match(rest):
        rest = rest[found.end() :]
    head, end, tail = rest.partition(_END_OF_THOUGHT)
    if end and rest is text and not head.lstrip().startswith(("{", "```")):
        return tail.lstrip()
    return rest


class ReasoningFilter:
    """The same for a reply that arrives in pieces: what may yet turn out to be a thought is held back.

    Where a template opens the block itself nothing tells a thought from a reply before its end has come, so such
    thoughts are shown. Each piece is looked at once, however long the thought.
    """

    def __init__(self) -> None:
        self._held = ""
        """What may be the beginning of a tag, or of the end that is waited for."""
        self._blank: list[str] = []
        """White space before it, which goes with a thought."""
        self._end_tag = ""
        """Inside a thought, what ends it."""
        self._thought = self._open = False

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        if self._open:
            return piece
        self._held += piece
        while self._left_thought() and (tag := self._tag()):
            self._held, self._end_tag, self._thought = self._held[len(tag) :], f"</{tag[1:]}", True
        if self._end_tag or any(tag.startswith(self._held) for tag in _TAGS):
            return ""
        return self.end()

    def end(self) -> str:
        """What was held back and is no thought after all."""
        self._open = True
        held = self._held if self._thought else "".join((*self._blank, self._held))
        self._held = ""
        self._blank.clear()
        return "" if self._end_tag else held

    def _left_thought(self) -> bool:
        """Whether what is held is outside of a thought. What is inside is dropped."""
        if not self._end_tag:
            return True
        _, end, rest = self._held.partition(self._end_tag)
        if not end:
            self._held = self._held[1 - len(self._end_tag) :]
            return False
        self._held, self._end_tag = rest, ""
        return True

    def _tag(self) -> str | None:
        """The tag that what is held begins with, white space apart."""
        start = self._held.lstrip()
        self._blank.append(self._held[: len(self._held) - len(start)])
        self._held = start
        return next((tag for tag in _TAGS if start.startswith(tag)), None)
