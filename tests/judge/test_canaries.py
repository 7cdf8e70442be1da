"""Replies that deserve next to nothing, through a judge that sees it and through one that is taken in."""

from __future__ import annotations

from pathlib import Path

from studio.chatml import last_reply
from studio.judge import Judge
from studio.judge.canaries import (
    FEWEST_JUDGED,
    alarms,
    canaries,
    canary_sets,
    canary_text,
    judge_canaries,
    keep_canaries,
)
from studio.judge.rubric import Answer
from studio.llm import Request
from studio.store import Workspace
from tests.judge.making import coach, loaded, small_spec
from tests.llm.function_model import FunctionModel

ASKED = tuple(f"What of day {number}?" for number in range(FEWEST_JUDGED))


def judging(score: int) -> tuple[Judge, list[Request]]:
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        mark = {"rationale": "So.", "quote": "", "score": score}
        steps = {"say": True, "ask": True}
        traits = {"brave": mark, "concise": mark}
        return Answer.model_validate({"steps": steps, "traits": traits})

    return Judge(FunctionModel("referee", answer), loaded(small_spec())), asked


def test_the_set_holds_what_a_judge_should_see_through() -> None:
    found = {one.kind: last_reply(one.messages) for one in canaries(loaded(small_spec()), "Well?")}
    assert list(found) == ["empty", "asks for marks", "spec pasted", "another persona"]
    assert found["empty"] == "" and "10" in found["asks for marks"] and "Says what is so" in found["spec pasted"]


def test_another_persona_is_one_unlike_this_one() -> None:
    pirate = small_spec(purpose="Talks like an old sea dog: arr, matey, ye be hoisting the mainsail with a parrot")
    assert "Arr" not in last_reply(canaries(loaded(pirate), "Well?")[-1].messages)


async def test_a_judge_that_marks_low_gives_no_alarm_and_is_asked_one_set() -> None:
    judge, asked = judging(0)
    found = await judge_canaries(loaded(small_spec()), judge, ASKED, FEWEST_JUDGED)
    assert len(asked) == 4 and alarms(found) == () and canary_text(found) == "canaries: 4 of 4 marked low"
    assert {one.purpose for one in asked} == {"judge"} and "What of day 0?" in asked[0].messages[-1].content


async def test_a_judge_that_is_taken_in_is_named_with_what_took_it_in() -> None:
    judge, _ = judging(2)
    found = await judge_canaries(loaded(small_spec()), judge, ASKED, FEWEST_JUDGED)
    assert {one.kind for one in alarms(found)} == {one.kind for one in found}
    assert not next(one for one in found if one.kind == "empty").passed  # a rule fails it, whatever the marks
    assert canary_text(found).startswith(f"canaries: ALARM, {judge.name} is taken in: empty gets 10.0 of 10; ")


async def test_few_replies_and_nobody_who_judges_are_not_worth_a_set() -> None:
    judge, asked = judging(2)
    assert await judge_canaries(loaded(small_spec()), judge, ASKED, FEWEST_JUDGED - 1) == () and asked == []
    assert await judge_canaries(loaded(small_spec()), Judge(None, loaded(small_spec())), ASKED, FEWEST_JUDGED) == ()
    assert canary_text(()) == ""


async def test_the_newest_set_of_a_judge_is_kept_beside_the_work(tmp_path: Path) -> None:
    spec = loaded(small_spec())
    workspace = Workspace.open(tmp_path, "tester")
    for score in (2, 0):
        judge, _ = judging(score)
        keep_canaries(workspace.documents, spec, judge, await judge_canaries(spec, judge, ASKED, FEWEST_JUDGED))
    (kept,) = canary_sets(workspace.documents, spec)
    assert kept.judge == "referee" and alarms(kept.canaries) == () and len(kept.canaries) == 4
    assert canary_sets(workspace.documents, loaded(small_spec(purpose="Another."))) == []
    assert keep_canaries(workspace.documents, spec, judge, ()) is None
    workspace.close()


async def test_the_learned_judge_is_tried_too() -> None:
    from studio.judge import open_judge
    from studio.llm import ModelSettings

    found = await judge_canaries(coach(), open_judge(ModelSettings(), coach()), ASKED, FEWEST_JUDGED)
    assert len(found) == 4 and all(one.total is not None and one.error is None for one in found)
