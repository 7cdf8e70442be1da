"""Following a recipe over HTTP: made for people, compared, solved, stored; stopped and killed, it goes on."""

from __future__ import annotations

import asyncio
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.bank import compose
from studio.errors import UserError
from studio.generate.recipes import (
    BUILT_IN,
    ENTRY,
    STAGE,
    RecipeParams,
    follow_recipe,
    load_recipe,
    made_by,
    next_prompts,
    recipe_runs,
    removed_of,
    report,
)
from studio.generate.recipes.made import PERSONAS, InferredPersona
from studio.inference import ItemsFinished, ItemsStarted
from studio.jobs import start
from studio.llm import ModelError, ModelSettings
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from tests.bank.making import WordVectors, person
from tests.generate.recipes.serving import ODD, WORLD, answer, fields
from tests.llm.fake_server import FakeServer

SPEC = Path(__file__).parents[3] / "specs" / "taskmaster.yaml"


@pytest.fixture
def loaded() -> LoadedSpec:
    return load(SPEC)


@pytest.fixture
def workspace(tmp_path: Path, loaded: LoadedSpec) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, loaded.spec.slug)
    opened.examples.add_people(compose.people(60, 3))
    yield opened
    opened.close()


def asked(server: FakeServer, root: Path, recipe: str, **more: Any) -> RecipeParams:
    settings = ModelSettings(endpoint=server.url, model="fake", patience_minutes=0.05)
    return RecipeParams(spec_path=str(SPEC), workspace=str(root), recipe=recipe, settings=settings, **more)


async def follow(
    loaded: LoadedSpec, workspace: Workspace, params: RecipeParams, stop: Callable[[], bool] = lambda: False
) -> list[Any]:
    return [event async for event in follow_recipe(loaded, workspace, params, stop, embedder=WordVectors())]


def finished(events: list[Any]) -> ItemsFinished:
    assert isinstance(events[-1], ItemsFinished)
    return events[-1]


