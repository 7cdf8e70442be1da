"""The recorded author: each conversation is played once, and goes the way of any author's."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from studio.bank import faults
from studio.bank.person import person_id
from studio.chatml import Messages, assistant, user
from studio.errors import UserError
from studio.generate import RECORDED, ExampleScored, GenerateFinished, GenerateStarted, open_author, unfinished
from studio.generate.recorded import RecordedPerson, read_recordings
from studio.judge import marker_fit
from studio.llm import ModelSettings
from studio.spec import LoadedSpec, SpecError, load
from studio.store import Filter, Workspace
from tests import small_persona
from tests.generate.making import line, loaded_spec
from tests.generate.models import Studio, different

SCENARIOS = {
    "a": {"target": 4, "items": ["a1", "a2"]},
    "b": {"target": 2, "items": ["b1"]},
    "probe": {"holdout": True, "items": ["Where do I leave [a dog]?"]},
}


def talk(number: int) -> Messages:
    return different(number * 7919 + 11).turns


def spec(tmp_path: Path, *lines: str, **parts: Any) -> LoadedSpec:
    """A spec beside which ``lines`` are recorded."""
    path = tmp_path / "tester.recorded.jsonl"
    path.write_text("".join(f"{one}\n" for one in lines), encoding="utf-8")
    return loaded_spec(recorded=path, **{"scenarios": SCENARIOS, "success": {"examples": 6}, **parts})


def recorded(counts: dict[str, int]) -> list[str]:
    names = [name for name, count in counts.items() for _ in range(count)]
    return [line(name, talk(number), name=f"Ada {number}", age=30 + number) for number, name in enumerate(names)]


def studio(tmp_path: Path, loaded: LoadedSpec, **judge: Any) -> Studio:
    return Studio(tmp_path / "work", loaded, author=None, **judge)


async def played(one: Studio, **params: Any) -> tuple[list[ExampleScored], GenerateFinished]:
    events = await one.run(**params)
    assert isinstance(events[0], GenerateStarted) and events[0].author == RECORDED
    assert isinstance(events[-1], GenerateFinished)
    return [event for event in events if isinstance(event, ExampleScored)], events[-1]


async def test_all_that_is_recorded_is_played_once_with_its_person_and_judged_as_any_author_s(tmp_path: Path) -> None:
    one = studio(tmp_path, spec(tmp_path, *recorded({"a1": 3, "a2": 4, "b1": 5})))
    events, end = await played(one)
    assert end.complete and end.note == "" and end.accepted == 12
    assert Counter(event.scenario for event in events) == {"a1": 3, "a2": 4, "b1": 5}, "beyond the targets too"
    assert [one.row(event).messages for event in events if event.scenario == "b1"] == [
        talk(number) for number in range(7, 12)
    ], "in the order of the file"
    for event in events:
        row = one.row(event)
        assert row.example.author == RECORDED
        person = one.workspace.examples.person(row.example.person_id)
        assert person is not None and person.source == "recorded"
        assert person.age is not None and person.name == f"Ada {person.age - 30}"
    assert len(one.judge.asked) == 12
    again, _ = await played(studio(tmp_path, one.loaded))
    assert again == []


async def test_the_order_is_the_plan_s(tmp_path: Path) -> None:
    events, _ = await played(studio(tmp_path, spec(tmp_path, *recorded({"a1": 3, "a2": 3, "b1": 3}))), concurrency=1)
    first = Counter(event.scenario for event in events[:6])
    assert first == {"a1": 2, "a2": 2, "b1": 2}, "every category reaches its target before any goes beyond it"


async def test_fewer_than_the_spec_wants_are_played_where_fewer_are_asked_for(tmp_path: Path) -> None:
    one = studio(tmp_path, spec(tmp_path, *recorded({"a1": 3, "a2": 3, "b1": 3})))
    events, end = await played(one, examples=3)
    assert end.complete and Counter(event.category for event in events) == {"a": 2, "b": 1}
    assert not unfinished(one.loaded, one.workspace, ModelSettings(), 3)
    assert unfinished(one.loaded, one.workspace, ModelSettings(), 6)


async def test_an_exhausted_recording_ends_with_what_is_short_and_what_would_give_more(tmp_path: Path) -> None:
    one = studio(tmp_path, spec(tmp_path, *recorded({"a1": 1, "a2": 2, "b1": 5})))
    _, end = await played(one)
    assert not end.complete
    assert end.note == (
        "the recording is exhausted: 5 of 6 wanted, short in a 3 of 4; more needs an endpoint, a local server, or "
        "examples by hand"
    )
    again, told = await played(studio(tmp_path, one.loaded))
    assert not again and told.note == end.note and told.errors == 0
    assert unfinished(one.loaded, one.workspace, ModelSettings())


async def test_a_scenario_of_which_nothing_is_recorded_is_named_at_once_and_the_others_are_played(
    tmp_path: Path,
) -> None:
    events = await studio(tmp_path, spec(tmp_path, *recorded({"a2": 5, "b1": 2}))).run()
    first, last = events[0], events[-1]
    assert isinstance(first, GenerateStarted) and first.note == "nothing is recorded of 'a1'"
    assert isinstance(last, GenerateFinished) and last.complete, "its category has its target from the other"


async def test_a_line_that_is_added_or_changed_is_played_and_no_other_again(tmp_path: Path) -> None:
    lines = recorded({"a1": 2, "a2": 2, "b1": 2})
    one = studio(tmp_path, spec(tmp_path, *lines))
    await played(one)
    changed = [line("a1", (user("Is the ferry late again?"), assistant("By ten minutes, so there is time for tea.")))]
    added = [line("b1", talk(77))]
    events, _ = await played(studio(tmp_path, spec(tmp_path, *changed, *lines[1:], *added)))
    assert [event.scenario for event in events] == ["a1", "b1"]
    assert one.workspace.examples.count() == 8, "what was played stays"


async def test_stopped_it_goes_on_where_it_was(tmp_path: Path) -> None:
    loaded = spec(tmp_path, *recorded({"a1": 8, "a2": 8, "b1": 8}))
    one = studio(tmp_path, loaded)

    def enough() -> bool:
        return one.workspace.examples.count(Filter()) >= 7

    first = await one.run(stop=enough, concurrency=2)
    assert isinstance(first[-1], GenerateFinished) and not first[-1].complete
    assert first[-1].note == "stopped; start it again to go on"
    before = sum(isinstance(event, ExampleScored) for event in first)
    assert 7 <= before < 24 and unfinished(loaded, one.workspace, ModelSettings())
    events, end = await played(studio(tmp_path, loaded))
    assert end.complete and before + len(events) == 24 == one.workspace.examples.count()


async def test_a_held_out_message_and_a_near_copy_are_rejected_like_any_author_s(tmp_path: Path) -> None:
    twice = [line("a1", talk(1)), line("a2", (talk(1)[0], assistant(talk(1)[1].content + " Yes.")))]
    leak = line("b1", (user("Hello! Where do I leave a dog?"), assistant("At the desk by the door.")))
    one = studio(tmp_path, spec(tmp_path, *twice, leak))
    events, end = await played(one)
    assert {event.scenario: event.reasons for event in events} == {
        "a1": (),
        "a2": ("duplicate",),
        "b1": ("held_out",),
    }
    assert len(one.judge.asked) == 1 and (end.accepted, end.rejected) == (1, 2)


async def test_where_nobody_judges_everything_is_played_and_waits_for_a_person(tmp_path: Path) -> None:
    one = studio(tmp_path, spec(tmp_path, *recorded({"a1": 4, "a2": 4, "b1": 4})), judge=None)
    _, end = await played(one)
    assert end.note == "12 examples wait for your decision (4)"
    assert one.workspace.examples.count(Filter(status="pending")) == 12


async def test_an_endpoint_is_asked_before_a_recording_is_played(tmp_path: Path) -> None:
    loaded = spec(tmp_path, *recorded({"a1": 1}))
    author = open_author(ModelSettings(endpoint="http://localhost:1/v1", model="writer"), loaded)
    assert author.name == "writer"
    await author.close()
    assert open_author(ModelSettings(), loaded).name == RECORDED == "recorded author"


async def test_a_scenario_that_is_renamed_in_spec_and_recording_is_played_anew(tmp_path: Path) -> None:
    await played(studio(tmp_path, spec(tmp_path, *recorded({"a1": 2, "a2": 2, "b1": 2}))))
    renamed = {**SCENARIOS, "a": {"target": 4, "items": ["a1 by night", "a2"]}}
    text = [one.replace('"a1"', '"a1 by night"') for one in recorded({"a1": 2, "a2": 2, "b1": 2})]
    events, end = await played(studio(tmp_path, spec(tmp_path, *text, spec_hash="later", scenarios=renamed)))
    assert [(event.scenario, event.accepted) for event in events] == [("a1 by night", True)] * 2
    assert end.complete


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{", "2: expected one JSON object a line"),
        ("[1]", '2: expected a JSON object with "scenario", "person" and "messages"'),
        (line("c", talk(2)), "2: scenario: expected a scenario of the spec, found 'c'"),
        (line("a11", talk(2)), "2: scenario: expected a scenario of the spec, found 'a11'; is it 'a1'?"),
        (line("Where do I leave [a dog]?", talk(2)), "2: scenario: expected a scenario that is trained on"),
        (line("", talk(2)), "2: scenario: expected a scenario of the spec, found none"),
        (line("a1", talk(2)[::-1]), "2: messages: expected user and assistant to take turns, found assistant"),
        (line("a1", (*talk(2), user("And?"))), "2: messages: expected the last message to be the assistant's"),
        (line("a1", (user(" "), assistant("Hm."))), "2: messages: expected some words in message 1"),
        (line("a1", ()), "2: messages: expected a user's message and a reply"),
        ('{"scenario": "a1", "messages": [{"role": "bot", "content": "x"}]}', "2: messages.0.role: expected 'system'"),
        ('{"scenario": "a1"}', "2: messages: expected this key, found nothing"),
        (line("a1", talk(2), age="old"), "2: person.age: expected a valid integer"),
        (line("a1", talk(2), nam="Ada"), "2: person.nam: expected one of the keys name, age, role, background"),
        ('{"scenari": "a1", "messages": []}', "2: scenari: expected one of the keys scenario, person, messages"),
        (line("a2", talk(1)), "2: messages: expected each conversation once, found that of line 1 again"),
    ],
)
def test_a_mistake_names_file_line_and_what_was_expected(tmp_path: Path, text: str, expected: str) -> None:
    loaded = spec(tmp_path, line("a2", talk(1)), text, line("b1", talk(3)))
    with pytest.raises(SpecError) as caught:
        open_author(ModelSettings(), loaded)
    place, _, said = expected.partition(": ")
    assert f"{loaded.recorded_path}:{place}: {said}" in str(caught.value)


def test_every_mistake_is_told_at_once_and_nothing_is_half_read(tmp_path: Path) -> None:
    loaded = spec(tmp_path, line("a1", talk(1)), "{", line("a9", talk(2)), "x")
    with pytest.raises(SpecError) as caught:
        read_recordings(loaded)
    assert [problem.line for problem in caught.value.problems] == [2, 3, 4]
    assert "(and 2 more)" in str(caught.value)


async def test_a_mistake_in_the_recording_ends_generating_before_anything_is_stored(tmp_path: Path) -> None:
    one = studio(tmp_path, spec(tmp_path, line("a1", talk(1)), "{"))
    with pytest.raises(SpecError):
        await one.run()
    assert one.workspace.examples.count() == 0


def test_a_recording_that_cannot_be_read_is_told_in_a_line(tmp_path: Path) -> None:
    loaded = spec(tmp_path)
    assert loaded.recorded_path is not None
    loaded.recorded_path.write_bytes(b'{"scenario": "a1"}\n\xff\n')
    with pytest.raises(UserError, match=r"jsonl:2: expected UTF-8"):
        read_recordings(loaded)
    loaded.recorded_path.unlink()
    with pytest.raises(UserError, match="No such file"):
        read_recordings(loaded)
    loaded.recorded_path.mkdir()
    with pytest.raises(UserError, match="regular file"):
        read_recordings(loaded)


def test_a_byte_order_mark_other_line_ends_and_unescaped_breaks_are_read(tmp_path: Path) -> None:
    loaded = spec(tmp_path)
    assert loaded.recorded_path is not None
    turns = '[{"role": "user", "content": "One\u2028two"}, {"role": "assistant", "content": "Three"}]'
    whole = f'\ufeff{{"scenario": "a1", "messages": {turns}}}\r\n\r\n' + line("a2", talk(1)) + "\r\n"
    loaded.recorded_path.write_bytes(whole.encode())
    first, second = read_recordings(loaded)
    assert (first.number, second.number) == (1, 3) and first.messages[0].content == "One\u2028two"
    assert first.person.name == "" and first.person.source == "recorded"


def test_the_recording_of_every_bundled_spec_can_be_read() -> None:
    for loaded, least in ((load(small_persona.SPEC), small_persona.RECORDED), (load("specs/taskmaster.yaml"), 260)):
        found = read_recordings(loaded)
        assert len(found) >= least
        assert {(one.category, one.scenario) for one in found} == {
            (name, item) for name, one in loaded.spec.scenarios.items() if not one.holdout for item in one.items
        }, "every scenario has some"


def test_who_asks_in_the_course_s_recording_is_a_whole_person_and_nobody_is_there_twice() -> None:
    found = read_recordings(load("specs/taskmaster.yaml"))
    people = [one.person for one in found]
    assert [(one.number, wrong) for one in found for wrong in faults(one.person)] == []
    assert all(person.profession and person.place for person in people)
    assert len({person.name for person in people}) == len({person.id for person in people}) == len(people)
    for one in found:
        kept = marker_fit(one.messages, one.person.chatting_style)
        assert kept is None or kept.score == 2, (one.number, kept)


def test_a_person_of_whom_no_more_is_known_than_before_keeps_their_id() -> None:
    short = {"name": "Ada", "age": 30, "background": "Bakes.", "chatting_style": "short"}
    person = RecordedPerson.model_validate(short).person("recorded")
    assert person.id == person_id("recorded", "Ada", "30", "", "Bakes.", "short")
    more = RecordedPerson.model_validate(short | {"traits": ["dry"], "place": "Leeds"}).person("recorded")
    assert more.id != person.id and (more.traits, more.place) == (("dry",), "Leeds")


async def test_playing_back_three_hundred_is_quick(tmp_path: Path) -> None:
    one = Studio(tmp_path, load("specs/taskmaster.yaml"), author=None)
    began = time.process_time()
    events = await one.run()
    assert sum(isinstance(event, ExampleScored) for event in events) > 260
    assert time.process_time() - began < 12, "seconds of one processor, without what a judge takes"
    assert Workspace.open(tmp_path, one.loaded.spec.slug).examples.count() > 260
