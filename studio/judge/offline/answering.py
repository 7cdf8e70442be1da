"""The rules judge's answer: marks held down for what is wrong with the whole, steps, vocabulary, boundaries."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from studio.chatml import Messages
from studio.judge.offline.manners import hurtful, names_hurt
from studio.judge.offline.marks import Mark, mark
from studio.judge.offline.persona import Persona
from studio.judge.offline.reading import Reading
from studio.judge.offline.steps import steps_taken
from studio.judge.schema import Answer, BoundaryMark, TraitMark
from studio.letters import folded
from studio.spec.models import Trait

_MEASURED = ("faithful", "clear", "concise")
_ABOUT_HELPING = ("faithful", "clear")
_NEGATED = re.compile(r"\b(?:not|never|no|n't|without|nobody)\b[^.!?]{0,12}$|n't [^.!?]{0,12}$", re.IGNORECASE)


def answer(persona: Persona, messages: Messages, reading: Reading) -> Answer:
    """What the rules judge says of the last reply of ``messages``, of which ``reading`` is the reading."""
    taken = steps_taken(persona, reading)
    return Answer(
        violations=tuple(_violations(persona, messages)),
        steps=taken,
        preferred=persona.rules.preferred(reading.reply.raw),
        traits={trait.name: _trait(persona, reading, trait) for trait in persona.spec.traits},
    )


def _trait(persona: Persona, reading: Reading, trait: Trait) -> TraitMark:
    found = mark(persona, reading, trait)
    limit, why = _limit(persona, reading, trait)
    if found.score <= limit:
        return TraitMark(rationale=_sentence(found.why), quote=found.quote, score=found.score)
    return TraitMark(rationale=_sentence(f"{why}, so no more than {limit}"), quote=_shown(reading, found), score=limit)


def _limit(persona: Persona, reading: Reading, trait: Trait) -> tuple[Literal[0, 1, 2], str]:
    """The most that a trait can get in this reply: no manner makes up for nonsense, insults or a missing answer."""
    family = persona.families[trait.name]
    answering = family in _ABOUT_HELPING or not _heard_by_words(persona, trait)
    relevance, flow = reading.relevance, reading.fluency
    if flow.broken:
        return 0, f"the reply cannot be read: {flow.flaw}"
    if reading.hurt:
        return 1 if family in _MEASURED else 0, f"it hurts: '{reading.hurt[1]}'"
    if relevance.wrong and (answering or (relevance.empty and family == "concise")):
        return 0, relevance.why
    if relevance.wrong:
        return 1, relevance.why
    if flow.flawed:
        return 1, f"the reply does not read well: {flow.flaw}"
    if reading.bare and family not in _MEASURED:
        return 1, "the bare answer, with nothing of the persona before or after it"
    if not relevance.answered and answering:
        return 1, relevance.why
    return 2, ""


def _heard_by_words(persona: Persona, trait: Trait) -> bool:
    """Whether anything but likeness to the persona's own replies tells of a trait: cues, known words, or its length."""
    family = persona.families[trait.name]
    return bool(trait.cues) or (persona.english and family is not None) or family == "concise"


def _shown(reading: Reading, found: Mark) -> str:
    return reading.hurt[1] if reading.hurt else reading.fluency.quote or found.quote


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}." if text else ""


def _violations(persona: Persona, messages: Messages) -> Iterator[BoundaryMark]:
    """Boundaries crossed in any assistant turn: by the spec's cues, unless they are denied, and by what hurts."""
    for message in messages:
        if message.role != "assistant":
            continue
        plain = folded(message.content)
        for name, cues in persona.rules.boundaries:
            for at, said in (found for cue in cues for found in cue.each(plain)):
                if not _NEGATED.search(plain[:at]):
                    yield BoundaryMark(id=name, quote=said)
        hurt = hurtful(plain) if persona.english else None
        crossed = [bound.id for bound in persona.spec.boundaries if hurt and names_hurt(hurt[0], bound.never)]
        if hurt and crossed:
            yield BoundaryMark(id=crossed[0], quote=hurt[1])
