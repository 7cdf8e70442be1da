"""Phrases heard in a reply, and in which of its sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.judge.offline.text import Text
from studio.spec.matching import Phrase, Plain


@dataclass(frozen=True)
class Heard:
    """Cues that were heard: each with the number of its sentence. No two overlap."""

    words: tuple[tuple[str, int], ...]

    def __len__(self) -> int:
        return len(self.words)

    @property
    def first(self) -> str:
        return self.words[0][0] if self.words else ""

    def within(self, numbers: Sequence[int]) -> str:
        """The first cue in one of these sentences; empty if none."""
        return next((word for word, number in self.words if number in numbers), "")


def hear(reply: Text, phrases: Sequence[Phrase], besides: Heard | None = None) -> Heard:
    """The phrases that the reply holds, the longest where they overlap, in the order of the reply."""
    plain = Plain(reply.plain, reply.lower)
    spans: list[tuple[int, int, str]] = []
    for phrase in phrases:
        if said := phrase.find(plain):
            at = plain.text.find(said)
            spans.append((at, at + len(said), said))
    taken = [(plain.text.find(word), word) for word, _ in besides.words] if besides else []
    free = [span for span in spans if not any(at < span[1] and span[0] < at + len(word) for at, word in taken)]
    kept: list[tuple[int, int, str]] = []
    for span in sorted(free, key=lambda span: (span[0] - span[1], span[0])):
        if not any(span[0] < end and start < span[1] for start, end, _ in kept):
            kept.append(span)
    return Heard(tuple((said, _number(reply, start)) for start, _, said in sorted(kept)))


def _number(reply: Text, at: int) -> int:
    """The number of the sentence that holds the character ``at``."""
    end = 0
    for number, sentence in enumerate(reply.sentences):
        end = reply.plain.find(sentence.text[:40], end) + len(sentence.text)
        if at < end:
            return number
    return max(0, len(reply.sentences) - 1)
