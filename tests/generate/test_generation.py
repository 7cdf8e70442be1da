"""A run of generating: what is stored, what is told, and what happens when something goes wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from studio.generate.offline_author import offline_author

from studio.chatml import assistant, digest
from studio.errors import UserError
from studio.generate import (
    CallFailed,
    ExampleScored,
    GenerateEvent,
    GenerateFinished,
    GenerateProgressed,
    GenerateStarted,
    coverage,
    generate,
)
from studio.generate.author import author_request, open_author
from studio.generate.endings import MOST_IN_A_ROW
from studio.generate.schema import Authored
from studio.generate.stale import stale_ids
from studio.generate.types import AuthorBrief, GenerateParams
from studio.judge import RULES_JUDGE, open_judge, version_of
from studio.llm import ModelError, ModelSettings, Request
from studio.spec import LoadedSpec, load
from studio.store import Filter, Person, Workspace
from studio.triage import Triage
from tests.generate.making import SPECS, loaded_spec, taskmaster
from tests.generate.models import Studio, unlike, verdict

SCENARIOS = {
    "a": {"priority": "high", "target": 12, "items": ["a1", "a2", "a3"]},
    "b": {"target": 8, "items": ["b1", "b2"]},
}


def spec(spec_hash: str = "now", **parts: Any) -> LoadedSpec:
    return loaded_spec(spec_hash=spec_hash, **{"scenarios": SCENARIOS, "success": {"examples": 20}, **parts})


def scored(events: list[GenerateEvent]) -> list[ExampleScored]:
    return [event for event in events if isinstance(event, ExampleScored)]


def ended(events: list[GenerateEvent]) -> GenerateFinished:
    assert isinstance(events[-1], GenerateFinished)
    return events[-1]


async def failing(studio: Studio, **params: Any) -> tuple[list[GenerateEvent], ModelError]:
    """All events of a run that raises, and what it raises."""
    events: list[GenerateEvent] = []
    try:
        async for event in studio.events(**params):
            events.append(event)
    except ModelError as error:
        return events, error
    raise AssertionError("it did not raise")


async def test_every_category_reaches_its_target_evenly_and_no_more(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec())
    events = await studio.run()
    assert isinstance(events[0], GenerateStarted) and ended(events).complete
    assert [(one.category, one.accepted) for one in ended(events).targets] == [("a", 12), ("b", 8)]
    assert Counter(event.example.scenario for event in scored(events)) == dict.fromkeys(
        ["a1", "a2", "a3", "b1", "b2"], 4
    )
    assert ended(events).generated == len(studio.author.requests) == 20


async def test_an_event_comes_only_after_its_example_is_safe_with_its_provenance(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec())
    other = Workspace.open(tmp_path, studio.loaded.spec.slug)
    async for event in studio.events():
        if not isinstance(event, ExampleScored):
            continue
        row = other.examples.row(event.example.id)
        assert row is not None and row.judgement == event.judgement
        assert row.example.model_copy(update={"prompt": ()}) == event.example
        assert row.example.prompt in [request.messages for request in studio.author.requests]
        assert other.examples.person(row.example.person_id) == event.person
        assert (row.example.job_id, row.example.author, row.example.spec_hash) == ("job", "author", "now")


async def test_a_seed_decides_everything(tmp_path: Path) -> None:
    def told(events: list[GenerateEvent]) -> list[tuple[object, ...]]:
        return [(one.example.id, one.example.messages, one.person, one.accepted) for one in scored(events)]

    async def run(folder: str, seed: int) -> list[tuple[object, ...]]:
        studio = Studio(tmp_path / folder, taskmaster())
        studio.author = offline_author(taskmaster())  # type: ignore[assignment]
        return told(await studio.run(seed=seed, examples=40))

    first = await run("one", 1)
    assert await run("two", 1) == first
    assert not set(first) & set(await run("three", 2))


async def test_a_stopped_run_goes_on_where_it_was_and_does_nothing_twice(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec())

    def enough() -> bool:
        return studio.workspace.examples.count(Filter()) >= 5

    stopped = await studio.run(stop=enough, concurrency=3)
    assert not ended(stopped).complete and "stopped" in ended(stopped).note
    seen = len(studio.author.requests)
    assert len(scored(stopped)) == seen < 20, "what was under way came back and was stored"
    again = Studio(tmp_path, spec())
    assert ended(await again.run()).complete
    assert len(again.author.requests) == 20 - seen
    seeds = [request.sampling.seed for request in studio.author.requests + again.author.requests]
    assert len(set(seeds)) == 20
    third = Studio(tmp_path, spec())
    assert ended(await third.run()).complete and not third.author.requests


async def test_near_duplicates_are_stored_as_rejected_without_asking_the_judge(tmp_path: Path) -> None:
    def same(request: Request) -> Authored:
        return Authored(user="Where is my cat?", assistant="Under the old sofa in the hall.")

    studio = Studio(tmp_path, spec(), author=same)
    events = await studio.run(max_attempts=1)
    first, *rest = scored(events)
    assert first.accepted and len(studio.judge.requests) == 1
    assert rest and all(one.judgement.reasons == ("duplicate",) for one in rest)
    assert all(one.example.neighbour and one.example.neighbour.similarity == 1.0 for one in rest)
    assert rest[0].example.neighbour is not None and rest[0].example.neighbour.id == first.example.id
    assert not ended(events).complete and "repeats itself, most in 'a1', 'a2'" in ended(events).note
    assert len(studio.author.requests) == 24, "no category gets more attempts than its bound, which is 12 at least"


async def test_what_a_judge_rejected_makes_room_for_one_like_it_and_what_a_person_rejected_does_not(
    tmp_path: Path,
) -> None:
    judged = 0

    def same(request: Request) -> Authored:
        return Authored(user="Where is my cat?", assistant="Under the old sofa in the hall.")

    def first_fails(request: Request) -> BaseModel | Awaitable[BaseModel]:
        nonlocal judged
        judged += 1
        return verdict(0 if judged == 1 else 2)(request)

    studio = Studio(tmp_path, spec(), author=same, judge=first_fails)
    first, second, *rest = scored(await studio.run(max_attempts=1, concurrency=1))
    assert "score" in first.judgement.reasons and second.accepted
    assert all(one.judgement.reasons == ("duplicate",) for one in rest)
    Triage(studio.workspace).reject(second.example.id, "wrong")
    again = scored(await Studio(tmp_path, spec(), author=same).run(max_attempts=1, concurrency=1, seed=1))
    assert again and all(one.judgement.reasons == ("duplicate",) for one in again)


async def test_another_set_phrase_makes_no_other_example(tmp_path: Path) -> None:
    phrases = ["Good to hear.", "Well, well.", "What a day!", "Look at that."]
    openings = iter(phrases * 20)

    def recombined(request: Request) -> Authored:
        return Authored(user="Where is my cat?", assistant=f"{next(openings)} It is under the old sofa in the hall.")

    loaded = spec(patterns=[{"step": "greet", "how": "Greet", "phrases": phrases}, {"step": "tell", "how": "Tell"}])
    first, *rest = scored(await Studio(tmp_path, loaded, author=recombined).run(max_attempts=1))
    assert first.accepted
    assert rest and all(one.judgement.reasons == ("duplicate",) for one in rest)


async def test_what_says_a_held_out_message_is_rejected_without_asking_the_judge(tmp_path: Path) -> None:
    def leaking(request: Request) -> Authored:
        assert isinstance(request.brief, AuthorBrief)
        other = unlike(request)
        asks = f"{other.user} Hello, where do I leave a dog?" if request.brief.category == "b" else other.user
        return Authored(user=asks, assistant=other.assistant)

    held_out = {"holdout": True, "items": ["Where do I leave [a dog]?"]}
    studio = Studio(tmp_path, spec(scenarios={**SCENARIOS, "probe": held_out}), author=leaking)
    events = await studio.run(max_attempts=1)
    leaks = [one for one in scored(events) if one.example.category == "b"]
    assert leaks and all(one.judgement.reasons == ("held_out",) for one in leaks)
    assert leaks[0].judgement.violations[0].name == "Where do I leave a dog?"
    assert len(studio.judge.requests) == 12, "those of a"
    assert "rejected for held_out" in ended(events).note


async def test_what_a_person_rejects_meanwhile_is_made_up_for(tmp_path: Path) -> None:
    studio, rejected = Studio(tmp_path, spec()), 0
    async for event in studio.events(concurrency=2):
        if isinstance(event, ExampleScored) and rejected < 3:
            Triage(studio.workspace).reject(event.example.id, "tone")
            rejected += 1
        last = event
    assert isinstance(last, GenerateFinished) and last.complete
    assert [(one.category, one.accepted) for one in last.targets] == [("a", 12), ("b", 8)]
    assert studio.workspace.examples.count(Filter(status="accepted")) == 20
    assert len(studio.author.requests) == 23


async def test_a_scenario_of_which_little_could_be_accepted_is_named_though_its_category_is_complete(
    tmp_path: Path,
) -> None:
    def author(request: Request) -> BaseModel:
        assert isinstance(request.brief, AuthorBrief)
        return unlike(request) if request.brief.scenario != "a2" else Authored(user="Hm?", assistant="Over there.")

    events = await Studio(tmp_path, spec(), author=author).run()
    assert ended(events).complete
    assert ended(events).note == "little could be accepted of 'a2'; give the spec more examples or slots there"


async def test_a_reader_who_leaves_leaves_nothing_running(tmp_path: Path) -> None:
    async def slowly(request: Request) -> BaseModel:
        if request is not studio.author.requests[0]:
            await asyncio.Event().wait()
        return unlike(request)

    studio = Studio(tmp_path, spec(), author=slowly)
    events = studio.events(concurrency=4)
    async for event in events:
        if isinstance(event, ExampleScored):
            break
    await events.aclose()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_progress_tells_counts_reasons_and_cost(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.generate.meter._EVERY_S", 0.0)
    calls = 0

    def judged(request: Request) -> BaseModel | Awaitable[BaseModel]:
        nonlocal calls
        calls += 1
        return verdict(0 if calls % 5 == 0 else 2)(request)

    events = await Studio(tmp_path, spec(), judge=judged).run(concurrency=2)
    told = [event for event in events if isinstance(event, GenerateProgressed)]
    assert len(told) > 10 and [one.accepted for one in told] == sorted(one.accepted for one in told)
    for one in told:
        assert one.generated == one.accepted + one.rejected == sum(t.accepted + t.rejected for t in one.targets)
        assert one.cost_usd == 0 and one.errors == 0
    assert told[0].eta_s is None and told[-1].eta_s is not None and told[-1].rate > 0
    assert told[-1].reasons["score"] == told[-1].rejected > 0


async def test_a_reply_is_judged_as_soon_as_it_is_there(tmp_path: Path) -> None:
    waiting = asyncio.Event()
    started = 0

    async def slowly(request: Request) -> BaseModel:
        nonlocal started
        started += 1
        if started > 1:
            await waiting.wait()
        return unlike(request)

    def judged(request: Request) -> BaseModel | Awaitable[BaseModel]:
        waiting.set()  # the first judgement lets the other authors go: a judge that waited for all would hang
        return verdict()(request)

    studio = Studio(tmp_path, spec(), author=slowly, judge=judged)
    assert ended(await asyncio.wait_for(studio.run(concurrency=4), 20)).complete


async def test_many_are_under_way_at_once_but_never_more_than_asked_for(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec())
    await studio.run(concurrency=6)
    assert studio.author.most_at_once == 6


async def test_a_refused_key_ends_the_run_at_once(tmp_path: Path) -> None:
    def refuse(request: Request) -> BaseModel:
        raise ModelError("auth", "the key was refused")

    events, error = await failing(studio := Studio(tmp_path, spec(), author=refuse), concurrency=4)
    assert error.kind == "auth" and ended(events).note == "the key was refused"
    assert len(studio.author.requests) == 4
    assert ended(events).errors == 4 and not ended(events).complete


async def test_errors_in_a_row_end_the_run_and_single_ones_do_not(tmp_path: Path) -> None:
    calls = 0

    def act(flaky: Callable[[int], bool]) -> Callable[[Request], BaseModel]:
        def answered(request: Request) -> BaseModel:
            nonlocal calls
            calls += 1
            if flaky(calls):
                raise ModelError("server", "overloaded")
            return unlike(request)

        return answered

    some = Studio(tmp_path / "some", spec(), author=act(lambda number: number % 3 == 0))
    events = await some.run()
    assert ended(events).complete and ended(events).errors == sum(isinstance(e, CallFailed) for e in events) > 3
    every = Studio(tmp_path / "every", spec(), author=act(lambda _: True))
    told, error = await failing(every, concurrency=2)
    assert len(every.author.requests) <= MOST_IN_A_ROW + 2
    assert f"{MOST_IN_A_ROW} calls in a row failed, the last with: overloaded" in str(error)
    assert ended(told).note == str(error)


async def test_what_could_not_be_judged_is_kept_and_judged_later_without_writing_it_again(tmp_path: Path) -> None:
    def broken(request: Request) -> BaseModel:
        raise ModelError("malformed", "no JSON")

    studio = Studio(tmp_path, spec(), judge=broken)
    events, _ = await failing(studio, concurrency=1)
    assert all(not one.accepted and one.judgement.verdict == "error" for one in scored(events))
    kept = studio.workspace.examples.count(Filter(status="pending"))
    assert kept == MOST_IN_A_ROW
    again = Studio(tmp_path, spec())
    assert ended(await again.run()).complete
    assert len(again.judge.requests) == 20 and len(again.author.requests) == 20 - kept
    assert studio.workspace.examples.count(Filter(status="pending")) == 0


async def test_after_an_edit_of_the_spec_what_is_there_is_judged_again_and_not_written_again(tmp_path: Path) -> None:
    await Studio(tmp_path, spec()).run()
    edited = spec("later", scenarios={"a": SCENARIOS["a"], "b": {"target": 8, "items": ["b2", "b3"]}})
    studio = Studio(tmp_path, edited)
    assert ended(await studio.run()).complete
    assert len(studio.author.requests) == 4, "b1 is gone with its four examples, b3 is new"
    assert len(studio.judge.requests) == 16 + 4
    rows = studio.workspace.examples.rows(Filter(scenario="a1"))
    assert {row.judgement.spec_hash for row in rows if row.judgement} == {"later"}
    assert {row.example.spec_hash for row in rows} == {"now"}
    assert len(studio.workspace.examples.judgements(rows[0].example.id)) == 2


async def test_what_an_earlier_version_of_the_rules_judge_judged_counts_for_nothing_and_is_judged_again(
    tmp_path: Path,
) -> None:
    studio = Studio(tmp_path, spec())
    await studio.run()
    rows = list(studio.workspace.examples.each())
    for row, version in zip(rows, ("", "1", version_of(RULES_JUDGE)), strict=False):
        judged = studio.workspace.examples.judgements(row.example.id)[0]
        told = {"judge": RULES_JUDGE, "judge_version": version}
        studio.workspace.examples.add_judgement(row.example.id, judged.model_copy(update=told))
    assert sum(one.accepted for one in coverage(studio.loaded, studio.workspace)) == 18
    again = Studio(tmp_path, spec())
    assert ended(await again.run()).complete
    assert (len(again.judge.requests), len(again.author.requests)) == (2, 0)
    assert not stale_ids(studio.loaded, studio.workspace.examples)


async def test_what_was_edited_is_judged_again_as_it_stands_once(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec())
    await studio.run()
    row = studio.workspace.examples.rows()[7]
    edited = (*row.messages[:-1], assistant("Nowhere."))
    Triage(studio.workspace).edit(row.example.id, edited)
    for asked in (1, 0):
        again = Studio(tmp_path, spec())
        await again.run()
        assert len(again.judge.requests) == asked
    now = studio.workspace.examples.row(row.example.id)
    assert now is not None and now.judged and now.judgement is not None and now.judgement.digest == digest(edited)


async def test_a_duplicate_stays_one_under_another_spec_without_a_call(tmp_path: Path) -> None:
    def same(request: Request) -> Authored:
        return Authored(user="Where is my cat?", assistant="Under the old sofa in the hall.")

    await Studio(tmp_path, spec(), author=same).run(max_attempts=1)
    studio = Studio(tmp_path, spec("later"))
    await studio.run()
    assert len([r for r in studio.judge.requests if "old sofa" in r.messages[-1].content]) == 1
    assert studio.workspace.examples.reasons() == {"duplicate": 23}


async def test_after_an_edit_of_the_spec_a_duplicate_counts_where_what_it_repeats_no_longer_does(
    tmp_path: Path,
) -> None:
    def same(request: Request) -> Authored:
        return Authored(user="Where is my cat?", assistant="Under the old sofa in the hall.")

    studio = Studio(tmp_path, spec(), author=same)
    first, second, *_ = scored(await studio.run(max_attempts=1, concurrency=1))
    strict = [0, 2]

    def now(request: Request) -> BaseModel | Awaitable[BaseModel]:
        return verdict(strict.pop(0) if strict else 2)(request)

    await Studio(tmp_path, spec("later"), judge=now).run(concurrency=1)
    status = {row.example.id: row.status for row in studio.workspace.examples.each()}
    assert (status[first.example.id], status[second.example.id]) == ("rejected", "accepted")


async def test_too_little_in_one_scenario_leaves_the_others_to_be_written_and_says_what_to_add(tmp_path: Path) -> None:
    def choosy(request: Request) -> BaseModel:
        assert isinstance(request.brief, AuthorBrief)
        if request.brief.category == "b":
            raise ModelError("too_little", "add two examples under examples")
        return unlike(request)

    events, error = await failing(Studio(tmp_path, spec(), author=choosy))
    assert error.kind == "too_little"
    assert [(one.category, one.accepted) for one in ended(events).targets] == [("a", 12), ("b", 0)]
    assert ended(events).note == "b 0 of 8: add two examples under examples; so for 'b2'"
    assert {e.scenario for e in events if isinstance(e, CallFailed)} == {"b1", "b2"}


async def test_rejections_say_why_and_the_run_ends_with_its_attempts(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec(), judge=verdict(0))
    events = await studio.run(max_attempts=1)
    assert ended(events).accepted == 0 and ended(events).rejected == 24
    assert "out of attempts: a 0 of 12, b 0 of 8; most were rejected for score" in ended(events).note


@pytest.mark.parametrize("name", ["taskmaster", "bank-support", "lost-and-found"])
async def test_the_offline_author_and_judge_reach_the_target_of_a_shipped_spec_without_repeating_themselves(
    tmp_path: Path, name: str
) -> None:
    loaded = load(SPECS / f"{name}.yaml")
    studio = Studio(tmp_path, loaded)
    asked = GenerateParams(spec_path=str(loaded.path), workspace=str(tmp_path), examples=240)
    events = [event async for event in generate(loaded, studio.workspace, asked, lambda: False)]
    assert ended(events).complete and ended(events).cost_usd == 0 and ended(events).note == ""
    assert {type(event.person) for event in scored(events)} == {Person}
    rejected = [one for one in scored(events) if not one.accepted]
    assert 8 < len(rejected) < 100 and all(one.judgement.reasons for one in rejected)
    replies = [event.example.messages[-1].content for event in scored(events) if event.accepted]
    phrases = [phrase for step in loaded.spec.patterns for phrase in step.phrases]
    for phrase in sorted(phrases, key=len, reverse=True):
        replies = [reply.replace(phrase, "") for reply in replies]
    assert len({reply.strip() for reply in replies}) >= 0.8 * len(replies)


def test_an_author_is_asked_with_examples_of_the_scenario_first() -> None:
    loaded = taskmaster()
    person = Person(id="x", source="bank", role="harpist", things=("tune the harp",))
    request = author_request(loaded, "task_creation", "Create a recurring task", person, 7)
    asked = request.messages[-1].content
    assert asked.index("Situation: Create a recurring task") < asked.index("harpist")
    assert request == author_request(loaded, "task_creation", "Create a recurring task", person, 7)
    assert request.messages != author_request(loaded, "task_creation", "Create a recurring task", person, 9).messages


def test_an_endpoint_without_a_model_is_told_to_name_one() -> None:
    settings = ModelSettings(endpoint="http://localhost:1/v1")
    with pytest.raises(UserError, match="--model"):
        open_author(settings, taskmaster())
    with pytest.raises(UserError, match="--model"):
        open_judge(settings, taskmaster())
    assert open_author(ModelSettings(), taskmaster()).name == "offline author"
