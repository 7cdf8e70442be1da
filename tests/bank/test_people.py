"""People made from the built-in components."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from studio.bank import build, person_text
from studio.bank.components import Components, components
from studio.bank.people import SIMILAR, person_id
from studio.dedup import shingles
from studio.store.records import Person
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
    assert max(Counter(person.tone for person in people).values()) <= -(-len(people) // len(parts.tones)) + 1
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


def test_the_text_of_a_person_says_who_asks_how_and_what_about() -> None:
    person = Person(
        id="x",
        source="bank",
        name="Ada",
        role="night nurse",
        background="works nights",
        tone="terse",
        topic="Cards",
        query="Where is my card?",
    )
    assert person_text(person) == (
        "Ada, night nurse. Here about: Cards. Background: works nights. Writes: terse, a few words at most and no "
        "greeting. Asks such things as: Where is my card?"
    )


def test_the_text_of_a_recorded_person_tells_age_and_way_of_writing() -> None:
    person = Person(id="x", source="recorded", name="Ada", age=41, background="Guides kayaks.", chatting_style="quick")
    assert person_text(person) == "Ada, 41 years old. Background: Guides kayaks. Writes like this: quick."


def test_a_person_stored_before_there_were_ages_is_read() -> None:
    assert Person.model_validate_json('{"id": "x", "source": "bank", "tone": "terse"}').age is None


def test_the_text_of_a_person_leaves_out_what_is_not_known() -> None:
    assert person_text(Person(id="x", source="bank")) == "Somebody."
    assert person_text(Person(id="x", source="bank", tone="like a poem")) == "Somebody. Writes: like a poem."


def test_an_id_depends_on_every_part_and_on_where_parts_end() -> None:
    assert person_id("bank", "ab", "c") != person_id("bank", "a", "bc")
    assert person_id("bank", "ab", "c").startswith("bank-")
