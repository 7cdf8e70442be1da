"""A spec made ready for judging: everything that is the same for every reply, worked out once."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from studio.chatml import Messages
from studio.judge.offline.answers import Answers, Exchange
from studio.judge.offline.framing import Framed, Framing, is_hole, wordings
from studio.judge.offline.keeping import Asked, Keeping
from studio.judge.offline.manners import Family, family_of
from studio.judge.offline.nearness import Bag
from studio.judge.offline.slots import Slots
from studio.judge.offline.text import Text, words_of
from studio.judge.offline.voice import Voice
from studio.judge.rules import LengthBounds
from studio.letters import folded
from studio.spec import Rules, Spec

KEPT_PERSONAS = 4
LONG_ENOUGH = 3
"""Sentences from which the first and the last of a reply open and close it."""
_CAPITALISED_NOUNS = ("de", "lb")


@dataclass(frozen=True)
class Turn:
    """A reply and what was said before it, taken apart. ``asked`` is what the last request names."""

    request: Text
    reply: Text
    said: Text
    asked: Asked
    requested: tuple[Framed, ...]
    framed: tuple[Framed, ...]
    body: tuple[Framed, ...]
    """Of the framed sentences of the reply those that answer."""

    @property
    def asks(self) -> bool:
        return bool(self.request.sentences) and self.request.sentences[-1].question


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
    """Every word of the spec's examples, phrases and context."""
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
        return cls(
            spec=spec,
            rules=rules,
            bounds=LengthBounds.of(spec),
            english=primary == "en",
            slots=slots,
            keeping=keeping,
            answers=Answers([_exchange(scenario, turn, spec, slots, keeping) for scenario, turn in turns]),
            voice=Voice.of(replies, rules, english=primary == "en"),
            stock=stock,
            vocabulary=frozenset(known.union(*stock, words_of(folded(context)))),
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


def taken_apart(slots: Slots, keeping: Keeping, stock: frozenset[tuple[str, ...]], messages: Messages) -> Turn:
    """The last assistant turn of ``messages``, framed by what the turns before it name."""
    at = max((place for place, one in enumerate(messages) if one.role == "assistant"), default=len(messages))
    requests = [Text(folded(one.content)) for one in messages[:at] if one.role == "user"] or [Text("")]
    reply = Text(folded(messages[at].content) if at < len(messages) else "")
    asked, *earlier = [keeping.asked(request) for request in reversed(requests)]
    frame = Framing(slots, keeping.carried, asked.holes, [hole for one in earlier for hole in one.holes])
    framed = tuple(frame(sentence.words) for sentence in reply.sentences)
    return Turn(
        request=requests[-1],
        reply=reply,
        said=Text(folded("\n".join(one.content for one in messages[:at] if one.role != "system"))),
        asked=asked,
        requested=tuple(frame(sentence.words) for sentence in requests[-1].sentences),
        framed=framed,
        body=_body(framed, [sentence.words in stock for sentence in reply.sentences]),
    )


def request_bag(request: Text, asked: Asked) -> Bag:
    """The words of a request, with ``<kind>`` for what it names and ``<>`` if it names anything."""
    named = {f"<{kind}>" for kind in asked.kinds} | ({"<>"} if asked.holes else set())
    return (request.vocabulary - set(asked.keep)) | named


def _body(framed: Sequence[Framed], stock: Sequence[bool]) -> tuple[Framed, ...]:
    """The sentences that answer: neither stock phrases, nor what opens and closes a reply and names nothing."""
    own = [sentence for sentence, known in zip(framed, stock, strict=True) if not known]
    names = [any(map(is_hole, sentence)) for sentence in own]
    if len(framed) >= LONG_ENOUGH or any(names):
        inner = [
            sentence
            for sentence, named in zip(own, names, strict=True)
            if named or sentence not in (framed[0], framed[-1])
        ]
        return tuple(inner or own)
    return tuple(own)


def _exchange(scenario: str, turn: Turn, spec: Spec, slots: Slots, keeping: Keeping) -> Exchange:
    """Of kinds that no reply carries over (what somebody feels), each phrase of the spec is a request of its own."""
    felt = {hit.kind for hit in slots.find(turn.request.words) if hit.kind not in keeping.carried}
    phrases = [Text(folded(phrase)) for kind in sorted(felt) for phrase in spec.slots[kind]]
    worded = {sentence: wordings(slots, keeping.carried, sentence) for sentence in turn.framed}
    return Exchange(
        scenario=scenario,
        asks=turn.asks,
        requests=(request_bag(turn.request, turn.asked), *(phrase.vocabulary for phrase in phrases)),
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
