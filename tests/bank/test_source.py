"""Who asks next: profiles and bank, mixed by the spec's weights."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import pytest

from studio.bank import heads, people_of, people_source
from studio.bank.compose import people
from studio.bank.people import ANYBODY, BUILT_IN
from studio.bank.person import Person
from studio.errors import UserError
from studio.spec import LoadedSpec, load

TOPICS = """
- topic: Lost and stolen cards
  example_types:
    - {example_type: Traveler, example_background: On a holiday., example_query: My card is gone}
    - {example_type: Pensioner, example_background: Mislays things., example_query: Where is my card}
- topic: Mortgages
  example_types:
    - {example_type: Buyer, example_background: Found a house., example_query: How do I begin}
    - {example_type: Heir, example_background: Got a house., example_query: What is owed}
"""

SPEC = """
schema: 2
name: Desk
purpose: Answers.
traits: [{name: calm, is: Calm}]
scenarios: {cards: {items: [Lost card]}}
"""


def loaded(folder: Path, users: str = "{}", *, profiles: bool = False) -> LoadedSpec:
    (folder / "people.yaml").write_text(TOPICS)
    file = folder / "desk.yaml"
    file.write_text(SPEC + "beside: {profiles: people.yaml}\n" * profiles + f"users: {users}\n")
    return load(file)


def test_profiles_become_one_person_for_each_type_of_each_topic(tmp_path: Path) -> None:
    people = people_of(loaded(tmp_path, profiles=True).topics)
    assert [(person.topic, person.role) for person in people] == [
        ("Lost and stolen cards", "Traveler"),
        ("Lost and stolen cards", "Pensioner"),
        ("Mortgages", "Buyer"),
        ("Mortgages", "Heir"),
    ]
    assert people[0].query == "My card is gone"
    assert people[0].background == "On a holiday."
    assert {person.source for person in people} == {"profiles"}
    assert len({person.id for person in people}) == 4


def test_the_same_generator_draws_the_same_people(tmp_path: Path) -> None:
    source = people_source(loaded(tmp_path, profiles=True))
    drawn = [[source.draw(random.Random(seed), "cards", "Lost card") for seed in range(20)] for _ in range(2)]
    assert drawn[0] == drawn[1]
    assert len({person.id for person in drawn[0]}) > 3


@pytest.mark.parametrize(("profiles", "bank"), [(0.5, 0.5), (0.9, 0.1), (1.0, 0.0), (0.0, 1.0)])
def test_groups_are_drawn_by_the_weights_of_the_spec(tmp_path: Path, profiles: float, bank: float) -> None:
    users = f"{{weight: {{profiles: {profiles}, bank: {bank}}}}}"
    source = people_source(loaded(tmp_path, users, profiles=True))
    rng = random.Random(0)
    shares = Counter(source.draw(rng, "cards", "Lost card").source for _ in range(400))
    assert shares["profiles"] / 400 == pytest.approx(profiles, abs=0.06)
    assert shares["bank"] / 400 == pytest.approx(bank, abs=0.06)


def test_somebody_whose_topic_fits_the_scenario_is_drawn_sooner(tmp_path: Path) -> None:
    source = people_source(loaded(tmp_path, "{bank: null}", profiles=True))
    rng = random.Random(0)
    topics = Counter(source.draw(rng, "cards", "Lost or stolen card").topic for _ in range(300))
    assert topics["Lost and stolen cards"] > 4 * topics["Mortgages"] > 0


def test_people_kept_in_the_workspace_take_the_place_of_the_built_in_ones(tmp_path: Path) -> None:
    kept = tuple(people(3, seed=99))
    spec = loaded(tmp_path, profiles=True)
    assert set(people_source(spec, kept).people) == {*people_of(spec.topics), *kept}
    assert len(people_source(spec).people) == 4 + BUILT_IN


def test_profiles_that_a_bank_job_stored_are_not_counted_as_its_bank(tmp_path: Path) -> None:
    spec = loaded(tmp_path, profiles=True)
    assert len(people_source(spec, people_of(spec.topics)).people) == 4 + BUILT_IN


def test_built_in_people_who_were_stored_with_their_examples_do_not_become_the_bank(tmp_path: Path) -> None:
    spec = loaded(tmp_path, "{bank: default}")
    drawn = people_source(spec).people[:7]
    assert people_source(spec, drawn).people == people_source(spec).people
    own = tuple(people(3))
    assert set(people_source(spec, (*drawn, *own)).people) == set(own)


def test_the_order_in_which_people_were_stored_does_not_matter(tmp_path: Path) -> None:
    spec, kept = loaded(tmp_path, "{bank: default}"), tuple(people(10))
    one, other = people_source(spec, kept), people_source(spec, kept[::-1])
    draws = [source.draw(random.Random(5), "cards", "Lost card") for source in (one, other)]
    assert draws[0] == draws[1]


def test_a_spec_that_wants_nobody_in_particular_gets_anybody(tmp_path: Path) -> None:
    source = people_source(loaded(tmp_path, "{bank: null}"))
    assert source.draw(random.Random(0), "cards", "Lost card") == ANYBODY


def test_cards_of_an_earlier_version_ask_no_more_and_composed_people_do(tmp_path: Path) -> None:
    spec = loaded(tmp_path, "{bank: default}")
    kept = '{"id": "bank-0a1b2c3d4e5f", "source": "bank", "name": "Ida", "role": "bus driver", "tone": "terse"}'
    card, own = Person.model_validate_json(kept), tuple(people(3))
    assert people_source(spec, (card,)).people == people_source(spec).people
    assert set(people_source(spec, (card, *own)).people) == set(own)
    assert heads((card, *own, *people_source(spec).people[:5])).told == "3 in the bank, 6 came with generating"


def test_the_people_of_a_file_ask_where_the_spec_names_it(tmp_path: Path) -> None:
    (tmp_path / "ours.jsonl").write_text(
        '{"name": "Ada Quist", "username": null, "age": 41, "traits": ["dry"], "background": "Guides kayaks.",'
        ' "chatting_style": "short"}\n'
        '{"name": "Bo", "age": 20, "traits": [], "background": "B.", "chatting_style": ""}\n'
    )
    spec = loaded(tmp_path, "{bank: ours.jsonl}", profiles=True)
    assert spec.bank_path is not None
    source = people_source(spec, tuple(people(3)))
    assert [(one.name, one.age) for one in source.people[4:]] == [("Ada Quist", 41), ("Bo", 20)]
    rng = random.Random(0)
    shares = Counter(source.draw(rng, "cards", "Lost card").source for _ in range(400))
    assert shares["bank"] / 400 == pytest.approx(0.5, abs=0.07)


def test_a_file_of_people_with_a_bad_line_is_refused_whole(tmp_path: Path) -> None:
    (tmp_path / "ours.jsonl").write_text('{"persona": "A mountain guide"}\n{"persona": 4}\n')
    spec = loaded(tmp_path, "{bank: ours.jsonl}")
    with pytest.raises(UserError, match=r"ours\.jsonl: line 2: background: expected a text, found 4"):
        people_source(spec)


def test_of_a_file_of_too_many_as_many_as_can_be_held_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.bank.people.MOST_ASKING", 50)
    (tmp_path / "ours.txt").write_text("".join(f"A judge of {number} cases\n" for number in range(1000)))
    spec = loaded(tmp_path, "{bank: ours.txt}")
    drawn = [int(one.background.split()[3]) for one in people_source(spec).people]
    assert len(set(drawn)) == 50 and 300 < sum(drawn) / 50 < 700
    assert people_source(spec).people == people_source(spec).people


def test_ten_thousand_people_are_drawn_from_at_once(tmp_path: Path) -> None:
    source = people_source(loaded(tmp_path, "{bank: default}"), tuple(people(10_000)))
    rng = random.Random(0)
    assert len({source.draw(rng, "cards", "Lost card").id for _ in range(2000)}) > 1700
