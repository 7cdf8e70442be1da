"""The person effect: authors that heed all of a person, one field, or nothing are told apart."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from studio.errors import UserError
from studio.generate import Authored
from studio.generate.effect import Change, Turn, change, holm
from studio.generate.effect_chart import svg
from studio.generate.effect_job import (
    DRAWS,
    FIELDS,
    LEAST,
    PEOPLE,
    EffectParams,
    ask_turns,
    asked_effect,
    plan_sample,
    stored_effect,
)
from studio.inference import ItemsEvent, ItemsFinished
from studio.llm import Request
from studio.spec import LoadedSpec
from studio.store import Workspace
from tests.bank.making import WordVectors
from tests.generate.making import loaded_spec
from tests.generate.models import FakeModel, said
from tests.store.making import example

SEED = 2
"""At 5 % over all fields one seed in twenty finds a field too many: of the first 24 two do, 0 and 20."""
SCENARIOS = {"pets": {"target": 9, "items": [f"Found pet {number}" for number in range(6)]}}
WORDS = (
    "amber birch cedar delta ember fjord grove heron iris jade kelp lotus maple north olive pearl quill reed".split()
)


def spec() -> LoadedSpec:
    return loaded_spec(scenarios=SCENARIOS, users={"bank": "default"})


def heeding(pattern: str) -> Callable[[Request], Authored]:
    """An author that takes ten words from what ``pattern`` finds of the person, and ten that the seed decides."""

    def act(request: Request) -> Authored:
        told = re.search(r"Who is talking:\n<person-\w+>\n(.*?)\n</person", request.messages[1].content, re.DOTALL)
        assert told is not None
        heeded = re.search(pattern, told[1])
        digest = sha256((heeded[0] if heeded else "").encode()).digest()
        person, seed = Random(digest), Random(request.sampling.seed + sum(told[1].encode()))
        words = [person.choice(WORDS) + "x" for _ in range(10)] + [seed.choice(WORDS) for _ in range(10)]
        return said(" ".join(words), "Here.")

    return act


async def written(
    workspace: Workspace, act: Callable[[Request], Authored], ask: int = 6 * LEAST, stop_after: int = 10**6
) -> tuple[FakeModel, list[ItemsEvent]]:
    model, asked = (
        FakeModel(act, "author"),
        EffectParams(spec_path="x", workspace="x", ask=ask, concurrency=4, seed=SEED),
    )
    events = ask_turns(spec(), workspace, asked, lambda: len(model.requests) >= stop_after, model=model)
    return model, [event async for event in events]


async def test_an_author_that_heeds_the_style_alone_is_told_as_a_collapse(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "t")
    await written(workspace, heeding("Writes like this: .*"))
    found = asked_effect(spec(), workspace, 6 * LEAST, SEED, "author", WordVectors())
    assert found.person.acts and found.person.p < 0.01
    assert found.acting == ("chatting_style",)
    assert "1 of 7 fields act: chatting_style (persona collapse" in found.told
    words = next(one for one in found.person.measures if one.name == "words")
    assert words.low is not None and words.low > 0.2 and words.share < 0.9
    drawn = svg(found)
    assert drawn.count("<circle") == 4 * (1 + len(found.fields)) and "chatting_style" in drawn


async def test_an_author_that_ignores_the_person_is_told_so(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "t")
    await written(workspace, heeding("nothing of the kind"))
    found = asked_effect(spec(), workspace, 6 * LEAST, SEED, "author", WordVectors())
    assert not found.person.acts and found.acting == ()
    assert "whoever asks, it reads alike" in found.told and "0 of 7 fields act: none" in found.told


async def test_an_author_that_heeds_everything_has_every_field_act(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "t")
    await written(workspace, heeding("(?s).*"))
    found = asked_effect(spec(), workspace, 6 * LEAST, SEED, "author", WordVectors())
    assert found.person.acts and set(found.acting) == set(FIELDS) and "collapse" not in found.told


async def test_people_of_a_scenario_are_asked_with_the_same_seed_manner_and_examples(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "t")
    model, _ = await written(workspace, heeding("(?s).*"), ask=LEAST)
    assert len(model.requests) <= LEAST
    rest = {re.sub(r"(?s)<person-.*</person-\w+>", "", one.messages[1].content) for one in model.requests}
    assert len(rest) <= DRAWS and len({one.sampling.seed for one in model.requests}) == DRAWS


async def test_stopped_it_goes_on_and_asks_for_nothing_twice(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "t")
    first, events = await written(workspace, heeding("(?s).*"), stop_after=20)
    end = events[-1]
    assert isinstance(end, ItemsFinished) and not end.complete and end.done < 2 * LEAST
    partly = asked_effect(spec(), workspace, 6 * LEAST, SEED, "author", WordVectors())
    assert partly.scenarios == 1
    second, events = await written(workspace, heeding("(?s).*"))
    end, planned = events[-1], plan_sample(spec(), workspace, 6 * LEAST, SEED)
    assert isinstance(end, ItemsFinished) and end.complete and end.done == len(planned)
    assert len(first.requests) + len(second.requests) == len(planned)
    third, _ = await written(workspace, heeding("(?s).*"))
    assert third.requests == []


def test_the_sample_is_the_same_for_a_seed_and_a_longer_one_begins_with_it(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "t")
    short, long = plan_sample(spec(), workspace, LEAST, 3), plan_sample(spec(), workspace, 2 * LEAST, 3)
    assert long[: len(short)] == short and len({one.id for one in long}) == len(long)
    assert PEOPLE * DRAWS < len(short) <= LEAST
    assert plan_sample(spec(), workspace, LEAST, 4)[0].attempt.person != short[0].attempt.person
    nobody = loaded_spec(scenarios=SCENARIOS, users={"bank": None})
    with pytest.raises(UserError, match=r"fewer than 4 people"):
        plan_sample(nobody, workspace, LEAST, 0)


def test_stored_examples_are_compared_where_people_asked_twice_and_else_the_remedy_is_told(tmp_path: Path) -> None:
    workspace, rng = Workspace.open(tmp_path, "t"), Random(0)
    with pytest.raises(UserError, match="0 scenarios have two people"):
        stored_effect(spec(), workspace, WordVectors())
    for scenario in SCENARIOS["pets"]["items"]:  # type: ignore[attr-defined]
        for person in ("ann", "ben", "cyn"):
            for number in range(3):
                words = [f"{person}{scenario[-1]}{rng.randrange(4)}" for _ in range(6)] + rng.sample(WORDS, 6)
                one = example(
                    f"{scenario}{person}{number}", category="pets", scenario=scenario, said=" ".join(words)
                ).model_copy(update={"person_id": person, "author": "m"})
                workspace.examples.add_example(one)
    found = stored_effect(spec(), workspace, WordVectors())
    assert found.person.acts and found.scenarios == 6 and found.people == 3 and found.fields == ()
    assert "54 stored examples" in found.source and "--ask" in found.note


def turns(apart: bool, draws: int = 4) -> list[Turn]:
    rng = Random(1)
    found = []
    for unit in "abcd":
        for person in "xyz":
            for draw in range(draws):
                own = [f"{person}{unit}"] * 4 if apart else []
                text = " ".join([*own, *rng.sample(WORDS, 8)])
                found.append(Turn(unit, person, draw, text))
    return found


def test_the_share_is_the_intraclass_correlation_and_its_interval_holds_it() -> None:
    found, none = change("person", turns(True), WordVectors()), change("person", turns(False), WordVectors())
    assert found is not None and none is not None
    for one in found.measures:
        assert one.low is not None and one.high is not None and one.low <= one.high
    assert found.p < 0.01 < 0.05 < none.p and found.acts and not none.acts
    meaning = found.measures[0]
    assert meaning.share == pytest.approx(1 - meaning.within / meaning.between) and meaning.share > 0.2
    assert change("person", turns(True, draws=1), WordVectors()) is None
    assert change("person", [], WordVectors()) is None


def test_of_many_fields_each_is_held_to_more(tmp_path: Path) -> None:
    one = change("a", turns(True), WordVectors())
    assert one is not None
    many = [one.model_copy(update={"what": name, "p": p}) for name, p in (("a", 0.004), ("b", 0.03), ("c", 0.03))]
    assert [found.acts for found in holm(many)] == [True, False, False]
    assert holm([]) == () and isinstance(holm(many)[0], Change)
