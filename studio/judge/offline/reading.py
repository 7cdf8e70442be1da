"""One reply read once: what it was asked, what it kept, whether it answers, and how it reads."""

from __future__ import annotations

from dataclasses import dataclass

from studio.chatml import Messages
from studio.judge.offline.fluency import Flaw, Fluency, flaws_of, fluency
from studio.judge.offline.manners import hurtful
from studio.judge.offline.persona import Persona
from studio.judge.offline.relevance import Relevance, relevance
from studio.judge.offline.text import Text, heard
from studio.judge.offline.turns import Turn


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
    bare: bool
    """The answer alone, without what the examples say before and after it."""
    manner: float
    """0..1: how much it opens, answers and closes as the examples do."""
    fluency: Fluency
    hurt: tuple[str, str] | None
    """(kind, words) where the reply is hurtful."""


def read(persona: Persona, messages: Messages, scenario: str = "") -> Reading:
    """The last assistant turn of ``messages``, read as the answer to the user turn before it."""
    turn = persona.turn(messages)
    expected = persona.answers.expected(turn.bag, scenario)
    missing = tuple(word for word in turn.asked.keep if not heard(word, turn.reply.vocabulary))
    return Reading(
        request=turn.request,
        reply=turn.reply,
        keep=turn.asked.keep,
        missing=missing,
        relevance=relevance(persona, turn, expected, missing),
        out_of_place=len(turn.framed) > 1 and persona.answers.opens_elsewhere(turn.framed[0], turn.asks, expected),
        bare=persona.answers.bare(turn.framed, expected),
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
