"""A reply as the steps of the persona's pattern, and its set phrases recombined."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from random import Random

from studio.chatml import Message, Messages
from studio.generate.offline.slots import Template
from studio.generate.offline.text import joined, plain, sentences, stems
from studio.spec.models import Spec

SAME_SCENARIO, SAME_CATEGORY, MOST = 2, 1, 3
"""How much more often a phrase is taken for each hand-written example near by that uses it, up to so many."""
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

    An opening that is no phrase of a step may be exchanged for another short one of the same scenario, and where no
    step has phrases for a preferred expression that is a sentence of its own.
    """

    def __init__(self, spec: Spec, examples: Iterable[Template]) -> None:
        self._spec = spec
        self._steps = [step.step for step in spec.patterns]
        self._of = {plain(phrase): step.step for step in spec.patterns for phrase in step.phrases}
        self._by_step = {step.step: step.phrases for step in spec.patterns if step.phrases}
        self._near: dict[tuple[str | None, str], Counter[str]] = {}
        self._openings: dict[str | None, set[str]] = {}
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

    def recombined(self, turns: Messages, scenario: str, random: Random) -> Messages:
        """``turns`` with the set phrases of each reply exchanged for others of the same step, none of them twice."""
        used: set[str] = set()
        return tuple(
            Message(role="assistant", content=self._reply(turn.content, scenario, used, random))
            if turn.role == "assistant"
            else turn
            for turn in turns
        )

    def _reply(self, reply: str, scenario: str, used: set[str], random: Random) -> str:
        parts = self.parts(reply)
        out = []
        for index, part in enumerate(parts):
            choices = self._choices(part, index, len(parts), scenario, used)
            text = random.choices(list(choices), list(choices.values()))[0] if choices else part.text
            used.add(plain(text))
            out.append(text)
        return joined(out, unspaced=self._unspaced(reply, parts))

    def _choices(self, part: Part, index: int, length: int, scenario: str, used: Collection[str]) -> dict[str, int]:
        """What may stand for ``part``, with weights; empty where it has to stay."""
        if part.phrase:
            category = self._spec.category_of(scenario)
            near, around = self._near.get((scenario, ""), Counter()), self._near.get((category, "c"), Counter())
            return {
                phrase: 1
                + SAME_SCENARIO * min(MOST, near[plain(phrase)])
                + SAME_CATEGORY * min(MOST, around[plain(phrase)])
                for phrase in self._by_step[part.step or ""]
                if plain(phrase) not in used
            }
        if index == 0 and length > 2 and self._interjection(part.text):
            siblings = [part.text, *sorted(self._openings.get(scenario, ()))]
            return dict.fromkeys([*siblings, *([] if self._by_step else self._preferred())], 1)
        return {}

    def _count(self, example: Template) -> None:
        category = self._spec.category_of(example.scenario) if example.scenario else None
        user = stems(" ".join(turn.content for turn in example.turns if turn.role == "user"))
        for turn in example.turns:
            if turn.role != "assistant":
                continue
            texts = sentences(turn.content)
            for text in texts:
                self._near.setdefault((example.scenario, ""), Counter())[plain(text)] += 1
                self._near.setdefault((category, "c"), Counter())[plain(text)] += 1
            if len(texts) > 2 and self._interjection(texts[0]) and not user & stems(texts[0]):
                self._openings.setdefault(example.scenario, set()).add(texts[0])

    def _preferred(self) -> Sequence[str]:
        return [phrase for phrase in self._spec.vocabulary.prefer if phrase[-1] in "!." and self._interjection(phrase)]

    def _interjection(self, text: str) -> bool:
        return len(text.split()) <= _SHORT and text[-1:] in "!."

    def _unspaced(self, reply: str, parts: Sequence[Part]) -> bool:
        """Whether the reply writes its sentences without spaces between them, as Chinese and Japanese do."""
        return len(parts) > 1 and reply.startswith(parts[0].text + parts[1].text)
