"""A spec's own examples define its persona: its judge accepts them, in any language and without a single cue."""

from __future__ import annotations

import pytest

from studio.judge import open_judge, own_examples
from studio.llm import ModelSettings
from studio.spec import LoadedSpec, Spec
from tests.judge.making import loaded, shipped, small_spec, talk
from tests.judge.personas import GERMAN, JAPANESE, PERSONAS

SHIPPED = ["taskmaster", "bank-support", "lost-and-found"]


def without_cues(spec: Spec) -> Spec:
    return spec.model_copy(update={"traits": tuple(one.model_copy(update={"cues": ()}) for one in spec.traits)})


async def failed(one: LoadedSpec) -> list[str]:
    """The replies of the spec's own examples that its judge does not accept."""
    judge = open_judge(ModelSettings(), one)
    judgements = [(example, await judge.score(example.turns, example.scenario or "")) for example in one.spec.examples]
    return [example.turns[-1].content for example, judgement in judgements if judgement.verdict != "passed"]


@pytest.mark.parametrize("name", SHIPPED)
async def test_the_shipped_examples_pass_with_and_without_cues(name: str) -> None:
    one = shipped(name)
    assert await failed(one) == []
    assert await failed(loaded(without_cues(one.spec))) == []


@pytest.mark.parametrize("spec", PERSONAS, ids=lambda spec: spec.name)
async def test_the_examples_of_any_persona_pass(spec: Spec) -> None:
    assert await failed(loaded(spec)) == []


@pytest.mark.parametrize("spec", PERSONAS, ids=lambda spec: spec.name)
async def test_what_is_nothing_like_them_does_not(spec: Spec) -> None:
    judge = open_judge(ModelSettings(), loaded(spec))
    request = spec.examples[0].turns[0].content
    for reply in ("Purple bicycles sleep under wooden forms.", "Zzz zzz.", spec.examples[-1].turns[-1].content[::-1]):
        assert (await judge.score(talk(request, reply), rules_first=False)).verdict == "failed"


@pytest.mark.parametrize(
    ("spec", "request_", "good", "bad"),
    [
        (GERMAN, "Ich brauche am Mittwoch einen Termin für mein Lastenrad.",
         "Sehr gerne! Ich habe Mittwoch für Ihr Lastenrad eingetragen. Sollen wir auch die Kette prüfen?",
         [
             "Ich habe Mittwoch für Ihr Lastenrad eingetragen.",
             "Sehr gerne! Das Zebra hat Mittwoch Ihr Lastenrad gefressen. Sollen wir auch die Kette prüfen?",
             "Sehr gerne! Eingetragen habe Ihr für Mittwoch ich Lastenrad. Sollen wir auch die Kette prüfen?",
             "Sehr gerne! Sollen wir auch die Kette prüfen?",
         ]),
        (JAPANESE, "人間失格を木曜日まで予約したいです。",
         "ご利用ありがとうございます。人間失格を木曜日まで予約しました。ほかにお探しの本はございますか。",
         [
             "ご利用ありがとうございます。人間失格を木曜日まで食べました。ほかにお探しの本はございますか。",
             "ご利用ありがとうございます。羅生門を木曜日まで予約しました。ほかにお探しの本はございますか。",
             "ご利用ありがとうございます。ほかにお探しの本はございますか。",
         ]),
    ],
)  # fmt: skip
async def test_a_persona_without_cues_is_told_from_a_plain_or_wrong_answer(
    spec: Spec, request_: str, good: str, bad: list[str]
) -> None:
    judge = open_judge(ModelSettings(), loaded(spec))
    assert (await judge.score(talk(request_, good), rules_first=False)).total == 10
    for reply in bad:
        assert ((await judge.score(talk(request_, reply), rules_first=False)).total or 0) < 6, reply


async def test_examples_that_fail_are_told_with_the_traits_that_want_cues() -> None:
    examples = [{"user": "Well?", "assistant": reply} for reply in ("It rains a lot here.", "It snows a little there.")]
    traits = [{"name": "brave", "is": "Brave", "cues": ["charge"]}, {"name": "loud", "is": "Loud", "cues": ["hooray"]}]
    spec = small_spec(traits=traits, examples=examples, vocabulary={}, patterns=[])
    found = await own_examples(open_judge(ModelSettings(), loaded(spec)), loaded(spec))
    assert (found.count, found.failed, found.traits) == (2, 2, ("brave", "loud"))
    assert found.told() == (
        "2 of 2 of the spec's own examples do not pass the judge: brave, loud is not heard in them; "
        "give it `cues` that its replies hold, or none"
    )


async def test_examples_that_break_a_rule_are_told_with_the_rule() -> None:
    spec = small_spec(examples=[{"user": "Well?", "assistant": "Plainly, no doubt, you should go. What else?"}])
    found = await own_examples(open_judge(ModelSettings(), loaded(spec)), loaded(spec))
    assert found.told() == "1 of 1 of the spec's own examples do not pass the judge: banned:you should"


async def test_of_examples_that_pass_there_is_nothing_to_tell() -> None:
    one = loaded(GERMAN)
    assert (await own_examples(open_judge(ModelSettings(), one), one)).told() == ""
