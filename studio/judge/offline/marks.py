"""Marks for traits, family by family: what is measured, against what, and the words that show it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from studio.judge.offline.hearing import Heard, hear
from studio.judge.offline.manners import Family, lexicon
from studio.judge.offline.persona import Persona
from studio.judge.offline.reading import Reading
from studio.judge.offline.text import Sentence
from studio.spec import Rules
from studio.spec.matching import Phrase
from studio.spec.models import Trait

Score = Literal[0, 1, 2]
GUSHING = 4
"""Exclamation marks, or different words of praise, from which encouragement is gushing."""
ALIKE, SOMEWHAT_ALIKE = 0.75, 0.4
"""Likeness of manner from which a reply sounds like the persona's own, and a little like them."""
_HINTS = ("you could", "you can", "you may", "you might", "it may", "it might")


@dataclass(frozen=True)
class Mark:
    score: Score
    why: str
    quote: str = ""


@dataclass(frozen=True)
class Case:
    """What a mark is made from."""

    persona: Persona
    reading: Reading
    trait: Trait
    cues: Heard
    """Of the spec's own for this trait."""
    words: Heard
    """Of the family's common words, where they are no cue."""
    common: bool
    """Whether there are such words for this trait, in this language."""

    @property
    def sentences(self) -> tuple[Sentence, ...]:
        return self.reading.reply.sentences

    @property
    def opening(self) -> tuple[int, ...]:
        """The numbers of the opening sentences: the first, and the second where the first is a mere "OK."."""
        return (0, 1) if self.sentences and len(self.sentences[0].words) <= 1 else (0,)


def mark(persona: Persona, reading: Reading, trait: Trait) -> Mark:
    """The mark before it is held down for what is wrong with the reply as a whole."""
    family = persona.families[trait.name]
    cues = hear(reading.reply, _cues_of(persona.rules, trait.name))
    common = lexicon(family) if family and persona.english else ()
    words = hear(reading.reply, common, besides=cues)
    case = Case(persona, reading, trait, cues, words, bool(common))
    found = _MEASURES.get(family or "", _by_cues)(case)
    if not trait.cues and (alike := _by_likeness(case)).score > found.score:
        found = alike
    return _in_place(case, found)


def _encouraging(case: Case) -> Mark:
    praise = case.cues.words + case.words.words
    if not praise:
        return Mark(0, "no word of encouragement")
    if case.reading.reply.plain.count("!") >= GUSHING or len(case.words) >= GUSHING:
        return Mark(1, "gushes", praise[0][0])
    opening = case.cues.within(case.opening) or case.words.within(case.opening)
    if opening:
        return Mark(2, "opens with encouragement", opening)
    return Mark(1, "encourages only in passing", praise[0][0])


def _supportive(case: Case) -> Mark:
    found = len(case.cues) + len(case.words)
    if not found:
        friendly = hear(case.reading.reply, lexicon("encouraging") if case.persona.english else ()).within(case.opening)
        return Mark(1, "friendly, but at a distance", friendly) if friendly else Mark(0, "no warmth in it")
    met = case.cues.within(case.opening) or case.words.within(case.opening) or case.cues.first or case.words.first
    if len(case.cues) or found > 1 or not case.trait.cues:
        return Mark(2, "stands beside the user", met)
    return Mark(1, "kind in one phrase", met)


def _action(case: Case) -> Mark:
    if not case.sentences:
        return Mark(0, "no reply")
    last = case.sentences[-1]
    end = (len(case.sentences) - 1,)
    cue = case.cues.within(end) or case.words.within(end)
    questions = sum(sentence.question for sentence in case.sentences)
    if questions > 2:
        return Mark(1, f"asks {questions} questions at once", last.text)
    leads = last.question or cue.lower() in last.text[: len(cue) + 12].lower()
    if cue and leads and not last.text.lower().startswith(_HINTS):
        return Mark(2, "ends on a next step", last.text)
    if last.question:
        return Mark(1, "ends with a question, but not with a step forward", last.text)
    if len(case.cues) or cue:
        return Mark(1, "hints at a step, but does not end on it", case.cues.first or cue)
    return Mark(0, "no way forward")


