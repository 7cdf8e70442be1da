"""Conversations over HTTP with models that behave and that do not: what counts, what is removed, and nothing twice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from studio.bank import compose
from studio.bank.talk import KIND, Draw, Talk, TalkParams, chatml, export_talks, make_talks
from studio.bank.talk.job import ENTRY
from studio.bank.talk.quality import problem
from studio.chatml import conversation_problem
from studio.errors import UserError
from studio.inference import ItemFailed, ItemsFinished
from studio.inference.run import Removed
from studio.jobs import start
from studio.llm import ModelSettings
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from tests.bank.making import WordVectors
from tests.bank.talking import GOODBYES, is_topic, names, sentence, spoken, talks
from tests.llm.fake_server import FakeServer

SPEC = Path(__file__).parents[2] / "specs" / "bank-support.yaml"
BANK = list(compose.people(120, 0))
OF_WORK_AND_HOME = ("a friend of yours", "you work beside", "your brother or sister", "works under you", "a cousin")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, load(SPEC).spec.slug)
    opened.examples.add_people(BANK)
    yield opened
    opened.close()


@pytest.fixture
def loaded() -> LoadedSpec:
    return load(SPEC)


def asked(server: FakeServer, workspace: Workspace, count: int, **more: Any) -> TalkParams:
    settings = ModelSettings(endpoint=server.url, model="fake")
    root = str(workspace.folder.parent)
    return TalkParams(spec_path=str(SPEC), workspace=root, settings=settings, count=count, language="any", **more)


async def made(
    loaded: LoadedSpec, workspace: Workspace, params: TalkParams, stop: Callable[[], bool] = lambda: False
) -> list[Any]:
    return [event async for event in make_talks(loaded, workspace, params, stop, embedder=WordVectors())]


def finished(events: list[Any]) -> ItemsFinished:
    assert isinstance(events[-1], ItemsFinished)
    return events[-1]


async def test_two_people_talk_in_turn_until_both_have_finished(loaded: LoadedSpec, workspace: Workspace) -> None:
    async with FakeServer(talks(6)) as server:
        end = finished(await made(loaded, workspace, asked(server, workspace, 12)))
        requests = server.requests
    found = workspace.documents.all(KIND, Talk)
    assert (end.done, end.complete, end.removed, end.errors) == (12, True, 0, 0) and len(found) == 12
    for talk in found:
        assert [turn.side for turn in talk.turns] == ["first", "second"] * 3 and talk.ended == "finished"
        assert talk.scene.first.id != talk.scene.second.id and talk.model == "fake"
        assert talk.title.count(talk.scene.first.name) and "Conversation" in talk.page
    assert len(requests) == end.calls == 12 * 7 == workspace.examples.spending()["people"].calls
    topics = [body["messages"][1]["content"] for body in requests if is_topic(body)]
    assert all("Not like these" in prompt for prompt in topics)
    known = {talk.subject.topic for talk in found}
    draws = workspace.documents.all("talk drawn", Draw)
    assert all(len(draw.not_like) == 2 for draw in draws) and len({frozenset((d.first, d.second)) for d in draws}) == 12
    assert not [draw for draw in draws[:2] if known & set(draw.not_like)]  # those written by hand


async def test_topics_there_already_are_shown_as_not_to_come_again(loaded: LoadedSpec, workspace: Workspace) -> None:
    async with FakeServer(talks(4)) as server:
        await made(loaded, workspace, asked(server, workspace, 6, concurrency=1))
    found = workspace.documents.all(KIND, Talk)
    draws = {draw.id: draw for draw in workspace.documents.all("talk drawn", Draw)}
    before = [talk.subject.topic for talk in found]
    for number, talk in enumerate(found):
        if number > 3:
            assert set(draws[talk.id].not_like) <= set(before[:number])


async def test_a_model_that_says_goodbye_for_ever_says_it_twice(loaded: LoadedSpec, workspace: Workspace) -> None:
    def turn(body: dict[str, Any]) -> dict[str, Any]:
        at = spoken(body)
        return {"text": sentence(body) if at < 4 else GOODBYES[at % len(GOODBYES)], "finished": False}

    async with FakeServer(talks(turn=turn)) as server:
        end = finished(await made(loaded, workspace, asked(server, workspace, 8, turns=40)))
        assert end.calls == len(server.requests) == 8 * (1 + 6)
    for talk in workspace.documents.all(KIND, Talk):
        assert len(talk.turns) == 6 and talk.ended == "closed"
        assert sum("bye" in one.text.lower() for one in talk.turns) <= 2


async def test_a_model_that_never_ends_is_ended_at_the_cap(loaded: LoadedSpec, workspace: Workspace) -> None:
    async with FakeServer(talks(999)) as server:
        await made(loaded, workspace, asked(server, workspace, 3, turns=10))
    assert {(len(talk.turns), talk.ended) for talk in workspace.documents.all(KIND, Talk)} == {(10, "cap")}


async def test_a_flip_of_roles_is_the_simulators_fault_and_the_conversation_goes(
    loaded: LoadedSpec, workspace: Workspace
) -> None:
    def turn(body: dict[str, Any]) -> dict[str, Any]:
        _, known = names(body)
        part = body["messages"][0]["content"]
        flips = spoken(body) == 2 and bool(known) and any(what in part for what in OF_WORK_AND_HOME)
        said = f"This is {known}, {sentence(body)}" if flips else sentence(body)
        return {"text": said, "finished": spoken(body) >= 4}

    async with FakeServer(talks(turn=turn)) as server:
        end = finished(await made(loaded, workspace, asked(server, workspace, 30)))
    gone = [Talk.model_validate_json(one.body) for one in workspace.documents.all("talk removed", Removed)]
    assert end.done == 30 and end.reasons == {"role flip": len(gone)} and len(gone) >= 2
    for talk in gone:
        assert (talk.fault, talk.ended) == ("role flip", "fault")
        assert talk.turns[-1].text.startswith(f"This is {talk.scene.second.name.split()[0]}")
    for talk in workspace.documents.all(KIND, Talk):
        assert not [one for one in talk.turns if one.text.startswith("This is ")]


async def test_a_model_that_repeats_itself_and_one_that_repeats_others_are_removed(
    loaded: LoadedSpec, tmp_path: Path
) -> None:
    workspace = Workspace.open(tmp_path, "few")
    workspace.examples.add_people(BANK[:8])
    same = "Did you remember to bring the ladder back to the shed?"
    async with FakeServer(talks(turn=lambda body: {"text": same, "finished": False})) as server:
        end = finished(await made(loaded, workspace, asked(server, workspace, 400)))
    assert (end.done, end.complete) == (0, False) and set(end.reasons) == {"repeated"}
    assert "nothing is left to ask for" in end.note  # every pair that the relations allow was drawn
    workspace.close()


async def test_two_conversations_that_are_alike_are_one(loaded: LoadedSpec, workspace: Workspace) -> None:
    lines = (
        "The ladder is gone from the shed again.",
        "I lent it to the choir for the lamps.",
        "All of it?",
        "Only the lower half of it, the rest is at home.",
    )

    def turn(body: dict[str, Any]) -> dict[str, Any]:
        return {"text": lines[spoken(body)], "finished": spoken(body) > 1}

    async with FakeServer(
        lambda body: talks(turn=turn)(body) | ({"topic": "a ladder"} if is_topic(body) else {})
    ) as it:
        stop = lambda: workspace.documents.count("talk removed") >= 3  # noqa: E731
        end = finished(await made(loaded, workspace, asked(it, workspace, 5, concurrency=1), stop))
    assert end.done == 1 and set(end.reasons) == {"duplicate"}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("As an AI language model I have no dog at home.", "refusal"),
        ("My name is [NAME] and I have no dog at home.", "leftover"),
        ('{"text": "no", "finished": true} is what I say to that', "leftover"),
        ("I'm sorry, I can't help you with the dog, ask somebody as patient as me.", ""),
        ("What is your name again?", ""),
    ],
)
async def test_refusals_and_leftovers_go_and_what_people_say_stays(
    loaded: LoadedSpec, workspace: Workspace, said: str, reason: str
) -> None:
    async with FakeServer(talks(4)) as server:
        await made(loaded, workspace, asked(server, workspace, 1))
    (talk,) = workspace.documents.all(KIND, Talk)
    changed = talk.turns[1].model_copy(update={"text": said})
    turns = (talk.turns[0], changed, *talk.turns[2:])
    assert problem(talk.model_copy(update={"turns": turns}), "any") == reason
    assert problem(talk.model_copy(update={"turns": turns[:2]}), "any") == "length"
    german = turns[1].model_copy(update={"text": "Ich habe leider gar keine Zeit, mich heute um den Hund zu kümmern."})
    spoken_in_german = talk.model_copy(update={"turns": (german,) * 4})
    assert [problem(spoken_in_german, tag) for tag in ("en", "de", "de-AT")] == ["language", "", ""]


async def test_one_call_writes_each_whole(loaded: LoadedSpec, workspace: Workspace) -> None:
    async with FakeServer(talks(6)) as server:
        end = finished(await made(loaded, workspace, asked(server, workspace, 9, one_call=True)))
        assert len(server.requests) == end.calls == 9
    for talk in workspace.documents.all(KIND, Talk):
        assert talk.one_call and len(talk.turns) == 6 and talk.turns[0].side == "first"


async def test_each_side_exports_as_a_conversation_to_learn_from(
    loaded: LoadedSpec, workspace: Workspace, tmp_path: Path
) -> None:
    async with FakeServer(talks(5)) as server:
        await made(loaded, workspace, asked(server, workspace, 4))
    found = workspace.documents.all(KIND, Talk)
    for talk in found:
        first, second = chatml(talk, "first"), chatml(talk, "second", with_system=False)
        assert first[0].role == "system" and talk.scene.first.background in first[0].content
        assert talk.subject.second_wants not in first[0].content and "<you" not in first[0].content
        assert conversation_problem(first[1:]) == "" and conversation_problem(second) == ""
        assert [one.content for one in first if one.role == "assistant"] == [
            turn.text for turn in talk.turns if turn.side == "first"
        ]
        assert second[0].content == talk.turns[0].text  # the first turn stays
    turns = found[0].turns
    twice = found[0].model_copy(update={"turns": (turns[0], turns[1], turns[3], turns[2])})
    assert f"{turns[1].text}\n{turns[3].text}" in [one.content for one in chatml(twice, "first")]
    path = tmp_path / "talks.jsonl"
    assert export_talks(found, path, ("first", "second")) == 8
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["side"] for line in lines] == ["first", "second"] * 4 and len({line["id"] for line in lines}) == 8
    with pytest.raises(UserError, match="not written"):
        export_talks(found, path / "talks.jsonl", ("first",))  # in a file


async def test_a_second_run_asks_only_for_what_is_missing_though_the_bank_grew(
    loaded: LoadedSpec, workspace: Workspace
) -> None:
    async with FakeServer(talks(4)) as server:
        await made(loaded, workspace, asked(server, workspace, 5))
        paid = len(server.requests)
        assert finished(await made(loaded, workspace, asked(server, workspace, 5))).calls == 0
        workspace.examples.add_people(list(compose.people(50, 7)))
        end = finished(await made(loaded, workspace, asked(server, workspace, 8)))
    assert (end.known, end.done, end.calls) == (5, 8, 15) and len(server.requests) == paid + 15
    draws = workspace.documents.all("talk drawn", Draw)
    assert len({frozenset((draw.first, draw.second)) for draw in draws}) == len(draws) == 8


async def test_what_the_model_does_not_give_is_told_and_the_others_are_made(
    loaded: LoadedSpec, workspace: Workspace
) -> None:
    def turn(body: dict[str, Any]) -> dict[str, Any]:
        bad = "a friend of yours" in body["messages"][0]["content"]
        return {"no": 1} if bad else {"text": sentence(body), "finished": spoken(body) > 2}

    async with FakeServer(talks(turn=turn)) as server:
        events = await made(loaded, workspace, asked(server, workspace, 12))
    assert finished(events).done == 12 and [event for event in events if isinstance(event, ItemFailed)]


async def test_a_bank_of_nobody_with_an_age_says_what_to_do(loaded: LoadedSpec, tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "empty")
    async with FakeServer(talks()) as server:
        with pytest.raises(UserError, match="two are needed") as caught:
            await made(loaded, workspace, asked(server, workspace, 5))
    workspace.close()
    assert "studio bank compose" in caught.value.remedy


async def test_killed_twice_none_is_lost_and_no_answer_is_paid_twice(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every answer that was read is on record and used once. One that was sent as the process was killed, and that
    nobody read, is asked for once more."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    answered: list[str] = []
    idle, under_way, unread = asyncio.Event(), 0, 0
    plain = talks(6)

    async def slow(body: dict[str, Any]) -> dict[str, Any]:
        nonlocal under_way
        under_way += 1
        idle.clear()
        try:
            await asyncio.sleep(0.03)
        finally:
            under_way -= 1
            if not under_way:
                idle.set()
        answered.append(json.dumps(body["messages"]))
        return plain(body)

    async with FakeServer(slow) as server:
        params = asked(server, workspace, 24, concurrency=6)
        for least in (4, 12):
            job = start(workspace.jobs_dir, "talk", ENTRY, params)
            while workspace.documents.count(KIND) < least:
                assert job.view().state in ("starting", "running"), job.view().error
                await asyncio.sleep(0.02)
            pid = job.view().pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            assert (await asyncio.to_thread(job.wait, 30)).state == "dead"
            await asyncio.wait_for(idle.wait(), 30)
            unread = len(answered) - workspace.examples.spent().calls
        job = start(workspace.jobs_dir, "talk", ENTRY, params)
        view = await asyncio.to_thread(job.wait, 120)
    assert view.state == "finished", view.error
    kept, removed = workspace.documents.all(KIND, Talk), workspace.documents.all("talk removed", Removed)
    assert len(kept) == 24 and all(len(talk.turns) == 6 for talk in kept)
    on_record = workspace.examples.spent().calls
    assert len(set(answered)) == on_record == 7 * (len(kept) + len(removed))
    assert len(answered) - on_record == unread <= 2 * 6
