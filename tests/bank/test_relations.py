"""Relations: six hops at most, breadth first, with relation, age and job drawn by code, and drift told."""

from __future__ import annotations

import random
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.bank.model_job import RelationsTask, WriteTask
from studio.bank.person import Person
from studio.bank.relations import RelationsPlan, cards, draw, kinds
from studio.bank.types import HopFinished, PersonRemoved
from studio.errors import UserError
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from tests.bank.making import WordVectors, answer, person
from tests.bank.test_write import SPEC, asked, finished, made
from tests.llm.fake_server import FakeServer


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, load(SPEC).spec.slug)
    yield opened
    opened.close()


@pytest.fixture
def loaded() -> LoadedSpec:
    return load(SPEC)


async def test_hops_are_filled_breadth_first_and_each_person_knows_where_they_hang(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    roots = [person(number) for number in range(6)]
    for one in roots:
        workspace.examples.add_person(one)
    async with FakeServer(answer) as server:
        events = await made(loaded, workspace, asked(server, tmp_path, RelationsTask(hops=3, budget=8)))
    end = finished(events)
    assert (end.done, end.wanted, end.complete) == (24, 24, True)
    people = {one.id: one for one in workspace.examples.people()}
    made_now = [one for one in people.values() if one.method == "relations"]
    assert [sum(one.hop == hop for one in made_now) for hop in (1, 2, 3)] == [8, 8, 8]
    for one in made_now:
        (parent,) = one.parents
        assert people[parent].hop == one.hop - 1
        assert one.root == (people[parent].root or parent) and one.root in {root.id for root in roots}
        assert one.relation in {kind.kind for kind in kinds()}
    pairs = [(one.parents[0], one.relation) for one in made_now]
    assert len(set(pairs)) == len(pairs)
    children = [sum(one.parents == (root.id,) for one in made_now) for root in roots]
    assert sorted(children) == [1, 1, 1, 1, 2, 2]  # each once before any twice
    hops = [event for event in events if isinstance(event, HopFinished)]
    assert [(hop.hop, hop.people, hop.n) for hop in hops] == [(1, 8, 8), (2, 8, 8), (3, 8, 8)]
    assert all(0 <= hop.age_divergence <= 1 and 0 <= hop.job_divergence <= 1 and hop.vendi > 1 for hop in hops)


async def test_started_again_with_more_hops_it_goes_on_from_the_last(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    for number in range(4):
        workspace.examples.add_person(person(number))
    async with FakeServer(answer) as server:
        first = finished(await made(loaded, workspace, asked(server, tmp_path, RelationsTask(hops=1, budget=5))))
        calls = len(server.requests)
        second = finished(await made(loaded, workspace, asked(server, tmp_path, RelationsTask(hops=2, budget=5))))
        assert len(server.requests) == calls + second.calls
    assert (first.done, second.known, second.done) == (5, 5, 10)
    hops = [one.hop for one in workspace.examples.people() if one.method == "relations"]
    assert sorted(hops) == [1] * 5 + [2] * 5


async def test_a_child_that_is_somebody_already_is_asked_for_once_more_with_the_twin_shown(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    for number in range(3):
        workspace.examples.add_person(person(number))
    first = True

    def twin_at_first(body: dict[str, Any]) -> dict[str, Any]:
        nonlocal first
        found = answer(body)
        if first:
            first = False
            again = person(2).model_dump(mode="json")
            return found | {name: again[name] for name in ("traits", "background", "chatting_style", "place")}
        return found

    async with FakeServer(twin_at_first) as server:
        params = asked(server, tmp_path, RelationsTask(hops=1, budget=3), concurrency=1)
        events = await made(loaded, workspace, params)
        prompts = [body["messages"][1]["content"] for body in server.requests]
    removed = [event for event in events if isinstance(event, PersonRemoved)]
    assert len(removed) == 1 and removed[0].twin == "p2"
    assert finished(events).done == 3 and len(prompts) == 4
    shown = [prompt for prompt in prompts if "There already" in prompt]
    assert len(shown) == 1 and person(2).background in shown[0]


async def test_it_stops_where_diversity_falls_and_says_from_what_to_what(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    for number in range(10):
        workspace.examples.add_person(person(number))
    calls = 0

    def dull(body: dict[str, Any]) -> dict[str, Any]:
        nonlocal calls
        calls += 1
        found = answer(body)
        if calls <= 10:
            return found
        own = str(found["background"]).split()
        said = f"{own[0]} {own[-1]} {own[-1]}x works much sleeps well eats soup walks home greets people."
        return found | {"background": said, "traits": ["a", "b", "c"], "chatting_style": "plain", "place": "here"}

    async with FakeServer(dull) as server:
        params = asked(server, tmp_path, RelationsTask(hops=6, budget=10), concurrency=5)
        events = await made(loaded, workspace, params)
    end = finished(events)
    assert not end.complete and "Vendi score fell" in end.note and "hop 2" in end.note
    assert [event.hop for event in events if isinstance(event, HopFinished)] == [1, 2]
    assert max(one.hop for one in workspace.examples.people()) == 2


def test_ages_follow_the_relation_and_jobs_fit_it() -> None:
    nurse = person(1, age=45, profession="night nurse")
    by_name = {kind.kind: kind for kind in kinds()}
    assert len(by_name) == 12 and by_name["patient"].fits(nurse)
    assert not by_name["patient"].fits(person(1, profession="welder"))
    assert not by_name["boss"].fits(person(1, profession="retired welder"))
    rng, pool = random.Random(1), cards(0)
    gaps = {
        name: statistics.mean(draw(nurse, by_name[name], rng, pool)[0] - 45 for _ in range(200))
        for name in ("boss", "report", "colleague")
    }
    assert gaps["report"] < -5 < 2 > gaps["colleague"] > -2 and gaps["boss"] > 5
    assert {draw(nurse, by_name["rival"], rng, pool)[1] for _ in range(20)} == {"night nurse"}
    assert all(19 <= draw(nurse, kind, rng, pool)[0] <= 75 for kind in kinds() for _ in range(50))
    relatives = [draw(nurse, by_name["relative"], rng, pool)[0] - 45 for _ in range(200)]
    assert min(relatives) < -15 and max(relatives) > 15


def test_whoever_has_no_relation_left_ends_it() -> None:
    plan = RelationsPlan([person(1, profession="retired welder")], 1, 50, 0, WordVectors())
    attempts = []
    while (attempt := plan.next()) is not None:
        attempts.append(attempt)
    named = {one.drawn.relation for one in attempts}
    assert named == {kind.kind for kind in kinds() if kind.needs == ""} and len(attempts) == len(named)
    for one in attempts:
        plan.settled(one, Person.model_validate(one.drawn.model_dump() | {"background": one.id}), None)
    assert plan.next() is None and plan.told[0].people == len(named)


async def test_without_anybody_to_begin_with_it_says_how_to_have_some(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(answer) as server:
        with pytest.raises(UserError, match="nobody made is there"):
            await made(loaded, workspace, asked(server, tmp_path, RelationsTask()))
        await made(loaded, workspace, asked(server, tmp_path, WriteTask(count=2)))
        with pytest.raises(UserError, match="nobody made by compose"):
            await made(loaded, workspace, asked(server, tmp_path, RelationsTask(roots="compose")))
