"""A spec made ready for judging: everything that is the same for every reply, worked out once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from studio.chatml import Messages
from studio.judge.offline.answers import Answers, Exchange
from studio.judge.offline.keeping import Keeping
from studio.judge.offline.manners import Family, family_of
from studio.judge.offline.slots import Slots
from studio.judge.offline.text import Text, words_of
from studio.judge.offline.turns import Turn, taken_apart
from studio.judge.offline.voice import Voice
from studio.judge.offline.wordings import Wordings
from studio.judge.rules import LengthBounds
from studio.letters import folded
from studio.spec import Rules, Spec

KEPT_PERSONAS = 4
_CAPITALISED_NOUNS = ("de", "lb")


@dataclass(frozen=True)
class Persona:
    """The judge's memory of one spec."""

    spec: Spec
    rules: Rules
    bounds: LengthBounds
    english: bool
    slots: Slots
    keeping: Keeping
    answers: Answers
    voice: Voice
    stock: frozenset[tuple[str, ...]]
    """The words of sentences that fit any reply: phrases of the steps, preferred expressions."""
    vocabulary: frozenset[str]
    """Every word of the spec's examples, in all their wordings, of its phrases and of its context."""
    families: dict[str, Family | None]

    @classmethod
    def of(cls, spec: Spec, context: str = "") -> Persona:
        rules, slots = Rules.of(spec), Slots(spec.slots)
        primary = spec.language.split("-")[0].lower()
        talks = list(_talks(spec))
        pairs = [(folded(talk[-2].content), folded(talk[-1].content)) for _, talk in talks]
        keeping = Keeping(slots, pairs, primary not in _CAPITALISED_NOUNS, spec.name)
        stock = frozenset(words_of(folded(phrase)) for phrase in _phrases(spec))
        turns = [(scenario, taken_apart(slots, keeping, stock, talk)) for scenario, talk in talks]
        replies = [turn.reply for _, turn in turns]
        known = {word for _, turn in turns for text in (turn.said, turn.reply) for word in text.words}
        wordings = Wordings(slots, keeping.free)
        return cls(
            spec=spec,
            rules=rules,
            bounds=LengthBounds.of(spec),
            english=primary == "en",
            slots=slots,
            keeping=keeping,
            answers=Answers(
                [_exchange(scenario, turn, spec, slots, keeping, wordings) for scenario, turn in turns], wordings
            ),
            voice=Voice.of(replies, rules, english=primary == "en"),
            stock=stock,
            vocabulary=frozenset(known.union(*stock, words_of(folded(context)), slots.words_of(keeping.free))),
            families={trait.name: family_of(trait.name, trait.is_) for trait in spec.traits},
        )

    def turn(self, messages: Messages) -> Turn:
        """The last assistant turn of ``messages``, as the answer to the user turn before it."""
        return taken_apart(self.slots, self.keeping, self.stock, messages)


class Personas:
    """The last few specs that were judged. They are told apart by identity: a loaded spec is one object."""

    def __init__(self, context: str = "") -> None:
        self._context = context
        self._kept: OrderedDict[int, Persona] = OrderedDict()

    def of(self, spec: Spec) -> Persona:
        found = self._kept.get(id(spec))
        if found is None or found.spec is not spec:
            found = Persona.of(spec, self._context)
            self._kept[id(spec)] = found
            while len(self._kept) > KEPT_PERSONAS:
                self._kept.popitem(last=False)
        return found


def _exchange(scenario: str, turn: Turn, spec: Spec, slots: Slots, keeping: Keeping, wordings: Wordings) -> Exchange:
    """Of kinds that no reply carries over (what somebody feels), each phrase of the spec is a request of its own."""
    felt = {hit.kind for hit in slots.find(turn.request.words) if hit.kind not in keeping.carried}
    phrases = [Text(folded(phrase)) for kind in sorted(felt) for phrase in spec.slots[kind]]
    worded = {sentence: wordings.of(sentence) for sentence in turn.framed}
    return Exchange(
        scenario=scenario,
        asks=turn.asks,
        requests=(turn.bag, *(phrase.vocabulary for phrase in phrases)),
        sentences=tuple(worded[sentence] for sentence in turn.framed),
        body=tuple(worded[sentence] for sentence in turn.body),
    )


def _talks(spec: Spec) -> Iterator[tuple[str, Messages]]:
    """(scenario, conversation up to the reply) for each user turn in the examples that is answered."""
    for number, example in enumerate(spec.examples):
        turns = example.turns
        for at in range(1, len(turns)):
            if turns[at - 1].role == "user" and turns[at].role == "assistant":
                last = at == len(turns) - 1
                yield (example.scenario or f"#{number}") if last else f"#{number}.{at}", turns[: at + 1]


def _phrases(spec: Spec) -> Iterator[str]:
    for step in spec.patterns:
        yield from step.phrases
    yield from spec.vocabulary.prefer
