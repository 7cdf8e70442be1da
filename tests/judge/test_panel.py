"""Several judges, or several samples of one: medians, majorities, and who fails."""

from __future__ import annotations

import pytest

from studio.judge.panel import PanelJudge, disagreement, spread, trait_spreads
from studio.judge.rubric import Answer, Preference
from studio.judge.types import Winner
from studio.llm import ModelError, Request
from tests.judge.making import loaded, small_spec, talk
from tests.llm.function_model import FunctionModel

TALK = talk("Did it rain?", "It rained on Monday. Did you get wet?")


def member(name: str, brave: int, concise: int, crosses: bool = False) -> FunctionModel:
    def answer(request: Request) -> Answer:
        marks = {"brave": brave, "concise": concise}
        traits = {trait: {"rationale": name, "quote": "", "score": score} for trait, score in marks.items()}
        violations = [{"id": "no_lies", "quote": "It rained"}] if crosses else []
        return Answer.model_validate({"traits": traits, "violations": violations, "steps": {"say": True, "ask": True}})

    return FunctionModel(name, answer)


def silent(request: Request) -> Answer:
    raise ModelError("timeout", "no answer")


async def test_the_median_of_each_trait_stands_and_what_each_said_is_kept() -> None:
    models = [member("a", 2, 0), member("b", 2, 1), member("c", 0, 2, crosses=True)]
    judge = PanelJudge(models, loaded(small_spec()))
    found = await judge.score(TALK)
    assert {name: one.score for name, one in found.traits.items()} == {"brave": 2, "concise": 1}
    assert found.total == 7.5 and found.judge == "a + b + c" == judge.name and found.violations == ()
    assert [(one.judge, one.scores["brave"], one.total) for one in found.panel] == [
        ("a", 2, 5.0),
        ("b", 2, 7.5),
        ("c", 0, 5.0),
    ]
    assert (
        spread(found) == 2.5 and trait_spreads(found) == {"brave": 2, "concise": 2} and disagreement(found) == (2.5, 4)
    )
    assert found.traits["concise"].rationale == "b"


async def test_between_two_judges_the_median_counts_and_the_lower_mark_is_the_score() -> None:
    found = await PanelJudge([member("a", 2, 1), member("b", 1, 1)], loaded(small_spec())).score(TALK)
    assert (found.traits["brave"].score, found.traits["brave"].estimate) == (1, 1.5)
    assert found.total == pytest.approx(10 * 2.5 / 4)


async def test_a_boundary_counts_where_most_see_it_crossed() -> None:
    models = [member("a", 2, 2, crosses=True), member("b", 2, 2, crosses=True), member("c", 2, 2)]
    found = await PanelJudge(models, loaded(small_spec())).score(TALK)
    assert [one.name for one in found.violations] == ["no_lies"] and found.verdict == "failed"


async def test_one_that_fails_is_left_out_and_most_that_fail_are_an_error() -> None:
    quiet, spec = FunctionModel("quiet", silent), loaded(small_spec())
    found = await PanelJudge([member("a", 2, 2), member("b", 2, 2), quiet], spec).score(TALK)
    assert found.verdict == "passed" and [one.verdict for one in found.panel] == ["passed", "passed", "error"]
    judge = PanelJudge([member("a", 2, 2), quiet], spec)
    failed = await judge.score(TALK)
    assert failed.verdict == "error" and "1 of 2 judges" in (failed.error or "") and judge.last_error is not None


async def test_samples_are_asked_warm_each_with_a_seed_of_its_own() -> None:
    asked: list[Request] = []

    def answer(request: Request) -> Answer:
        asked.append(request)
        mark = {"rationale": "", "quote": "", "score": len(asked) % 3}
        return Answer.model_validate({"traits": {"brave": mark, "concise": mark}})

    judge = PanelJudge([FunctionModel("one", answer)], loaded(small_spec()), samples=3)
    found = await judge.score(TALK)
    assert judge.name == "one x3" and len(found.panel) == 3
    assert sorted((one.sampling.temperature, one.sampling.seed) for one in asked)[1:] == [(0.7, 2), (0.7, 3)]
    assert len({one.messages for one in asked}) == 1


async def test_a_rule_fails_a_reply_before_anybody_is_asked() -> None:
    found = await PanelJudge([FunctionModel("never", silent)] * 2, loaded(small_spec())).score(
        talk("Hi", "You should.")
    )
    assert found.judge == "rules" and found.verdict == "failed" and found.panel == ()


async def test_what_most_prefer_wins_and_a_draw_is_a_tie() -> None:
    def prefers(text: str) -> FunctionModel:
        def answer(request: Request) -> Preference:
            first = request.messages[-1].content.partition("<first-")[2].partition("</first-")[0]
            winner: Winner = "first" if text in first else "second"
            return Preference(rationale=text, winner=winner)

        return FunctionModel(text, answer)

    spec = loaded(small_spec())
    found = await PanelJudge([prefers("left"), prefers("right"), prefers("right")], spec).compare(
        TALK[:1], "left", "right"
    )
    assert found.winner == "tuned" and found.rationale == "right" and found.error is None
    drawn = await PanelJudge([prefers("left"), prefers("right")], spec).compare(TALK[:1], "left", "right")
    assert drawn.winner == "tie" and drawn.judge == "left + right"
