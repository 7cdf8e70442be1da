"""Which hand-written examples a scenario is written from, and which person's own question it answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from studio.chatml import Message
from studio.generate.offline.slots import Template, filled
from studio.generate.offline.text import stems
from studio.llm.errors import ModelError
from studio.spec.models import Spec
from studio.store.records import Person

_ALIKE = 0.9
"""How much a question and a scenario have to share: about one word that no other scenario has."""
_CLEARLY = 1.3
"""How many times more it has to be than with any other scenario."""


class Sources:
    """The examples of a spec by scenario. An example that names no scenario goes where its words fit best."""

    def __init__(self, spec: Spec, examples: Sequence[Template]) -> None:
        self._spec = spec
        self._by_scenario: dict[str, list[Template]] = {}
        for example in examples:
            scenario = example.scenario or self._likely(example)
            if scenario is not None:
                self._by_scenario.setdefault(scenario, []).append(example)
        self._words = {item: self._words_of(item) for _, item in _open(spec)}
        self._spread = Counter(word for words in self._words.values() for word in words)

    def of(self, category: str, scenario: str) -> Sequence[Template]:
        """Examples to write ``scenario`` from: its own, or else those of its category.

        Raises ModelError ``too_little`` where there are none.
        """
        own = self._by_scenario.get(scenario)
        if own:
            return own
        items = self._spec.scenarios[category].items if category in self._spec.scenarios else ()
        near = [example for item in items for example in self._by_scenario.get(item, ())]
        if not near:
            raise ModelError(
                "too_little",
                f"the spec gives the offline author nothing to write {scenario!r} from: add two examples to it under "
                f"examples, with scenario: {scenario}",
            )
        return near

    def answers(self, person: Person, scenario: str) -> Sequence[tuple[Template, Message]]:
        """Examples of ``scenario`` that answer the person's own question too, each with the reply to it.

        The question has to be clearly more like this scenario than like any other, and to name a word of each kind
        that the reply takes up: that one goes into the reply. Empty where it is not so.
        """
        if not self._asks(person.query, scenario):
            return ()
        found = []
        for example in self._by_scenario.get(scenario, ()):
            named = {key: self._named(key[0], example, person.query) for key in example.carried()}
            if len(example.turns) == 2 and all(named.values()) and _covers(person.query, example):
                found.append((example, filled(example, named)[-1]))
        return found

    def _asks(self, query: str, scenario: str) -> bool:
        asked = stems(query)
        if not asked & stems(scenario):
            return False
        scores = {item: self._weight(asked & words) for item, words in self._words.items()}
        own = scores.pop(scenario, 0.0)
        return own >= _ALIKE and own >= _CLEARLY * max(scores.values(), default=0.0)

    def _named(self, kind: str, example: Template, query: str) -> str:
        """The one word of ``kind`` that ``query`` has; empty where there is none, or a choice."""
        found = {
            match[0] for span in example.asked if span.kind.name == kind for match in span.kind.find.finditer(query)
        }
        return found.pop() if len(found) == 1 else ""

    def _weight(self, words: frozenset[str]) -> float:
        """What words tell of a scenario: each counts the less, the more scenarios have it."""
        return sum(1 / self._spread[word] for word in words)

    def _likely(self, example: Template) -> str | None:
        said = stems(example.turns[0].content)
        scores = {item: len(said & stems(f"{name} {item}")) for name, item in _open(self._spec)}
        best = max(scores, key=lambda item: scores[item])
        return best if scores[best] else None

    def _words_of(self, scenario: str) -> frozenset[str]:
        said = [example.turns[0].content for example in self._by_scenario.get(scenario, ())]
        return stems(" ".join([scenario, *said]))


def _covers(query: str, example: Template) -> bool:
    """Whether ``query`` says most of what the example's user says, so that one reply fits both."""
    said = stems(example.turns[0].content)
    return 2 * len(said & stems(query)) > len(said)


def _open(spec: Spec) -> list[tuple[str, str]]:
    return [
        (name, item) for name, category in spec.scenarios.items() if not category.holdout for item in category.items
    ]
