"""One reply read once: what it was asked, what it kept, whether it answers, and how it reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.chatml import Messages
from studio.judge.offline.answers import LIKE, Expected
from studio.judge.offline.fluency import Flaw, Fluency, flaws_of, fluency
from studio.judge.offline.framing import own_words
from studio.judge.offline.manners import hurtful
from studio.judge.offline.neighbours import odd
from studio.judge.offline.persona import Persona, Turn, request_bag
from studio.judge.offline.text import Text, heard

ANSWERED, PARTLY = 0.75, 0.4
"""From the first on a reply answers, from the second it answers in part or as far as can be told."""
SIMILAR = 0.25
"""Likeness to the spec's own answers from which a reply may be one of them in other words."""
FOREIGN = 0.5
"""Share of words that neither the spec nor the user has, over which a sentence speaks of something else."""


@dataclass(frozen=True)
class Relevance:
    """How far the reply answers the request as the spec's own replies do, 0..1, and why not further."""

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


@dataclass(frozen=True)
class Reading:
    request: Text
    reply: Text
    keep: tuple[str, ...]
    """The words of the request that a reply has to repeat."""
    missing: tuple[str, ...]
    relevance: Relevance
    out_of_place: bool
    """Opens with words that the examples have for other kinds of requests only."""
    manner: float
    """0..1: how much it opens, answers and closes as the examples do."""
    fluency: Fluency
    hurt: tuple[str, str] | None
    """(kind, words) where the reply is hurtful."""


def read(persona: Persona, messages: Messages, scenario: str = "") -> Reading:
    """The last assistant turn of ``messages``, read as the answer to the user turn before it."""
    turn = persona.turn(messages)
    expected = persona.answers.expected(request_bag(turn.request, turn.asked), scenario)
    missing = tuple(word for word in turn.asked.keep if not heard(word, turn.reply.vocabulary))
    return Reading(
        request=turn.request,
        reply=turn.reply,
        keep=turn.asked.keep,
        missing=missing,
        relevance=_relevance(persona, turn, expected, missing),
        out_of_place=len(turn.framed) > 1 and persona.answers.opens_elsewhere(turn.framed[0], turn.asks, expected),
        manner=persona.answers.manner(turn.framed, turn.body),
        fluency=_fluency(persona, turn),
        hurt=hurtful(turn.reply.plain) if persona.english else None,
    )


def _fluency(persona: Persona, turn: Turn) -> Fluency:
    flaws = flaws_of(turn.reply, english=persona.english, ends_marked=persona.voice.ends_marked)
    flaws += [
        Flaw(0.3, "one of the persona's sentences with its words in another order", sentence.text)
        for sentence, framed in zip(turn.reply.sentences, turn.framed, strict=True)
        if persona.answers.scrambled(framed)
    ]
    return fluency([flaw for flaw in flaws if flaw.why not in persona.voice.habits])


def _relevance(persona: Persona, turn: Turn, expected: Expected, missing: Sequence[str]) -> Relevance:
    keep, lost = turn.asked.keep, ", ".join(missing)
    foreign = _foreign(persona, turn)
    if invented := persona.keeping.invented(turn.reply, turn.said.words, missing):
        return Relevance(0.3, f"brings in '{invented}', which nobody mentioned")
    if missing and foreign:
        return Relevance(0.3, f"puts '{foreign[0]}' in the place of what was asked about: {lost}")
    share = 1 - len(missing) / len(keep) if keep else 1.0
    if share < 0.5:
        return Relevance(0.1 + 0.4 * share, f"leaves out what it was asked about: {lost}", empty=not turn.body)
    compared = _compared(persona, turn, expected)
    if missing and not compared.wrong:
        return Relevance(0.6, f"loses a part of what it was asked about: {lost}")
    return compared


def _compared(persona: Persona, turn: Turn, expected: Expected) -> Relevance:
    """The body of the reply against what the examples show of answering such a request."""
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
    if speaks_of := _elsewhere(persona, turn):
        return Relevance(0.3, f"speaks of what nobody mentioned: {speaks_of}")
    if persona.english and any(odd(sentence.text) for sentence in turn.reply.sentences):
        return Relevance(0.3, "in words of its own, which do not read well")
    return Relevance(0.6, "in words of its own, of which no example shows that they answer this")


def _foreign(persona: Persona, turn: Turn) -> list[str]:
    """The words of the body that neither the spec nor the user has."""
    known = persona.vocabulary | turn.said.vocabulary
    return [word for sentence in turn.body for word in own_words(sentence) if not heard(word, known)]


def _elsewhere(persona: Persona, turn: Turn) -> str:
    """The foreign words of a sentence of the body that has more of them than others; empty if there is none."""
    known = persona.vocabulary | turn.said.vocabulary
    for sentence in turn.body:
        own = own_words(sentence)
        foreign = [word for word in own if not heard(word, known)]
        if len(foreign) > FOREIGN * len(own):
            return ", ".join(foreign)
    return ""
