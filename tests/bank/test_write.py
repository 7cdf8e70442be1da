"""Writing people with a model over HTTP: prompts from components, limits enforced, nobody lost, nobody paid twice."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.bank.journal import Journal
from studio.bank.model_job import PeopleParams, Task, WriteTask, journal_path, make_people
from studio.bank.person import Person, faults
from studio.bank.quality import essence
from studio.bank.types import PeopleFinished, PeopleStarted, PersonFailed, PersonRemoved, PersonTaken
from studio.bank.write import extremes, seeds
from studio.errors import UserError
from studio.jobs import start
from studio.llm import ModelError, ModelSettings
from studio.llm.settings import Price
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from tests.bank.making import WordVectors, answer, person
from tests.llm.fake_server import FakeServer

SPEC = Path(__file__).parents[2] / "specs" / "bank-support.yaml"


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, load(SPEC).spec.slug)
    yield opened
    opened.close()


@pytest.fixture
def loaded() -> LoadedSpec:
    return load(SPEC)


def asked(server: FakeServer, root: Path, task: Task, **more: Any) -> PeopleParams:
    settings = ModelSettings(endpoint=server.url, model="fake")
    return PeopleParams(spec_path=str(SPEC), workspace=str(root), task=task, settings=settings, language=None, **more)


async def made(
    loaded: LoadedSpec, workspace: Workspace, params: PeopleParams, stop: Callable[[], bool] = lambda: False
) -> list[Any]:
    return [event async for event in make_people(loaded, workspace, params, stop, embedder=WordVectors())]


def finished(events: list[Any]) -> PeopleFinished:
    assert isinstance(events[-1], PeopleFinished)
    return events[-1]


async def test_people_are_written_whole_by_the_components_that_code_drew(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(answer) as server:
        events = await made(loaded, workspace, asked(server, tmp_path, WriteTask(count=60), concurrency=4))
        requests = server.requests
    end, people = finished(events), workspace.examples.people()
    assert (end.done, end.wanted, end.complete, end.errors, end.note) == (60, 60, True, 0, "")
    assert isinstance(events[0], PeopleStarted) and (events[0].known, events[0].model) == (0, "fake")
    assert len(people) == 60 and {one.id for one in people} == {e.id for e in events if isinstance(e, PersonTaken)}
    for one in people:
        assert (one.method, one.source, one.model, one.seed, one.extreme) == ("write", "bank", "fake", 0, False)
        assert faults(one) == ()
    assert end.calls == len(requests) == workspace.examples.spent().calls == 60 + end.removed
    assert end.cost_usd == 0.0  # on this machine
    journal = Journal(journal_path(workspace.folder, asked(server, tmp_path, WriteTask(count=60))))
    for one in people:
        drawn = journal.attempts[one.id].drawn
        assert one.profession == drawn.profession and (drawn.age is None or one.age == drawn.age)
        assert f"- Profession: {drawn.profession}" in journal.attempts[one.id].prompt
    journal.close()


async def test_three_of_the_last_twenty_are_shown_as_not_like_these_and_the_seeds_every_fiftieth_time(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(answer) as server:
        params = asked(server, tmp_path, WriteTask(count=104), concurrency=1)
        await made(loaded, workspace, params)
    journal = Journal(journal_path(workspace.folder, params))
    attempts, order = list(journal.attempts.values()), [one.id for one in workspace.examples.people()]
    journal.close()
    names = [seed.name for seed in seeds()]
    with_seeds = [n for n, one in enumerate(attempts, 1) if sum(name in one.prompt for name in names) == 3]
    assert with_seeds == [1, 2, 3, 51, 101]
    for number, attempt in enumerate(attempts, 1):
        if number in with_seeds:
            assert attempt.references == ()
            continue
        before = [id for id in order if list(journal.attempts).index(id) < number - 1]
        assert len(set(attempt.references)) == 3 and set(attempt.references) <= set(before[-20:])
        assert "not like these" in attempt.prompt


async def test_whoever_exceeds_the_limits_is_asked_for_again_with_what_was_wrong(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    count = itertools.count()

    def long_at_first(body: dict[str, Any]) -> dict[str, Any]:
        good = answer(body)
        return good | ({"background": "Keeps bees. " * 40} if next(count) % 2 == 0 else {})

    async with FakeServer(long_at_first) as server:
        end = finished(await made(loaded, workspace, asked(server, tmp_path, WriteTask(count=3), concurrency=1)))
        corrections = [body["messages"][-1]["content"] for body in server.requests[1::2]]
    assert end.done == 3 and len(corrections) == 3
    assert all("characters" in said and "That is not valid" in said for said in corrections)
    assert all(len(one.background) <= 300 for one in workspace.examples.people())


async def test_a_person_who_is_there_already_or_like_a_reference_is_removed_with_the_twin(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    # work and place are drawn by code, so a twin has others: enough is said for it to be one all the same
    there = person(1, background="; ".join(person(number).background.rstrip(".") for number in (1, 2, 3)) + ".")
    workspace.examples.add_person(there)
    turns = itertools.count()

    def repeats(body: dict[str, Any]) -> dict[str, Any]:
        turn = next(turns)
        if turn in (1, 3):  # the one who is there, under another name
            again = there.model_dump(mode="json")
            said = {name: again[name] for name in ("traits", "background", "chatting_style")}
            return answer(body) | said
        return answer(body)

    async with FakeServer(repeats) as server:
        params = asked(server, tmp_path, WriteTask(count=6), concurrency=1)
        events = await made(loaded, workspace, params)
    removed = [event for event in events if isinstance(event, PersonRemoved)]
    assert {event.reason for event in removed} <= {"words", "meaning", "reference"} and len(removed) == 2
    assert {event.twin for event in removed} == {"p1"}
    end = finished(events)
    assert (end.done, end.complete, end.removed) == (6, True, 2)
    journal = Journal(Path(end.journal))
    assert [(one.id, one.twin) for one in journal.removals] == [(event.id, "p1") for event in removed]
    assert all(one.text and one.similarity for one in journal.removals)
    journal.close()


async def test_extreme_people_are_drawn_from_the_harder_components_and_marked(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(answer) as server:
        await made(loaded, workspace, asked(server, tmp_path, WriteTask(count=40, extreme=True)))
        prompts = [body["messages"][1]["content"] for body in server.requests]
    people = workspace.examples.people()
    assert len(people) == 40 and all(one.extreme for one in people)
    shown = {state for state, ways in extremes().items() if any(way.shows in p for way in ways for p in prompts)}
    assert shown == {"hostile", "erratic", "overwhelmed", "dysfunctional"}
    assert all("hard to talk to" in prompt for prompt in prompts)


async def test_a_larger_count_goes_on_and_the_same_count_asks_nobody(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(answer) as server:
        await made(loaded, workspace, asked(server, tmp_path, WriteTask(count=10)))
        first = len(server.requests)
        again = finished(await made(loaded, workspace, asked(server, tmp_path, WriteTask(count=10))))
        assert len(server.requests) == first and (again.known, again.done, again.calls) == (10, 10, 0)
        more = finished(await made(loaded, workspace, asked(server, tmp_path, WriteTask(count=25))))
    assert (more.known, more.done, more.complete) == (10, 25, True)
    assert len(workspace.examples.people()) == 25


async def test_a_stop_leaves_what_was_answered_and_says_how_to_go_on(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(answer) as server:
        stop = lambda: len(workspace.examples.people()) >= 5  # noqa: E731
        end = finished(await made(loaded, workspace, asked(server, tmp_path, WriteTask(count=50), concurrency=3), stop))
        assert 5 <= end.done <= 9 and not end.complete and "goes on" in end.note
        assert end.done + end.removed == len(server.requests)


async def test_whom_the_model_did_not_give_is_told_and_asked_again_only_where_that_is_wanted(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    broken = True

    def at_first_no_third(body: dict[str, Any]) -> dict[str, Any]:
        return {"no": 1} if broken and body["messages"][1]["content"].startswith("Write person 3.") else answer(body)

    async with FakeServer(at_first_no_third) as server:
        params = asked(server, tmp_path, WriteTask(count=5), concurrency=1)
        events = await made(loaded, workspace, params)
        failed = [event for event in events if isinstance(event, PersonFailed)]
        end = finished(events)
        assert (len(failed), end.errors, end.done, end.complete) == (1, 1, 5, True)
        broken = False
        params = asked(server, tmp_path, WriteTask(count=6), concurrency=1)
        end = finished(await made(loaded, workspace, params))
        assert (end.known, end.done, end.errors, end.calls) == (5, 6, 0, 1)
        assert workspace.examples.person(failed[0].id) is None
        retrying = params.settings.model_copy(update={"retry_failed": True})
        params = params.model_copy(update={"settings": retrying, "task": WriteTask(count=7)})
        end = finished(await made(loaded, workspace, params))
    assert (end.known, end.done, end.errors) == (6, 7, 0)
    assert workspace.examples.people()[-1].id == failed[0].id


@pytest.mark.parametrize("stored", [True, False])
async def test_whoever_was_answered_when_it_was_killed_is_kept_without_a_call(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path, stored: bool
) -> None:
    """Killed between the store and the journal, or between the record of calls and the store."""
    async with FakeServer(answer) as server:
        params = asked(server, tmp_path, WriteTask(count=5), concurrency=1)
        await made(loaded, workspace, params)
        calls, people = len(server.requests), workspace.examples.people()
        path = journal_path(workspace.folder, params)
        *lines, last = path.read_text().splitlines(keepends=True)
        assert '"settled"' in last and people[-1].id in last
        path.write_text("".join(lines) + last[:20])  # torn, as a kill may leave it
        if not stored:
            with workspace.examples.database.writing() as connection:
                connection.execute("DELETE FROM people WHERE id = ?", (people[-1].id,))
        end = finished(await made(loaded, workspace, params))
        assert len(server.requests) == calls and end.calls == 0
    assert (end.known, end.done) == (5 if stored else 4, 5)
    assert workspace.examples.people() == people


async def test_a_refused_key_ends_it_with_one_line(loaded: LoadedSpec, workspace: Workspace, tmp_path: Path) -> None:
    async with FakeServer(answer, key="secret") as server:
        with pytest.raises(ModelError) as caught:
            await made(loaded, workspace, asked(server, tmp_path, WriteTask(count=8)))
    assert caught.value.kind == "auth"


async def test_a_model_that_repeats_itself_ends_it_and_says_why(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    def same(body: dict[str, Any]) -> dict[str, Any]:
        return answer({"messages": [{}, {"content": "one"}]}) | {"place": "Leeds", "profession": "x"}

    async with FakeServer(same) as server:
        end = finished(await made(loaded, workspace, asked(server, tmp_path, WriteTask(count=200))))
    assert not end.complete and "nobody new" in end.note and end.removed >= 100


async def test_without_a_model_it_says_what_it_needs(loaded: LoadedSpec, workspace: Workspace, tmp_path: Path) -> None:
    params = PeopleParams(spec_path=str(SPEC), workspace=str(tmp_path), task=WriteTask(count=1))
    with pytest.raises(UserError, match="needs a model") as caught:
        await made(loaded, workspace, params)
    assert "--endpoint" in caught.value.remedy and "studio bank compose" in caught.value.remedy


async def test_killed_twice_and_started_again_nobody_is_lost_paid_twice_or_like_another(
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
        answered.append(body["messages"][1]["content"])
        return answer(body)

    async with FakeServer(slow) as server:
        params = asked(server, tmp_path, WriteTask(count=40), concurrency=8)
        for least in (8, 20):
            job = start(workspace.jobs_dir, "bank", "studio.bank.model_job:main", params)
            while len(workspace.examples.people()) < least:
                assert job.view().state in ("starting", "running"), job.view().error
                await asyncio.sleep(0.02)
            pid = job.view().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            assert (await asyncio.to_thread(job.wait, 30)).state == "dead"
            await asyncio.wait_for(idle.wait(), 30)
            unread = len(answered) - workspace.examples.spent().calls
        job = start(workspace.jobs_dir, "bank", "studio.bank.model_job:main", params)
        view = await asyncio.to_thread(job.wait, 120)
    assert view.state == "finished", view.error
    people = workspace.examples.people()
    assert len(people) == 40 and len({essence(one) for one in people}) == 40
    journal = Journal(journal_path(workspace.folder, params))
    assert set(journal.attempts) == set(journal.settled)
    assert len(journal.attempts) == 40 + len(journal.removals)
    journal.close()
    on_record = workspace.examples.spent().calls
    assert len(set(answered)) == on_record == len(journal.attempts)
    assert len(answered) - on_record == unread <= 2 * 8


async def test_a_budget_ends_it_and_a_higher_one_goes_on(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(answer) as server:
        params = asked(server, tmp_path, WriteTask(count=40), concurrency=8)

        def held_to(usd: float) -> PeopleParams:
            priced = {"price": Price(prompt=0, completion=1000), "max_cost_usd": usd}
            return params.model_copy(update={"settings": params.settings.model_copy(update=priced)})

        with pytest.raises(ModelError, match="raise --max-cost"):
            await made(loaded, workspace, held_to(3.0))
        assert 0 < workspace.examples.spent().cost_usd <= 3.0 and 0 < len(workspace.examples.people()) < 40
        assert finished(await made(loaded, workspace, held_to(99.0))).complete
        assert workspace.examples.spending()["people"].calls == len(server.requests)


def test_the_seeds_are_whole_people() -> None:
    assert len(seeds()) == 6 and all(faults(one) == () for one in seeds())
    assert all(len(ways) == 6 for ways in extremes().values())
    assert isinstance(seeds()[0], Person)
