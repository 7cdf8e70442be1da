"""A reply as the steps of the persona's pattern, and its set phrases recombined."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from random import Random

from studio.chatml import Message, Messages
from studio.generate.offline.slots import Template
from studio.generate.offline.text import joined, plain, sentences, stems
from studio.spec.models import Spec

SAME_SCENARIO, SAME_CATEGORY, MOST = 2, 1, 3
"""How much more often a phrase is taken for each hand-written example near by that uses it, up to so many."""
_ENOUGH = 3
"""Examples from which it is known what replies begin with, and what a phrase follows: questions, statements or both."""
_SHORT = 6
"""An opening of at most so many words is an interjection, fit for other replies to the same situation."""


@dataclass(frozen=True)
class Part:
    """A sentence of a reply, and the step of the pattern that it takes. ``phrase``: it is one of the step's own."""

    text: str
    step: str | None
    phrase: bool


class Phrases:
    """The set phrases of a spec by step, and how often each stands in the examples of a scenario or category.

    An opening that is no phrase of a step may be exchanged for another short one of the same scenario whose user names
    the same kinds of words, and where no step has phrases for a preferred expression that is a sentence of its own.
    """

    def __init__(self, spec: Spec, examples: Iterable[Template]) -> None:
        self._spec = spec
        self._steps = [step.step for step in spec.patterns]
        self._of = {plain(phrase): step.step for step in spec.patterns for phrase in step.phrases}
        self._by_step = {step.step: step.phrases for step in spec.patterns if step.phrases}
        self._near: defaultdict[str | None, Counter[str]] = defaultdict(Counter)
        self._around: defaultdict[str | None, Counter[str]] = defaultdict(Counter)
        self._after: defaultdict[str, Counter[bool]] = defaultdict(Counter)
        self._begins: defaultdict[tuple[str | None, bool | None], Counter[str]] = defaultdict(Counter)
        self._begins_something: set[str] = set()
        self._openings: defaultdict[tuple[str | None, frozenset[str]], set[str]] = defaultdict(set)
        for example in examples:
            self._count(example)

    def parts(self, reply: str) -> tuple[Part, ...]:
        """The sentences of ``reply``. Those that are no known phrase are taken for the steps between them."""
        texts = sentences(reply)
        steps = [self._of.get(plain(text)) for text in texts]
        known = [step is not None for step in steps]
        if len(self._steps) > 1 and len(texts) > 2:
            steps[0], steps[-1] = steps[0] or self._steps[0], steps[-1] or self._steps[-1]
        middle = next((step for step in self._steps if step not in steps), None)
        return tuple(Part(text, step or middle, phrase) for text, step, phrase in zip(texts, steps, known, strict=True))

    def recombined(self, turns: Messages, template: Template, scenario: str, random: Random) -> Messages:
        """``turns`` with the set phrases of each reply exchanged for others of the same step, none of them twice.

        ``template`` is where the turns come from.
        """
        used: set[str] = set()
        out: list[Message] = []
        for turn in turns:
            if turn.role == "assistant":
                question = bool(out) and _is_question(out[-1].content)
                openings = self._other_openings(template, scenario) if len(turns) == 2 else ()
                turn = Message(
                    role="assistant", content=self._reply(turn.content, scenario, question, openings, used, random)
                )
            out.append(turn)
        return tuple(out)

    def _reply(
        self, reply: str, scenario: str, question: bool, openings: Collection[str], used: set[str], random: Random
    ) -> str:
        parts = self.parts(reply)
        out = []
        for index, part in enumerate(parts):
            choices = self._phrases_for(part, scenario, question, index == 0, used) if part.phrase else {}
            if index == 0 and len(parts) > 2 and not part.phrase and self._interjection(part.text):
                choices = dict.fromkeys([part.text, *openings], 1)
            text = random.choices(list(choices), list(choices.values()))[0] if choices else part.text
            used.add(plain(text))
            out.append(text)
        return joined(out, unspaced=self._unspaced(reply, parts))

    def _phrases_for(
        self, part: Part, scenario: str, question: bool, opening: bool, used: Collection[str]
    ) -> dict[str, int]:
        """The phrases of the part's step that may stand in its place, unused ones, with weights."""
        near, around = self._near[scenario], self._around[self._spec.category_of(scenario)]
        fits = self._opens(scenario, question) if opening else None
        return {
            phrase: 1
            + SAME_SCENARIO * min(MOST, near[plain(phrase)])
            + SAME_CATEGORY * min(MOST, around[plain(phrase)])
            for phrase in self._by_step[part.step or ""]
            if plain(phrase) not in used
            and self._goes_with(phrase, question)
            and (fits is None or plain(phrase) in fits or plain(phrase) not in self._begins_something)
        }

    def _opens(self, scenario: str, question: bool) -> Collection[str] | None:
        """What replies to such a request begin with: a word of praise fits some requests and mocks others.

        From the examples of the scenario, or of its category, that answer a question or do not; None where they are
        too few to tell. A phrase that no example begins with is free: nothing is known of it.
        """
        category = self._spec.category_of(scenario)
        for place in ((scenario, question), (category, question), (category, None)):
            if self._begins[place].total() >= _ENOUGH:
                return self._begins[place]
        return None

    def _goes_with(self, phrase: str, question: bool) -> bool:
        after = self._after[plain(phrase)]
        return after[question] > 0 or after[not question] < _ENOUGH

    def _other_openings(self, template: Template, scenario: str) -> list[str]:
        siblings = self._openings[scenario, _kinds(template)] if template.asked else ()
        return [*sorted(siblings), *([] if self._by_step else self._preferred())]

    def _count(self, example: Template) -> None:
        category = self._spec.category_of(example.scenario) if example.scenario else None
        for before, turn in pairwise(example.turns):
            said = sentences(turn.content) if turn.role == "assistant" else []
            for place in (example.scenario, category) if said else ():
                self._begins[place, _is_question(before.content)][plain(said[0])] += 1
                self._begins[place, None][plain(said[0])] += 1
                self._begins_something.add(plain(said[0]))
            for text in said:
                self._near[example.scenario][plain(text)] += 1
                self._around[category][plain(text)] += 1
                self._after[plain(text)][_is_question(before.content)] += 1
        opening, *rest = sentences(example.turns[-1].content)
        of_its_own = self._interjection(opening) and not stems(example.turns[0].content) & stems(opening)
        if len(example.turns) == 2 and len(rest) > 1 and plain(opening) not in self._of and of_its_own:
            self._openings[example.scenario, _kinds(example)].add(opening)

    def _preferred(self) -> Sequence[str]:
        return [phrase for phrase in self._spec.vocabulary.prefer if phrase[-1] in "!." and self._interjection(phrase)]

    def _interjection(self, text: str) -> bool:
        return len(text.split()) <= _SHORT and text[-1:] in "!." and not any(letter.isdigit() for letter in text)

    def _unspaced(self, reply: str, parts: Sequence[Part]) -> bool:
        """Whether the reply writes its sentences without spaces between them, as Chinese and Japanese do."""
        return len(parts) > 1 and reply.startswith(parts[0].text + parts[1].text)


def _is_question(text: str) -> bool:
    return text.rstrip()[-1:] in ("?", "\uff1f")


def _kinds(template: Template) -> frozenset[str]:
    return frozenset(span.kind.name for span in template.asked)
