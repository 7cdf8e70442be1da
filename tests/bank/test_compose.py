"""Composed people: coherent, deterministic, of many kinds, and weighted as the census has them."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from itertools import islice
from typing import Any

import pytest

from studio.bank.components import components
from studio.bank.compose import compose, people
from studio.bank.diversity import distinct
from studio.bank.person import Person, faults
from tests.bank.coherence import contradictions

MANY = 20_000


@pytest.fixture(scope="module")
def many() -> list[Person]:
    return list(people(MANY, seed=5))


def test_nobody_contradicts_themself(many: list[Person]) -> None:
    wrong = [(found, one.age, one.profession, one.background) for one in many for found in contradictions(one)]
    assert wrong == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"age": 24, "background": "Has become a grandparent and shows the pictures to everyone."},
            "grandparent at 24",
        ),
        ({"age": 23, "profession": "retired baker"}, "retired at 23"),
        ({"age": 21, "profession": "doctor"}, "doctor at 21"),
        ({"background": "12 years as a baker. Bakes."}, "12 years of work at 28"),
        ({"background": "44, baker, Leeds."}, "44 said of somebody of 28"),
        ({"background": "Shares a car with a spouse and lives alone."}, "lives alone and spouse"),
        ({"profession": "welder out of work", "background": "Was promoted last month."}, "out of work and promoted"),
        ({"profession": "truck driver", "background": "Works from a kitchen table."}, "kitchen table and truck driver"),
        ({"background": "Has been sober for a year and brews beer in a bathtub."}, "sober and brews beer"),
        ({"background": "Introduces herself to his boss."}, "herself and his"),
        ({"traits": ("kind", "dry", "spiteful")}, "kind and spiteful"),
        ({"chatting_style": "no emoji ever, skull emoji for laughing"}, "no emoji and skull"),
        ({"chatting_style": "leaves out articles"}, "writes English as a second language, and it is the first"),
    ],
)
def test_the_checker_finds_a_contradiction(changes: dict[str, Any], said: str) -> None:
    sound = Person(
        id="x",
        source="bank",
        name="Ada Quist",
        age=28,
        traits=("dry", "exact", "loyal"),
        background="Bakes rye bread.",
        chatting_style="short",
        profession="baker",
        place="Leeds, England",
        language="en",
    )
    assert list(contradictions(sound)) == []
    assert any(said in found for found in contradictions(sound.model_copy(update=changes)))


def test_the_same_seed_and_index_are_the_same_person() -> None:
    assert compose(3, 14) == compose(3, 14)
    assert len({compose(seed, index).id for seed in range(5) for index in range(20)}) == 100
    assert compose(0, 0).id == "bank-8674bb417206"


def test_a_longer_run_begins_with_the_shorter_one() -> None:
    assert list(people(300, seed=1))[:120] == list(people(120, seed=1))
    assert list(people(0)) == []


def test_no_two_have_the_same_background_or_id(many: list[Person]) -> None:
    assert len({one.background for one in many}) == len({one.id for one in many}) == MANY


def test_everybody_is_whole_and_says_where_they_come_from(many: list[Person]) -> None:
    assert not [one for one in many if faults(one)]
    assert {(one.source, one.method, one.seed) for one in many} == {("bank", "compose", 5)}
    assert all(one.profession and one.place and one.language for one in many)
    named = sum(one.username is not None for one in many) / MANY
    assert 0.55 < named < 0.65
    assert all(one.username.isascii() for one in many if one.username)


def test_ages_follow_those_of_the_employed(many: list[Person]) -> None:
    """CPS 2025, table 10b: the share of each band among all employed people; the first band ends where ours begins."""
    working = [one.age or 0 for one in many if one.profession in {work.job for work in components().professions}]
    bands = ((20, 24, 0.088), (25, 34, 0.222), (35, 44, 0.227), (45, 54, 0.198), (55, 64, 0.163), (65, 75, 0.07))
    for first, last, share in bands:
        found = sum(first <= age <= last for age in working) / len(working)
        assert found == pytest.approx(share, abs=0.035), (first, found)


def test_professions_are_as_frequent_as_their_jobs(many: list[Person]) -> None:
    jobs = Counter(one.profession for one in many)
    total = sum(work.weight for work in components().professions)
    working = sum(jobs[work.job] for work in components().professions)
    for work in components().professions:
        expected = working * work.weight / total
        assert abs(jobs[work.job] - expected) < 5 * expected**0.5 + 3, work.job


def test_every_component_is_used(many: list[Person]) -> None:
    parts = components()
    said = " ".join(f"{one.background.lower()} {one.chatting_style}" for one in many)
    clauses = [one.says for one in (*parts.contexts, *parts.pastimes)]
    clauses += [one.says for known in parts.locals.values() for one in known]
    pieces = [piece for clause in clauses for piece in re.split(r"\{their\}|\{them\}|\[[^]]*\]", clause.lower())]
    assert [piece for piece in pieces if piece.strip() not in said] == []
    assert {work.job for work in (*parts.professions, *parts.studies)} <= {one.profession for one in many}
    assert [one.says for one in parts.quirks if one.says not in said] == []
    assert {trait for one in many for trait in one.traits} == set(parts.traits)
    assert {one.place.split(", ", 1)[1] for one in many} == {place.place for place in parts.places}


def test_the_lists_are_as_long_as_they_are_meant_to_be() -> None:
    parts = components()
    assert len(parts.professions) >= 120 and len({work.job for work in parts.professions}) == len(parts.professions)
    assert len({one.says for one in parts.contexts}) == len(parts.contexts) >= 90
    assert len(parts.traits) >= 100
    assert len({one.says for one in parts.quirks}) == len(parts.quirks) >= 80
    assert len(parts.places) >= 50
    assert all(len(work.does) >= 2 for work in (*parts.professions, *parts.studies))
    assert len({one.said for one in parts.shapes}) == len(parts.shapes) >= 60
    assert set(parts.locals) == {one.place for one in parts.places}
    assert len([one for known in parts.locals.values() for one in known]) >= 150


def test_first_names_follow_the_place_and_the_decade(many: list[Person]) -> None:
    def share(name: str, older: bool) -> float:
        ages = [one.age or 0 for one in many if one.name.startswith(f"{name} ")]
        assert len(ages) > 5
        return sum((age > 50) == older for age in ages) / len(ages)

    assert share("Barry", older=True) > 0.7
    assert share("Kayla", older=False) > 0.9
    poles = [one for one in many if one.name.split()[-1].endswith("ska")]
    assert poles and {one.language for one in poles} == {"pl"}


def test_running_out_of_different_people_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    one = compose(0, 0)
    monkeypatch.setattr("studio.bank.compose.compose", lambda seed, index: one)
    with pytest.raises(ValueError, match="no more than 1 different people"):
        list(islice(people(3), 3))


def test_backgrounds_are_as_diverse_as_when_they_were_last_measured(many: list[Person]) -> None:
    """At 800 people and 14 words each, where people of Persona Hub have .77 and 2.5; tests/bench/people.py has more."""
    texts = [one.background.casefold().split()[:14] for one in many[:800]]
    whole = "\n".join(" ".join(text) for text in texts).encode()
    assert distinct(texts, 2) > 0.6
    assert len(whole) / len(gzip.compress(whole)) < 2.9


def test_what_goes_with_a_place_is_said_of_those_who_are_at_home_there(many: list[Person]) -> None:
    said = {one.says: place for place, known in components().locals.items() for one in known if "[" not in one.says}
    found = [(one, place) for one in many for says, place in said.items() if says.lower() in one.background.lower()]
    assert len(found) > 500
    assert [(one.place, place) for one, place in found if not one.place.endswith(place)] == []
    assert not [one for one, _ in found if "knows nobody yet" in one.background or "to the country" in one.background]
