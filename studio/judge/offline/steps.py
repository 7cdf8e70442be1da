"""Which steps of the persona's pattern a reply takes."""

from __future__ import annotations

from studio.judge.offline.persona import Persona
from studio.judge.offline.reading import Reading
from studio.judge.offline.text import Sentence, Text
from studio.spec.models import Step

LIKE_A_PHRASE = 0.4
"""Share of common words from which a sentence counts as another way to say a step's phrase."""
_OPENING_FAMILIES = ("encouraging", "supportive", "calm")


def steps_taken(persona: Persona, reading: Reading) -> dict[str, bool]:
    """By step: told by its phrases, by its place, or, where it has no phrases, by an answer being there."""
    found = persona.rules.step_phrases(reading.reply.raw)
    last = len(persona.spec.patterns) - 1
    taken = {}
    for at, step in enumerate(persona.spec.patterns):
        if not step.phrases:
            taken[step.step] = not (reading.relevance.wrong or reading.fluency.broken)
        else:
            taken[step.step] = bool(found[step.step]) or _by_place(persona, reading, step, at == 0, at == last)
    return taken


def _by_place(persona: Persona, reading: Reading, step: Step, first: bool, last: bool) -> bool:
    sentences = reading.reply.sentences
    if not sentences:
        return False
    place = sentences[:1] if first else sentences[-1:] if last else sentences
    phrases = [Text(phrase) for phrase in step.phrases]
    if any(_overlap(sentence, phrase) >= LIKE_A_PHRASE for sentence in place for phrase in phrases):
        return True
    if last and sum("?" in phrase.plain for phrase in phrases) * 2 > len(phrases):
        return place[0].question
    return first and _opens_with_manners(persona, place[0])


def _opens_with_manners(persona: Persona, sentence: Sentence) -> bool:
    """A cue of how the persona meets people, not of what it does."""
    cues = persona.rules.trait_cues(sentence.text)
    return any(cues[name] for name, family in persona.families.items() if family in _OPENING_FAMILIES)


def _overlap(sentence: Sentence, phrase: Text) -> float:
    mine, theirs = set(sentence.words), phrase.vocabulary
    return len(mine & theirs) / len(mine | theirs) if mine and theirs else 0.0
