"""People from a spec's profiles: one for each user type of each topic."""

from __future__ import annotations

from collections.abc import Iterable

from studio.bank.people import person_id, tone_of
from studio.spec import Topic, UserType
from studio.store.records import Person


def people_of(topics: Iterable[Topic]) -> tuple[Person, ...]:
    """Every user type of ``topics`` as a person, in their order, with a query and a tone of their own."""
    return tuple(_person(topic, kind) for topic in topics for kind in topic.example_types)


def _person(topic: Topic, kind: UserType) -> Person:
    name = person_id("profiles", topic.topic, kind.example_type, kind.example_background, kind.example_query)
    return Person(
        id=name,
        source="profiles",
        role=kind.example_type,
        background=kind.example_background,
        tone=tone_of(name),
        topic=topic.topic,
        query=kind.example_query,
    )
