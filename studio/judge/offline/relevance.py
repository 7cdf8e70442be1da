"""Whether a reply answers its request as the spec's own replies answer such requests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.judge.offline.answers import LIKE, Expected
from studio.judge.offline.framing import own_words
from studio.judge.offline.neighbours import odd
from studio.judge.offline.persona import Persona
from studio.judge.offline.text import heard
from studio.judge.offline.turns import Turn

ANSWERED, PARTLY = 0.75, 0.4
"""From the first on a reply answers, from the second it answers in part or as far as can be told."""
SIMILAR = 0.25
"""Likeness to the spec's own answers from which a reply may be one of them in other words."""
FOREIGN = 0.5
"""Share of words that neither the spec nor the user has, over which a sentence speaks of something else."""


@dataclass(frozen=True)
class Relevance:
    """How far the reply answers, 0..1, and why not further."""

    value: float
    why: str = ""
    empty: bool = False
    """Phrases only: there is no answer in it."""

    @property
    def answered(self) -> bool:
        return self.value >= ANSWERED

    @property
    def wrong(self) -> bool:
        return self.value < PARTLY


def relevance(persona: Persona, turn: Turn, expected: Expected, missing: Sequence[str]) -> Relevance:
    """By what is kept of the request (all but ``missing``), what is brought in, and what is done with it."""
    keep, lost = turn.asked.keep, ", ".join(missing)
    if invented := persona.keeping.invented(turn.reply, turn.said.words, missing):
        return Relevance(0.3, f"brings in '{invented}', which nobody mentioned")
    if missing and (strange := next((words[0] for _, words in _foreign(persona, turn) if words), "")):
        return Relevance(0.3, f"puts '{strange}' in the place of what was asked about: {lost}")
    share = 1 - len(missing) / len(keep) if keep else 1.0
    if share < 0.5:
        return Relevance(0.1 + 0.4 * share, f"leaves out what it was asked about: {lost}", empty=not turn.body)
    compared = _compared(persona, turn, expected)
    if missing and not compared.wrong:
        return Relevance(0.6, f"loses a part of what it was asked about: {lost}")
    return compared


def _compared(persona: Persona, turn: Turn, expected: Expected) -> Relevance:
    """The body of the reply against what the examples show of answering such a request.

    Where it is none of their answers it may be one in other words. That is believed as far as it can be told: it has
    something of them, if they are known, speaks of nothing else, and reads well.
    """
    if not persona.answers:
        return Relevance(1.0)
    if not turn.body and all(one.body for one in expected.exchanges):
        return Relevance(0.2, "phrases that fit any request, and no answer to this one", empty=True)
    found = persona.answers.likeness(turn.framed, turn.body, expected)
    if found.anothers:
        return Relevance(0.3, "answers something else: it reads like the reply to another kind of request")
    if found.contradicts:
        return Relevance(0.3, "denies what the spec's own answers say, or says what they deny")
    if found.value >= LIKE:
        return Relevance(1.0) if expected.known else Relevance(0.6, "no example shows what to answer here")
    if any(sentence in turn.requested for sentence in turn.body):
        return Relevance(0.2, "gives the request back")
    if expected.known and found.value < SIMILAR:
        return Relevance(0.3, "is not like any of the spec's own answers to such a request")
    if strange := _elsewhere(persona, turn, expected):
        return Relevance(0.3, f"speaks of something else: {', '.join(strange)}")
    if persona.english and any(odd(sentence.text) for sentence in turn.reply.sentences):
        return Relevance(0.3, "is in words of its own, which do not read well")
    return Relevance(0.6, "is in words of its own, of which no example shows that they answer this")


def _elsewhere(persona: Persona, turn: Turn, expected: Expected) -> list[str]:
    """The strange words of a sentence of the body that has more of them than others, or no word of those expected."""
    near = persona.answers.vocabulary(expected) | turn.said.vocabulary
    for own, foreign in _foreign(persona, turn):
        if len(foreign) > FOREIGN * len(own):
            return foreign
        if expected.known and own and not any(heard(word, near) for word in own):
            return own
    return []


def _foreign(persona: Persona, turn: Turn) -> list[tuple[list[str], list[str]]]:
    """Of each sentence of the body, the words that carry meaning, and those that neither the spec nor the user has."""
    known = persona.vocabulary | turn.said.vocabulary
    return [(own, [word for word in own if not heard(word, known)]) for own in map(own_words, turn.body)]
