"""People made from the built-in components."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from studio.bank import build, person_text
from studio.bank.components import Components, components
from studio.bank.people import SIMILAR
from studio.dedup import shingles
from tests.dedup.similarity import jaccard


def test_the_same_seed_makes_the_same_people() -> None:
    assert list(build(60, seed=7)) == list(build(60, seed=7))
    assert list(build(60, seed=7)) != list(build(60, seed=8))


def test_a_longer_build_begins_with_the_shorter_one() -> None:
    assert list(build(50, seed=1))[:20] == list(build(20, seed=1))


def test_nobody_is_made_twice() -> None:
    people = list(build(300))
    assert len(people) == 300
    assert len({person.id for person in people}) == 300
    texts = [shingles(person_text(person)) for person in people[:120]]
    nearest = max(jaccard(one, other) for at, one in enumerate(texts) for other in texts[:at])
    assert nearest < SIMILAR


def test_every_role_tone_and_background_has_its_turn_before_any_comes_again() -> None:
    parts = components()
    people = list(build(len(parts.roles)))
    assert {person.role for person in people} == set(parts.roles)
    assert max(Counter(person.chatting_style for person in people).values()) <= -(-len(people) // len(parts.tones)) + 1
    assert len({person.background for person in people}) == len(parts.backgrounds)


def test_roles_are_many_and_each_is_there_once() -> None:
    roles = components().roles
    assert len(roles) >= 40 and len(roles) == len(set(roles))
    assert {person.source for person in build(10)} == {"bank"}


def test_building_ends_where_nobody_new_can_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    few = Components(
        roles=components().roles[:1],
        tones=components().tones[:1],
        backgrounds=components().backgrounds[:1],
        names=("Ada",),
    )
    monkeypatch.setattr("studio.bank.people.components", lambda: few)
    people = list(islice(build(1000), 1000))
    assert 1 <= len(people) < 60


def test_building_nobody_makes_nobody() -> None:
    assert list(build(0)) == []
