"""What of a person shows in a conversation: the example it is written from, and the words that fill its slots."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import lru_cache
from random import Random

from studio.generate.offline.kinds import Kind
from studio.generate.offline.slots import Template
from studio.generate.offline.text import stems
from studio.spec.models import Spec
from studio.store.records import Person

_FIT = 2
"""How much each word that a person and an example's user share adds to the weight 1 of that example."""


class Askers:
    """Reads a person's topic, question, background and things for what they would say."""

    def __init__(self, spec: Spec, kept_out: Iterable[str]) -> None:
        """``kept_out`` are phrases that are held out for probes: no thing with one of them is said."""
        self._own_kinds = {"profiles": spec.users.things.profiles, "bank": spec.users.things.bank}
        self._kept_out = tuple(phrase.casefold() for phrase in kept_out)

    def chosen(self, templates: Sequence[Template], person: Person, random: Random) -> Template:
        """One of ``templates``, sooner one that speaks of what the person's own words speak of."""
        own = words_of(person)
        weights = [1 + _FIT * len(own & stems(one.turns[0].content)) for one in templates]
        return random.choices(templates, weights)[0]

    def words(self, kind: Kind, value: str, person: Person, random: Random) -> Collection[str]:
        """What this person would say where ``value`` stands: their things, and words of its kind that are theirs."""
        things = self._things(person) if kind.name in self._own_kinds[person.source] else []
        return [*things, *(other for other in (value, *kind.others(value, random)) if self._names(person, other))]

    def _things(self, person: Person) -> list[str]:
        """Nothing held out, and nothing that would break quoting."""
        return [
            thing
            for thing in person.things
            if "'" not in thing and not any(phrase in thing.casefold() for phrase in self._kept_out)
        ]

    def _names(self, person: Person, value: str) -> bool:
        """Whether all that carries meaning in ``value`` stands in what is known of the person; never for figures."""
        meant = stems(value)
        return bool(meant) and meant <= words_of(person) and not any(letter.isdigit() for letter in value)


@lru_cache(maxsize=1024)
def words_of(person: Person) -> frozenset[str]:
    """Stems of all that is known of somebody."""
    return stems(" ".join((person.topic, person.query, person.role, person.background, *person.things)))
