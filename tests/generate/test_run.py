"""A run of generating: what is stored, what is told, and what happens when something goes wrong."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from studio.chatml import Messages, assistant, digest
from studio.errors import UserError
from studio.generate import (
    CallFailed,
    ExampleScored,
    GenerateEvent,
    GenerateFinished,
    GenerateProgressed,
    GenerateStarted,
    open_author,
)
from studio.generate.by_hand import add_by_hand, read_examples
from studio.generate.progress import MOST_IN_A_ROW
from studio.generate.rejudge import stale_ids
from studio.judge import RULES, open_judge
from studio.judge.canaries import CanariesJudged, canary_sets
from studio.llm import Kind, ModelError, ModelSettings, Request
from studio.spec import LoadedSpec
from studio.store import Filter, Workspace
from studio.triage import Triage
from tests.generate.making import line, loaded_spec, taskmaster
from tests.generate.models import FakeJudge, Studio, asks_for, different, said, unlike, verdict

SCENARIOS = {
    "a": {"priority": "high", "target": 12, "items": ["a1", "a2", "a3"]},
    "b": {"target": 8, "items": ["b1", "b2"]},
}


def spec(spec_hash: str = "now", **parts: Any) -> LoadedSpec:
    return loaded_spec(spec_hash=spec_hash, **{"scenarios": SCENARIOS, "success": {"examples": 20}, **parts})


def same(request: Request) -> BaseModel:
    return said("Where is my cat?", "Under the old sofa in the hall.")


def scored(events: list[GenerateEvent]) -> list[ExampleScored]:
    return [event for event in events if isinstance(event, ExampleScored)]


def ended(events: list[GenerateEvent]) -> GenerateFinished:
    assert isinstance(events[-1], GenerateFinished)
    return events[-1]


async def failing(studio: Studio, **params: Any) -> tuple[list[GenerateEvent], ModelError | UserError]:
    """All events of a run that raises, and what it raises."""
    events: list[GenerateEvent] = []
    try:
        async for event in studio.events(**params):
            events.append(event)
    except (ModelError, UserError) as error:
        return events, error
    raise AssertionError("it did not raise")


async def test_every_category_reaches_its_target_evenly_and_no_more(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec())
    events = await studio.run()
    assert isinstance(events[0], GenerateStarted) and ended(events).complete
    assert [(one.category, one.accepted) for one in ended(events).targets] == [("a", 12), ("b", 8)]
    assert Counter(event.scenario for event in scored(events)) == dict.fromkeys(["a1", "a2", "a3", "b1", "b2"], 4)
    assert ended(events).generated == len(studio.author.requests) == 20


async def test_an_event_comes_only_after_its_example_is_safe_with_its_provenance(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec())
    other = Workspace.open(tmp_path, studio.loaded.spec.slug)
    async for event in studio.events():
        if not isinstance(event, ExampleScored):
            continue
        row = other.examples.row(event.example_id)
        assert row is not None and row.judgement is not None
        assert (row.example.category, row.example.scenario) == (event.category, event.scenario)
        assert (row.judgement.verdict, row.judgement.total) == (event.verdict, event.total)
        assert row.example.prompt in [request.messages for request in studio.author.requests]
        assert other.examples.person(row.example.person_id) is not None
        assert (row.example.job_id, row.example.author, row.example.spec_hash) == ("job", "author", "now")


async def test_a_seed_decides_everything(tmp_path: Path) -> None:
    async def run(folder: str, seed: int) -> list[tuple[object, ...]]:
        studio = Studio(tmp_path / folder, taskmaster())
        events = await studio.run(seed=seed, examples=40)
        rows = [studio.row(one) for one in scored(events)]
        return [(one.example.id, one.messages, one.example.person_id, one.status) for one in rows]

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
    studio = Studio(tmp_path, spec(), author=same)
    events = await studio.run(max_attempts=1)
    first, *rest = scored(events)
    assert first.accepted and len(studio.judge.asked) == 1
    assert rest and all(one.reasons == ("duplicate",) for one in rest)
    rows = [studio.row(one) for one in rest]
    assert {row.judgement.judge for row in rows if row.judgement} == {RULES}, "no judge was shown them"
    neighbours = [row.example.neighbour for row in rows]
    assert all(one is not None and one.similarity == 1.0 for one in neighbours)
    assert neighbours[0] is not None and neighbours[0].id == first.example_id
    assert not ended(events).complete and "repeats itself, most in 'a1', 'a2'" in ended(events).note
    assert len(studio.author.requests) == 24, "no category gets more attempts than its bound, which is 12 at least"


async def test_what_a_judge_rejected_makes_room_for_one_like_it_and_what_a_person_rejected_does_not(
    tmp_path: Path,
) -> None:
    judged = 0

    def first_fails(messages: Messages) -> int:
        nonlocal judged
        judged += 1
        return 0 if judged == 1 else 2

    studio = Studio(tmp_path, spec(), author=same, judge=first_fails)
    first, second, *rest = scored(await studio.run(max_attempts=1, concurrency=1))
    assert "score" in first.reasons and second.accepted
    assert all(one.reasons == ("duplicate",) for one in rest)
    Triage(studio.workspace).reject(second.example_id, "wrong")
    again = scored(await Studio(tmp_path, spec(), author=same).run(max_attempts=1, concurrency=1, seed=1))
    assert again and all(one.reasons == ("duplicate",) for one in again)


async def test_another_set_phrase_makes_no_other_example(tmp_path: Path) -> None:
    phrases = ["Good to hear.", "Well, well.", "What a day!", "Look at that."]
    openings = iter(phrases * 20)

    def recombined(request: Request) -> BaseModel:
        return said("Where is my cat?", f"{next(openings)} It is under the old sofa in the hall.")

    loaded = spec(vocabulary={"prefer": phrases})
    first, *rest = scored(await Studio(tmp_path, loaded, author=recombined).run(max_attempts=1))
    assert first.accepted
    assert rest and all(one.reasons == ("duplicate",) for one in rest)


async def test_near_duplicates_are_let_through_where_the_spec_turns_their_rule_off(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec(rules={"near_duplicates": "off"}), author=same)
    events = scored(await studio.run())
    assert len(events) == 20 and all(one.accepted for one in events)
    neighbour = studio.row(events[-1]).example.neighbour
    assert neighbour is not None and neighbour.similarity == 1.0


async def test_what_says_a_held_out_message_is_rejected_without_asking_the_judge(tmp_path: Path) -> None:
    def leaking(request: Request) -> BaseModel:
        question, answer = (turn.content for turn in unlike(request).turns)
        of_b = asks_for(request, "b1") or asks_for(request, "b2")
        return said(f"{question} Hello, where do I leave a dog?" if of_b else question, answer)

    held_out = {"holdout": True, "items": ["Where do I leave [a dog]?"]}
    studio = Studio(tmp_path, spec(scenarios={**SCENARIOS, "probe": held_out}), author=leaking)
    events = await studio.run(max_attempts=1)
    leaks = [one for one in scored(events) if one.category == "b"]
    assert leaks and all(one.reasons == ("held_out",) for one in leaks)
    judged = studio.row(leaks[0]).judgement
    assert judged is not None and judged.violations[0].name == "Where do I leave a dog?"
    assert len(studio.judge.asked) == 12, "those of a"
    assert "rejected for held_out" in ended(events).note


async def test_what_a_person_rejects_meanwhile_is_made_up_for(tmp_path: Path) -> None:
    studio, rejected = Studio(tmp_path, spec()), 0
    async for event in studio.events(concurrency=2):
        if isinstance(event, ExampleScored) and rejected < 3:
            Triage(studio.workspace).reject(event.example_id, "tone")
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
        return said("Hm?", "Over there.") if asks_for(request, "a2") else unlike(request)

    events = await Studio(tmp_path, spec(), author=author).run()
    assert ended(events).complete
    assert ended(events).note == "little could be accepted of 'a2'; give the spec more examples there"


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
    monkeypatch.setattr("studio.generate.progress._EVERY_S", 0.0)
    calls = 0

    def judged(messages: Messages) -> int:
        nonlocal calls
        calls += 1
        return 0 if calls % 5 == 0 else 2

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

    def judged(messages: Messages) -> int:
        waiting.set()  # the first judgement lets the other authors go: a judge that waited for all would hang
        return 2

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
    assert isinstance(error, ModelError) and error.kind == "auth" and ended(events).note == "the key was refused"
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


@pytest.mark.parametrize("kind", ["malformed", "refused"])
async def test_refusals_and_malformed_answers_never_end_a_run(tmp_path: Path, kind: Kind) -> None:
    calls = 0

    def at_last(request: Request) -> BaseModel:
        nonlocal calls
        calls += 1
        if calls <= 3 * MOST_IN_A_ROW:
            raise ModelError(kind, "no use")
        return unlike(request)

    studio = Studio(tmp_path, spec(), author=at_last)
    events = await studio.run()
    assert ended(events).complete and ended(events).errors == 3 * MOST_IN_A_ROW
    hopeless = Studio(tmp_path / "hopeless", spec(), author=lambda _: (_ for _ in ()).throw(ModelError(kind, "no")))
    note = ended(await hopeless.run(max_attempts=1)).note
    assert "24 calls failed, the last with: no" in note


async def test_a_judge_that_can_never_answer_ends_the_run_at_once(tmp_path: Path) -> None:
    def unknown(messages: Messages) -> int:
        raise ModelError("model", "no such judge")

    events, error = await failing(Studio(tmp_path, spec(), judge=unknown), concurrency=2)
    assert str(error) == ended(events).note == "no such judge"
    assert ended(events).errors == 2


async def test_what_could_not_be_judged_is_kept_and_judged_later_without_writing_it_again(tmp_path: Path) -> None:
    def broken(messages: Messages) -> int:
        raise ModelError("server", "overloaded")

    studio = Studio(tmp_path, spec(), judge=broken)
    events, _ = await failing(studio, concurrency=1)
    assert all(not one.accepted and one.verdict == "error" for one in scored(events))
    kept = studio.workspace.examples.count(Filter(status="pending"))
    assert kept == MOST_IN_A_ROW
    again = Studio(tmp_path, spec())
    assert ended(await again.run()).complete
    assert len(again.judge.asked) == 20 and len(again.author.requests) == 20 - kept
    assert studio.workspace.examples.count(Filter(status="pending")) == 0


async def test_after_an_edit_of_the_spec_what_is_there_is_judged_again_and_not_written_again(tmp_path: Path) -> None:
    await Studio(tmp_path, spec()).run()
    edited = spec("later", scenarios={"a": SCENARIOS["a"], "b": {"target": 8, "items": ["b2", "b3"]}})
    studio = Studio(tmp_path, edited)
    assert ended(await studio.run()).complete
    assert len(studio.author.requests) == 4, "b1 is gone with its four examples, b3 is new"
    assert len(studio.judge.asked) == 16 + 4
    rows = studio.workspace.examples.rows(Filter(scenario="a1"))
    assert {row.judgement.spec_hash for row in rows if row.judgement} == {"later"}
    assert {row.example.spec_hash for row in rows} == {"now"}
    assert len(studio.workspace.examples.judgements(rows[0].example.id)) == 2


async def test_what_an_earlier_version_of_the_judge_judged_is_judged_again_once(tmp_path: Path) -> None:
    await Studio(tmp_path, spec()).run()
    again = Studio(tmp_path, spec())
    again.judge = FakeJudge(again.loaded, verdict(), version="2")
    assert len(stale_ids(again.loaded, again.workspace.examples, again.judge)) == 20
    extra = await again.run(examples=21)
    assert len(scored(extra)) == 1 and len(again.judge.asked) == 21
    assert not stale_ids(again.loaded, again.workspace.examples, again.judge)


async def test_what_was_edited_is_judged_again_as_it_stands_once(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec())
    await studio.run()
    row = studio.workspace.examples.rows()[7]
    edited = (*row.messages[:-1], assistant("Nowhere."))
    Triage(studio.workspace).edit(row.example.id, edited)
    for asked in (1, 0):
        again = Studio(tmp_path, spec())
        await again.run()
        assert len(again.judge.asked) == asked
    now = studio.workspace.examples.row(row.example.id)
    assert now is not None and now.judged and now.judgement is not None and now.judgement.digest == digest(edited)


async def test_a_duplicate_stays_one_under_another_spec_without_a_call(tmp_path: Path) -> None:
    await Studio(tmp_path, spec(), author=same).run(max_attempts=1)
    studio = Studio(tmp_path, spec("later"))
    await studio.run()
    assert len([one for one in studio.judge.asked if "old sofa" in one[-1].content]) == 1
    assert studio.workspace.examples.reasons() == {"duplicate": 23}


async def test_after_an_edit_of_the_spec_a_duplicate_counts_where_what_it_repeats_no_longer_does(
    tmp_path: Path,
) -> None:
    studio = Studio(tmp_path, spec(), author=same)
    first, second, *_ = scored(await studio.run(max_attempts=1, concurrency=1))
    strict = [0, 2]

    def now(messages: Messages) -> int:
        return strict.pop(0) if strict else 2

    await Studio(tmp_path, spec("later"), judge=now).run(concurrency=1)
    status = {row.example.id: row.status for row in studio.workspace.examples.each()}
    assert (status[first.example_id], status[second.example_id]) == ("rejected", "accepted")


async def test_rejections_say_why_and_the_run_ends_with_its_attempts(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec(), judge=verdict(0))
    events = await studio.run(max_attempts=1)
    assert ended(events).accepted == 0 and ended(events).rejected == 24
    assert "out of attempts: a 0 of 12, b 0 of 8; most were rejected for score" in ended(events).note


# --- nobody judges, nobody writes


async def test_where_nobody_judges_as_many_are_written_as_may_be_accepted_and_wait(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec(), judge=None)
    events = await studio.run()
    assert len(studio.author.requests) == 20
    assert not ended(events).complete and ended(events).note == "20 examples wait for your decision (4)"
    again = Studio(tmp_path, spec(), judge=None)
    await again.run()
    assert not again.author.requests and not again.judge.asked
    for name in [row.example.id for row in studio.workspace.examples.rows()][:5]:
        Triage(studio.workspace).reject(name, "tone")
    third = Studio(tmp_path, spec(), judge=None)
    assert ended(await third.run()).note == "20 examples wait for your decision (4)"
    assert len(third.author.requests) == 5, "what a person rejected is made up for"


async def test_what_nobody_judged_is_judged_once_there_is_a_judge(tmp_path: Path) -> None:
    await Studio(tmp_path, spec(), judge=None).run()
    studio = Studio(tmp_path, spec())
    assert ended(await studio.run()).complete
    assert len(studio.judge.asked) == 20 and not studio.author.requests


async def test_where_nobody_writes_what_is_there_is_judged_and_the_rest_is_asked_for(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec(), author=None)
    talks = [line(f"a{1 + number % 3}", different(number * 7919).turns) for number in range(12)]
    add_by_hand(studio.loaded, studio.workspace, read_examples("\n".join(talks), "talks", studio.loaded.spec))
    events, error = await failing(studio)
    assert isinstance(error, UserError)
    for way in ("nobody is there to write", "--endpoint", "studio triage new", "studio triage import"):
        assert way in str(error)
    assert len(studio.judge.asked) == 12
    assert [(one.category, one.accepted) for one in ended(events).targets] == [("a", 12), ("b", 0)]
    more = [line("b1", different(500 + number * 7919).turns) for number in range(8)]
    add_by_hand(studio.loaded, studio.workspace, read_examples("\n".join(more), "talks", studio.loaded.spec))
    assert ended(await studio.run()).complete, "nobody is needed to write where nothing is missing"


def test_an_endpoint_without_a_model_is_told_to_name_one() -> None:
    settings = ModelSettings(endpoint="http://localhost:1/v1")
    with pytest.raises(UserError, match="--model"):
        open_author(settings, taskmaster())
    with pytest.raises(UserError, match="--model"):
        open_judge(settings, taskmaster())


async def test_the_judge_is_tried_with_replies_that_deserve_nothing_where_it_judges_many(tmp_path: Path) -> None:
    studio = Studio(tmp_path, spec(success={"examples": 40}))
    events = await studio.run()
    finished = ended(events)
    (tried,) = [event for event in events if isinstance(event, CanariesJudged)]
    assert finished.canaries == tried.canaries and len(tried.canaries) == 4
    assert finished.accepted == 40 and len(studio.judge.asked) == 44  # they are no examples
    (kept,) = canary_sets(studio.workspace.documents, studio.loaded)
    assert kept.canaries == tried.canaries and "ALARM" in finished.note
