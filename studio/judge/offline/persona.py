"""A spec made ready for judging: everything that is the same for every reply, worked out once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from studio.judge.offline.keeping import Asked, Keeping
from studio.judge.offline.likeness import Fit, Likeness, Pair
from studio.judge.offline.manners import TROUBLES, Family, family_of
from studio.judge.offline.slots import Slots
from studio.judge.offline.text import SMALL_WORDS, Sentence, Text, content, words_of
from studio.judge.offline.voice import Voice
from studio.letters import folded
from studio.spec import Rules, Spec

KEPT_PERSONAS = 4
LEAST_TROUBLES = 4
"""Examples with a trouble from which the habit of meeting it is known."""
_CAPITALISED_NOUNS = ("de", "lb")


@dataclass(frozen=True)
class Persona:
    """The judge's memory of one spec."""

    spec: Spec
    rules: Rules
    english: bool
    slots: Slots
    keeping: Keeping
    likeness: Likeness
    voice: Voice
    stock: frozenset[tuple[str, ...]]
    """The words of sentences that fit any reply: phrases of the steps, preferred expressions."""
    vocabulary: frozenset[str]
    """Every word of the spec's replies, phrases and context."""
    families: dict[str, Family | None]
    praises_trouble: bool
    """Whether the examples' replies begin with a stock phrase even where the request tells of a trouble."""

    @classmethod
    def of(cls, spec: Spec, context: str = "") -> Persona:
        rules, slots = Rules.of(spec), Slots(spec.slots)
        primary = spec.language.split("-")[0].lower()
        turns = [(folded(request), folded(reply), scenario) for request, reply, scenario in _turns(spec)]
        names = primary not in _CAPITALISED_NOUNS
        keeping = Keeping(slots, [(request, reply) for request, reply, _ in turns], names, spec.name)
        stock = frozenset(words_of(folded(phrase)) for phrase in _phrases(spec))
        replies = [Text(reply) for _, reply, _ in turns]
        known = frozenset(word for reply in replies for word in reply.words)
        known |= frozenset(word for phrase in stock for word in phrase) | frozenset(words_of(folded(context)))
        pairs = [
            Pair(
                scenario,
                request_set(slots, keeping, Text(request)),
                reply_set(slots, keeping, stock, Text(reply)),
                opens_with_stock(stock, Text(reply)),
            )
            for request, reply, scenario in _variants(turns, slots, keeping, spec)
        ]
        families = {trait.name: family_of(trait.name, trait.is_) for trait in spec.traits}
        troubled = [pair.stock_opening for pair in pairs if pair.request & TROUBLES]
        return cls(
            spec=spec,
            rules=rules,
            english=primary == "en",
            slots=slots,
            keeping=keeping,
            likeness=Likeness(pairs),
            voice=Voice.of(replies, rules),
            stock=stock,
            vocabulary=known,
            families=families,
            praises_trouble=len(troubled) < LEAST_TROUBLES or sum(troubled) > 0.2 * len(troubled),
        )

    def fit(self, request: Text, asked: Asked, reply: Text, scenario: str) -> Fit:
        return self.likeness.fit(
            request_set(self.slots, self.keeping, request, asked),
            reply_set(self.slots, self.keeping, self.stock, reply, asked),
            scenario,
        )

    def own(self, reply: Text) -> tuple[Sentence, ...]:
        """The reply's sentences that are not stock phrases."""
        return tuple(sentence for sentence in reply.sentences if sentence.words not in self.stock)


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


def request_set(slots: Slots, keeping: Keeping, request: Text, asked: Asked | None = None) -> frozenset[str]:
    """The words of a request, with ``<kind>`` for what it asks to keep."""
    asked = asked or keeping.asked(request)
    return (request.vocabulary - set(asked.keep)) | {f"<{kind}>" for kind in asked.kinds}


def reply_set(
    slots: Slots, keeping: Keeping, stock: frozenset[tuple[str, ...]], reply: Text, asked: Asked | None = None
) -> frozenset[str]:
    """The words of a reply's own sentences, without what it carries over."""
    own = [sentence.words for sentence in reply.sentences if sentence.words not in stock]
    carried = set(asked.keep) if asked else set()
    for words in own:
        carried |= {word for hit in slots.find(words) if hit.kind in keeping.carried for word in hit.words}
    return frozenset(word for words in own for word in words) - (carried - SMALL_WORDS)


def opens_with_stock(stock: frozenset[tuple[str, ...]], reply: Text) -> bool:
    return bool(reply.sentences) and reply.sentences[0].words in stock


def _turns(spec: Spec) -> Iterator[tuple[str, str, str]]:
    """(request, reply, scenario) of each user turn in the examples that is answered."""
    for number, example in enumerate(spec.examples):
        turns = example.turns
        for before, after in pairwise(turns):
            if before.role == "user" and after.role == "assistant":
                scenario = example.scenario or f"#{number}"
                yield before.content, after.content, scenario if after is turns[-1] else f"{scenario} #{number}"


def _phrases(spec: Spec) -> Iterator[str]:
    for step in spec.patterns:
        yield from step.phrases
    yield from spec.vocabulary.prefer


def _variants(
    turns: list[tuple[str, str, str]], slots: Slots, keeping: Keeping, spec: Spec
) -> Iterator[tuple[str, str, str]]:
    """The turns, and for kinds that are not carried over (what somebody feels) each phrase as a request of its own."""
    told: set[str] = set()
    for request, reply, scenario in turns:
        yield request, reply, scenario
        for hit in slots.find(words_of(request)):
            if hit.kind not in keeping.carried and hit.kind not in told:
                told.add(hit.kind)
                for phrase in spec.slots[hit.kind]:
                    yield folded(phrase), reply, scenario


def substance(persona: Persona, reply: Text) -> tuple[str, ...]:
    """The words that carry meaning outside the stock sentences."""
    return tuple(word for sentence in persona.own(reply) for word in content(sentence.words))
