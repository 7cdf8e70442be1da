"""The judge around a model: what is computed here and what is believed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import BaseModel

from studio.chatml import assistant, digest, user
from studio.errors import UserError
from studio.judge import Judge, open_judge
from studio.judge.rubric import Answer, BoundaryMark, TraitMark
from studio.llm import ModelError, ModelSettings, OpenAIModel, Request
from studio.spec import LoadedSpec
from tests.judge.making import coach, loaded, small_spec, talk
from tests.llm.fake_server import FakeServer
from tests.llm.function_model import FunctionModel, inside

LOADED = loaded(small_spec())
REPLY = "Plainly, there\u2019s no doubt. What else?"


def answer(brave: int = 2, concise: int = 2, **changes: Any) -> Answer:
    traits = {
        "brave": TraitMark(rationale="Bold.", quote="no doubt", score=brave),
        "concise": TraitMark(rationale="Short.", quote="not in the reply", score=concise),
    }
    return Answer(traits=traits, steps={"say": True, "ask": True}, **changes)


def judge(given: Answer | ModelError, asked: list[Request] | None = None, of: LoadedSpec = LOADED) -> Judge:
    def answered(request: Request) -> BaseModel:
        if asked is not None:
            asked.append(request)
        if isinstance(given, ModelError):
            raise given
        return given

    return Judge(FunctionModel("the judge", answered), of)


async def test_a_reply_with_enough_points_passes() -> None:
    asked: list[Request] = []
    judged = await judge(answer(brave=1), asked).score(talk("Is it so?", REPLY), "Small talk")
    assert (judged.verdict, judged.total, judged.reasons) == ("passed", 7.5, ())
    assert (judged.judge, judged.spec_hash) == ("the judge", LOADED.hash)
    assert judged.preferred == ("Plainly",)
    assert judged.steps == {"say": True, "ask": True}
    assert asked[0].purpose == "judge"
    assert (inside(asked[0], "reply"), inside(asked[0], "situation")) == (REPLY, "Small talk")


async def test_a_judgement_says_which_text_it_is_of_and_who_gave_it() -> None:
    texts = (talk("Is it so?", REPLY), talk("Is it so?", "You should."))  # the second breaks a rule
    found = [await judge(answer()).score(text) for text in texts]
    assert [one.digest for one in found] == [digest(text) for text in texts] and found[0].digest != found[1].digest
    assert [(one.judge, one.judge_version) for one in found] == [("the judge", ""), ("rules", "")]


async def test_the_model_reads_what_the_persona_knows_and_a_reference() -> None:
    asked: list[Request] = []
    example = {"scenario": "Small talk", "user": "Nice day?", "assistant": "Plainly a nice one."}
    own = loaded(small_spec(examples=[example]), context="The harbour closes at nine.")
    await judge(answer(), asked, own).score(talk("Is it so?", REPLY), "Small talk")
    assert "The harbour closes at nine." in asked[0].messages[0].content
    assert "Plainly a nice one." in asked[0].messages[1].content


@pytest.mark.parametrize(("scenario", "verdict"), [("Small talk", "failed"), ("", "passed")])
async def test_a_user_who_does_not_show_the_scenario_fails_the_example_where_one_was_wanted(
    scenario: str, verdict: str
) -> None:
    judged = await judge(answer(shows_scenario=False)).score(talk("Is it so?", REPLY), scenario)
    assert (judged.verdict, judged.reasons) == (verdict, ("off_scenario",) if scenario else ())


async def test_a_trait_at_0_fails_whatever_the_total() -> None:
    spec = small_spec(success={"accept_score": 5.0})
    answered = Judge(FunctionModel("the judge", lambda request: answer(brave=0)), loaded(spec))
    judged = await answered.score(talk("Is it so?", REPLY))
    assert (judged.verdict, judged.total, judged.reasons) == ("failed", 5.0, ("trait:brave",))


async def test_a_reply_that_was_cut_is_recorded_and_told_to_the_model() -> None:
    asked: list[Request] = []
    cut = await judge(answer(), asked).score(talk("Is it so?", REPLY), finish="length")
    whole = await judge(answer(), asked).score(talk("Is it so?", REPLY))
    assert (cut.finish, whole.finish) == ("length", "stop")
    assert ["cut off" in request.messages[1].content for request in asked] == [True, False]


async def test_a_rule_broken_in_an_earlier_turn_fails_the_conversation() -> None:
    earlier = (user("So?"), assistant("You should."), *talk("Is it so?", REPLY))
    assert (await judge(answer()).score(earlier)).reasons == ("banned:you should",)


async def test_a_reply_with_too_few_points_fails_and_says_which_trait_was_missing() -> None:
    judged = await judge(answer(brave=0, concise=2)).score(talk("Is it so?", REPLY))
    assert (judged.verdict, judged.total) == ("failed", 5.0)
    assert judged.reasons == ("score", "trait:brave")


async def test_a_quote_that_is_not_in_the_reply_is_dropped() -> None:
    judged = await judge(answer()).score(talk("Is it so?", REPLY))
    assert judged.traits["brave"].quote == "no doubt"
    assert judged.traits["concise"].quote == ""


async def test_a_quote_is_given_as_the_reply_has_it() -> None:
    marks = answer()
    traits = {**marks.traits, "brave": TraitMark(rationale="", quote='"plainly,  THERE\'S no"', score=2)}
    judged = await judge(marks.model_copy(update={"traits": traits})).score(talk("Is it so?", REPLY))
    assert judged.traits["brave"].quote == "Plainly, there\u2019s no"


async def test_a_boundary_rejects_whatever_the_total() -> None:
    judged = await judge(answer(violations=(BoundaryMark(id="no_lies", quote="no doubt"),))).score(talk("So?", REPLY))
    assert [(v.kind, v.name, v.quote) for v in judged.violations] == [("boundary", "no_lies", "no doubt")]
    assert (judged.verdict, judged.total, judged.reasons) == ("failed", 10.0, ("boundary:no_lies",))


@pytest.mark.parametrize("quote", ["", "passes over the question", "Or else"])
async def test_a_boundary_counts_though_its_quote_is_empty_or_not_in_the_reply(quote: str) -> None:
    judged = await judge(answer(violations=(BoundaryMark(id="no_lies", quote=quote),))).score(talk("So?", REPLY))
    assert [(v.kind, v.name, v.quote) for v in judged.violations] == [("boundary", "no_lies", "")]
    assert judged.verdict == "failed"


async def test_a_boundary_reported_twice_is_counted_once_with_the_words_that_are_there() -> None:
    marks = answer(violations=tuple(BoundaryMark(id="no_lies", quote=quote) for quote in ("Or else", "no doubt", "")))
    judged = await judge(marks).score(talk("So?", REPLY))
    assert [(v.name, v.quote) for v in judged.violations] == [("no_lies", "no doubt")]


async def test_a_broken_rule_fails_without_a_call() -> None:
    asked: list[Request] = []
    judged = await judge(answer(), asked).score(talk("Is it so?", "You should know."))
    assert (judged.verdict, judged.total, judged.traits) == ("failed", None, {})
    assert judged.reasons == ("banned:you should",)
    assert asked == []


async def test_where_both_sides_are_measured_a_broken_rule_is_scored_anyway() -> None:
    judged = await judge(answer()).score(talk("Is it so?", "You should know, no doubt."), rules_first=False)
    assert (judged.verdict, judged.total, judged.reasons) == ("failed", 10.0, ("banned:you should",))


async def test_a_call_that_failed_is_an_error_and_no_failure() -> None:
    judged = await judge(ModelError("timeout", "no answer\nin time")).score(talk("Is it so?", REPLY))
    assert (judged.verdict, judged.total, judged.reasons) == ("error", None, ())
    assert judged.error == "no answer in time"


async def test_an_answer_without_a_trait_is_an_error() -> None:
    marks = answer()
    judged = await judge(marks.model_copy(update={"traits": {"brave": marks.traits["brave"]}})).score(talk("Hi", REPLY))
    assert judged.verdict == "error"


def preferring(choose: Callable[[str, str], str], asked: list[Request] | None = None) -> Judge:
    """A judge that is given both replies in their order."""

    class Said(BaseModel):
        rationale: str = "So."
        winner: str

    def answered(request: Request) -> BaseModel:
        if asked is not None:
            asked.append(request)
        return Said(winner=choose(inside(request, "first"), inside(request, "second")))

    return Judge(FunctionModel("the judge", answered), LOADED)


@pytest.mark.parametrize(
    ("choose", "winner", "orders"),
    [
        (lambda first, second: "first" if "good" in first else "second", "tuned", ("second", "first")),
        (lambda first, second: "first" if "bad" in first else "second", "base", ("first", "second")),
        (lambda first, second: "first", "tie", ("first", "first")),
        (lambda first, second: "second", "tie", ("second", "second")),
        (lambda first, second: "tie", "tie", ("tie", "tie")),
        (lambda first, second: "first" if "good" in first else "tie", "tie", ("tie", "first")),
    ],
)
async def test_both_orders_have_to_agree(
    choose: Callable[[str, str], str], winner: str, orders: tuple[str, str]
) -> None:
    asked: list[Request] = []
    compared = await preferring(choose, asked).compare((user("Hi"),), "a bad one", "a good one")
    assert (compared.winner, compared.orders, compared.error, compared.judge) == (winner, orders, None, "the judge")
    assert [inside(request, "first") for request in asked] == ["a bad one", "a good one"]


async def test_equal_replies_are_a_tie_that_nobody_is_asked_about() -> None:
    asked: list[Request] = []
    compared = await preferring(lambda first, second: "first", asked).compare((user("Hi"),), "same", "same ")
    assert (compared.winner, asked) == ("tie", [])


async def test_a_comparison_that_failed_says_so() -> None:
    compared = await judge(ModelError("limit", "too many requests")).compare((user("Hi"),), "one", "two")
    assert (compared.winner, compared.error) == ("tie", "too many requests")


async def test_without_a_model_and_without_labels_traits_stay_unscored_and_rules_still_hold() -> None:
    opened = open_judge(ModelSettings(), LOADED)
    assert (opened.kind, opened.name, opened.version) == ("nobody", "unscored", "")
    judged = await opened.score(talk("Is it so?", REPLY))
    assert (judged.judge, judged.verdict, judged.total, judged.traits, judged.reasons) == (
        "unscored", "unscored", None, {}, (),
    )  # fmt: skip
    broken = await opened.score(talk("Is it so?", "You should."), rules_first=False)
    assert (broken.judge, broken.verdict, broken.reasons) == ("rules", "failed", ("banned:you should",))
    assert (await opened.compare((user("Hi"),), "one", "two")).error == "nobody judges: no model and no labels"


def test_where_labels_lie_beside_the_spec_the_judge_is_learned_unless_there_is_an_endpoint() -> None:
    assert (open_judge(ModelSettings(), coach()).kind, open_judge(ModelSettings(), coach()).name) == (
        "learned", "learned judge",
    )  # fmt: skip
    endpoint = ModelSettings(endpoint="http://localhost:1/v1", model="m")
    assert (open_judge(endpoint, coach()).kind, open_judge(endpoint, coach()).name) == ("model", "m")


def test_an_endpoint_needs_a_model_to_judge() -> None:
    with pytest.raises(UserError, match="no model is named to judge"):
        open_judge(ModelSettings(endpoint="http://localhost:1/v1"), LOADED)


async def test_the_judges_own_model_is_asked_before_the_authors() -> None:
    settings = ModelSettings(endpoint="http://localhost:1/v1", model="author", judge_model="critic")
    opened = open_judge(settings, LOADED)
    assert isinstance(opened._model, OpenAIModel) and opened.name == "critic"
    await opened.close()


async def test_an_endpoint_is_asked_in_structured_form() -> None:
    seen: list[dict[str, Any]] = []

    def served(body: dict[str, Any]) -> str:
        seen.append(body)
        return answer(brave=1).model_dump_json()

    async with FakeServer(served) as server:
        opened = open_judge(ModelSettings(endpoint=server.url, model="m"), LOADED)
        judged = await opened.score(talk("Is it so?", REPLY))
        await opened.close()
    assert (judged.verdict, judged.total, judged.judge) == ("passed", 7.5, "m")
    assert seen[0]["response_format"]["json_schema"]["strict"] is True