@pytest.mark.parametrize("name", BUILT_IN)
async def test_each_recipe_is_followed_for_people_of_the_bank_each_once(
    name: str, loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    world = tmp_path / "march.md"
    world.write_text(WORLD)
    recipe = load_recipe(name)
    async with FakeServer(answer) as server:
        params = asked(server, tmp_path, name, count=8, world=str(world) if recipe.world else None, concurrency=3)
        events = await follow(loaded, workspace, params)
        requests = server.requests
    end = finished(events)
    assert (end.done, end.complete, end.errors, end.task, end.note) == (8, True, 0, name, "")
    (run,) = recipe_runs(workspace.documents)
    assert run.title == (f"{name}, persona, march.md" if recipe.world else f"{name}, persona")
    assert run.kind == f"recipe {name} persona" or recipe.world
    made = made_by(workspace.documents, run)
    stored = {one.id for one in workspace.examples.people()}
    assert len({one.person_id for one in made}) == 8 and {one.person_id for one in made} <= stored
    inferred = [one for one in requests if fields(one) == {"persona"}]
    assert len(inferred) == sum(one.persona is None for one in recipe.demonstrations)
    assert len(requests) == end.calls == sum(one.requests for one in made) + len(inferred)
    assert all(one.page["Person"] == one.persona and one.title for one in made)
    if recipe.solve:
        assert all(one.agree == 3 and one.solution and one.final for one in made)
    (told,) = report(workspace.documents, [run])
    assert (told.made, told.people, told.tries, told.removed, told.cost_usd) == (8, 8, 8, {}, 0.0)
    assert told.words and told.words.least > 5
    assert workspace.examples.count() == 0, "nothing of this is an example of the persona"


async def test_a_demonstration_s_person_is_inferred_once_and_shown_in_every_prompt(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(answer) as server:
        params = asked(server, tmp_path, "instruction", count=4)
        _, before = next_prompts(loaded, workspace, params)
        assert len(before) == 3 and not server.requests
        await follow(loaded, workspace, params)
        first = Counter(tuple(sorted(fields(body))) for body in server.requests)
        assert first == {("persona",): 2, ("instruction",): 4}
        kept = [one.persona for one in workspace.documents.all(PERSONAS, InferredPersona)]
        prompts = [body["messages"][1]["content"] for body in server.requests if fields(body) == {"instruction"}]
        assert len(kept) == 2 and all(any(one in prompt for one in kept) for prompt in prompts)
        assert all("(to be inferred)" not in prompt for prompt in prompts)
        await follow(loaded, workspace, params.model_copy(update={"count": 6}))
        assert len(server.requests) == 8, "two more, and nobody inferred again"
        somebody, after = next_prompts(loaded, workspace, params)
        (run,) = recipe_runs(workspace.documents)
        assert len(after) == 1 and somebody.id not in {one.person_id for one in made_by(workspace.documents, run)}
        assert after[0].messages[1].content not in prompts


@pytest.mark.parametrize("shots", ["zero", "few"])
async def test_without_personas_nobody_is_inferred_and_each_way_is_a_run_of_its_own(
    shots: Any, loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(answer) as server:
        await follow(loaded, workspace, asked(server, tmp_path, "knowledge", count=3, shots=shots))
        assert len(server.requests) == 3
        shown = [("<example-" in body["messages"][1]["content"]) for body in server.requests]
        assert shown == [shots == "few"] * 3
        await follow(loaded, workspace, asked(server, tmp_path, "knowledge", count=3))
    assert [one.kind for one in recipe_runs(workspace.documents)] == [
        f"recipe knowledge {shots}",
        "recipe knowledge persona",
    ]
    assert len(recipe_runs(workspace.documents, "knowledge", shots)) == 1


async def test_problems_on_which_nobody_agrees_are_removed_and_kept(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    def odd(body: dict[str, Any]) -> dict[str, Any]:
        found = answer(body)
        if "problem" in found and int(found["problem"].split(" stacks of ")[1].split()[0]) % 3 == 0:
            found["problem"] = found["problem"].replace("crates.", f"crates, which {ODD}.")
        return found

    async with FakeServer(odd) as server:
        events = await follow(loaded, workspace, asked(server, tmp_path, "math", count=12, concurrency=4))
    end = finished(events)
    assert (end.done, end.complete) == (12, True) and set(end.reasons) == {"disagreement"}
    (run,) = recipe_runs(workspace.documents)
    gone = removed_of(workspace.documents, run)
    assert len(gone) == end.removed > 0 and all(ODD in one.made.text for one in gone)
    assert all(len(set(one.made.finals)) == 3 and not one.made.final and one.made.agree == 0 for one in gone)
    assert not any(ODD in one.text for one in made_by(workspace.documents, run))
    (told,) = report(workspace.documents, [run])
    assert told.agreement and (told.agreement.all, told.agreement.none) == (12, len(gone))
    assert told.agreement_share == pytest.approx(12 / (12 + len(gone)))


async def test_two_of_three_are_enough_and_a_solution_that_is_refused_is_one_that_did_not_come(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    turns: Counter[str] = Counter()

    def third_differs(body: dict[str, Any]) -> dict[str, Any]:
        if fields(body) != {"reasoning", "answer"}:
            return answer(body)
        problem = body["messages"][1]["content"]
        turns[problem] += 1
        return answer(body) if turns[problem] != 2 else {"reasoning": "I slipped.", "answer": "1"}

    async with FakeServer(third_differs) as server:
        await follow(loaded, workspace, asked(server, tmp_path, "math", count=3, shots="zero", concurrency=1))
        one = asked(server, tmp_path, "math", count=3, samples=1)
        with pytest.raises(UserError, match="one solution agrees with nothing"):
            await follow(loaded, workspace, one)
        before = len(server.requests)
        await follow(loaded, workspace, asked(server, tmp_path, "logic", count=2, shots="zero", samples=0))
        assert len(server.requests) == before + 2
    run, unsolved = recipe_runs(workspace.documents)
    made = made_by(workspace.documents, run)
    assert all((one.agree, one.samples, one.solution.startswith("That makes")) == (2, 3, True) for one in made)
    assert all("1" in one.finals and one.final != "1" for one in made)
    assert report(workspace.documents, [unsolved])[0].agreement is None


async def test_what_is_made_again_is_removed_with_its_twin(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    turn = iter(range(1000))
    first: dict[str, Any] = {}

    def repeats(body: dict[str, Any]) -> dict[str, Any]:
        first.setdefault("said", answer(body))
        return first["said"] if next(turn) in (2, 5) else answer(body)

    async with FakeServer(repeats) as server:
        params = asked(server, tmp_path, "instruction", count=6, shots="zero", concurrency=1)
        end = finished(await follow(loaded, workspace, params))
        assert (end.done, end.reasons) == (6, {"duplicate": 2})
        (run,) = recipe_runs(workspace.documents)
        one = made_by(workspace.documents, run)[0]
        gone = [found.made for found in removed_of(workspace.documents, run)]
        assert [(found.twin, found.similarity, found.alike_in) for found in gone] == [(one.id, 1.0, "words")] * 2
        turn = iter([2, *range(100, 200)])  # at the next start too
        end = finished(await follow(loaded, workspace, params.model_copy(update={"count": 7})))
    assert (end.done, end.known, end.reasons) == (7, 6, {"duplicate": 3})


async def test_a_model_that_only_repeats_itself_comes_to_an_end_and_the_note_says_why(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(lambda _: {"instruction": "please say the same thing to me once more"}) as server:
        end = finished(await follow(loaded, workspace, asked(server, tmp_path, "instruction", count=4, shots="few")))
    assert (end.done, end.complete) == (1, False) and end.note == "of 22 tries too few counted, 3 are missing"


async def test_an_answer_that_fails_a_check_is_asked_for_again_and_else_given_up(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    turn = iter(range(1000))

    def at_first_broken(body: dict[str, Any]) -> dict[str, Any]:
        found = answer(body)
        return found | ({"code": "def other():\n    pass  # " + "x" * 90} if next(turn) == 0 else {})

    async with FakeServer(at_first_broken) as server:
        end = finished(
            await follow(loaded, workspace, asked(server, tmp_path, "tool", count=2, shots="zero", concurrency=1))
        )
        assert "expected the code to define" in server.requests[1]["messages"][-1]["content"]
    assert (end.done, end.errors, end.calls) == (2, 0, 3)
    async with FakeServer(lambda _: {"instruction": "no"}) as server:
        params = asked(server, tmp_path, "instruction", count=2, shots="zero", concurrency=1)
        end = finished(await follow(loaded, workspace, params))
    assert (end.done, end.errors) == (0, 16) and "too few counted" in end.note
    assert report(workspace.documents, recipe_runs(workspace.documents, "instruction"))[0].given_up == 16


async def test_when_everybody_had_a_turn_everybody_has_another(loaded: LoadedSpec, tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, loaded.spec.slug)
    workspace.examples.add_people(person(n, method="import") for n in range(3))
    async with FakeServer(answer) as server:
        params = asked(server, tmp_path, "instruction", count=7, shots="zero", concurrency=1)
        end = finished(await follow(loaded, workspace, params))
    made = made_by(workspace.documents, recipe_runs(workspace.documents)[0])
    assert end.done == 7 and [one.number for one in made] == [1, 1, 1, 2, 2, 2, 3]
    assert [one.person_id for one in made[:3]] == [one.person_id for one in made[3:6]]
    assert sum("number 2 for this person" in body["messages"][1]["content"] for body in server.requests) == 3
    workspace.close()


async def test_another_seed_begins_with_others_and_an_empty_bank_is_told(loaded: LoadedSpec, tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, loaded.spec.slug)
    async with FakeServer(answer) as server:
        first = asked(server, tmp_path, "instruction", count=3, shots="zero")
        events = await follow(loaded, workspace, first)
        assert (
            isinstance(events[0], ItemsStarted)
            and events[0].note == "for 200 people, the built-in ones: the bank is empty"
        )
        one, _ = next_prompts(loaded, workspace, first)
        other, _ = next_prompts(loaded, workspace, first.model_copy(update={"seed": 9}))
        assert one.id != other.id
        end = finished(await follow(loaded, workspace, first.model_copy(update={"seed": 9, "count": 5})))
    assert (end.known, end.done) == (3, 5)
    workspace.close()


async def test_what_is_missing_is_told_before_anybody_is_asked(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "empty.md").write_text(" \n")
    async with FakeServer(answer) as server:
        for recipe, world, said in (
            ("npc", None, "needs a file that describes the world"),
            ("npc", tmp_path / "gone.md", "no such file"),
            ("npc", tmp_path / "empty.md", "found an empty file"),
            ("math", tmp_path / "empty.md", "has no use for a world"),
        ):
            with pytest.raises(UserError, match=said):
                await follow(loaded, workspace, asked(server, tmp_path, recipe, world=str(world) if world else None))
        assert server.requests == [] and recipe_runs(workspace.documents) == []


async def test_a_refused_key_ends_it(loaded: LoadedSpec, workspace: Workspace, tmp_path: Path) -> None:
    async with FakeServer(answer, key="secret") as server:
        with pytest.raises(ModelError) as caught:
            await follow(loaded, workspace, asked(server, tmp_path, "math", count=4))
    assert caught.value.kind == "auth"


async def test_killed_twice_and_started_again_nothing_is_lost_or_paid_twice(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every answer that was read is on record, used once and never asked for again. One that was sent just as the
    process was killed, and that nobody read, is asked for once more."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    answered: list[str] = []
    idle, under_way, unread = asyncio.Event(), 0, 0

    async def slow(body: dict[str, Any]) -> dict[str, Any]:
        nonlocal under_way
        under_way += 1
        idle.clear()
        try:
            await asyncio.sleep(0.05)
        finally:
            under_way -= 1
            if not under_way:
                idle.set()
        answered.append(f"{body['messages']} {body.get('seed')}")
        return answer(body)

    async with FakeServer(slow) as server:
        params = asked(server, tmp_path, "math", count=16, concurrency=4)
        for least in (3, 9):
            job = start(workspace.jobs_dir, STAGE, ENTRY, params)
            while workspace.documents.count("recipe math persona") < least:
                assert job.view().state in ("starting", "running"), job.view().error
                await asyncio.sleep(0.02)
            pid = job.view().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            assert (await asyncio.to_thread(job.wait, 30)).state == "dead"
            await asyncio.wait_for(idle.wait(), 30)
            unread = len(answered) - workspace.examples.spent().calls
        job = start(workspace.jobs_dir, STAGE, ENTRY, params)
        view = await asyncio.to_thread(job.wait, 120)
    assert view.state == "finished", view.error
    (run,) = recipe_runs(workspace.documents)
    made, gone = made_by(workspace.documents, run), removed_of(workspace.documents, run)
    assert len(made) == 16 == len({one.text for one in made}) == len({one.person_id for one in made})
    on_record = workspace.examples.spent().calls
    inferred = workspace.documents.count(PERSONAS)
    assert (
        len(set(answered))
        == on_record
        == sum(one.requests for one in made) + sum(one.made.requests for one in gone) + inferred
    )
    assert len(answered) - on_record == unread <= 2 * 4