def _concise(case: Case) -> Mark:
    usual, count = case.persona.voice.lengths, len(case.reading.reply.words)
    against = f"{count} words; the persona's own replies have {usual.low:.0f} to {usual.high:.0f}"
    if count > 1.8 * usual.high:
        return Mark(0, against)
    if count > 1.2 * usual.high:
        return Mark(1, against)
    return Mark(2, against, case.reading.reply.last)


def _faithful(case: Case) -> Mark:
    keep, missing = case.reading.keep, case.reading.missing
    if keep:
        kept = [word for word in keep if word not in missing]
        if not missing:
            return Mark(2, f"keeps all that was asked about: {', '.join(keep)}", _sentence_with(case, keep))
        if len(kept) * 2 >= len(keep):
            return Mark(1, f"leaves out {', '.join(missing)}", _sentence_with(case, kept))
        return Mark(0, f"leaves out {', '.join(missing)}")
    return _by_cues(case)


def _clear(case: Case) -> Mark:
    by_cues, missing = _by_cues(case), case.reading.missing
    if missing and by_cues.score:
        return Mark(1, f"leaves out {', '.join(missing)}", by_cues.quote)
    return by_cues


def _curious(case: Case) -> Mark:
    asked = next((sentence.text for sentence in case.sentences if sentence.question), "")
    by_cues = _by_cues(case)
    if asked and by_cues.score < 2:
        return Mark(2 if len(case.cues) or not case.trait.cues else 1, "asks", asked)
    return by_cues


def _by_cues(case: Case) -> Mark:
    """By the number of different cues, against what the persona's own replies have."""
    usual = case.persona.voice.usual_cues[case.trait.name]
    if not case.trait.cues:
        return _by_words(case)
    if len(case.cues) >= usual:
        return Mark(2, f"is heard in '{case.cues.first}'", case.cues.first)
    if len(case.cues):
        return Mark(1, f"{len(case.cues)} cue, where the persona has {usual} and more", case.cues.first)
    if len(case.words):
        return Mark(1, "a trace of it", case.words.first)
    return Mark(0, "nothing of it is heard")


def _by_words(case: Case) -> Mark:
    if not len(case.words):
        return Mark(0, "none of the common words for it is heard")
    score: Score = 2 if len(case.words) > 1 else 1
    return Mark(score, "is heard in common words for it" if score == 2 else "a trace of it", case.words.first)


def _by_likeness(case: Case) -> Mark:
    """For a trait without cues, which its words may not tell: how much the reply sounds like the persona's own."""
    if not case.persona.answers:
        return Mark(0 if case.common else 1, "the spec holds no cue or example to hear this trait by")
    if case.reading.manner >= ALIKE:
        return Mark(2, "sounds like the persona's own replies", case.reading.reply.first)
    if case.reading.manner >= SOMEWHAT_ALIKE:
        return Mark(1, "sounds a little like the persona's own replies", case.reading.reply.first)
    return Mark(0, "does not sound like the persona's own replies")


def _in_place(case: Case, found: Mark) -> Mark:
    """A manner that only the opening shows is worth less where the opening is for another kind of request."""
    shown = bool(found.quote) and found.quote in case.reading.reply.first
    if case.reading.out_of_place and shown and found.score == 2:
        return Mark(1, "opens with words that the examples have for other requests", found.quote)
    return found


_MEASURES: dict[Family, Callable[[Case], Mark]] = {
    "encouraging": _encouraging,
    "supportive": _supportive,
    "action_oriented": _action,
    "concise": _concise,
    "faithful": _faithful,
    "clear": _clear,
    "curious": _curious,
}


def _cues_of(rules: Rules, name: str) -> tuple[Phrase, ...]:
    return next((phrases for trait, phrases in rules.traits if trait == name), ())


def _sentence_with(case: Case, words: Sequence[str]) -> str:
    return max(case.sentences, key=lambda sentence: sum(word in sentence.words for word in words)).text
