"""The rules judge on specs that hold little, that know no such traits, or that are in other languages."""

from __future__ import annotations

import pytest
from studio.judge.offline.manners import family_of

from studio.chatml import Messages
from studio.judge import Judge, JudgeBrief, open_judge, rules_judge
from studio.llm import ModelError, ModelSettings, Request
from studio.spec import Spec
from studio.store.records import Judgement
from tests.judge.making import loaded, shipped, small_spec, talk


async def judged(spec: Spec, messages: Messages) -> Judgement:
    return await open_judge(ModelSettings(), loaded(spec)).score(messages, rules_first=False)


def with_traits(*names: str, **more: object) -> Spec:
    return small_spec(traits=[{"name": name, "is": "As it says"} for name in names], **more)


@pytest.mark.parametrize(
    ("name", "definition", "family"),
    [
        ("warm", "", "supportive"),
        ("action_oriented", "", "action_oriented"),
        ("professional", "", "formal"),
        ("organised", "", "faithful"),
        ("brief", "", "concise"),
        ("upbeat", "", "encouraging"),
        ("sunny", "Praises and cheers the user", "encouraging"),
        ("careful_tone", "", "honest"),
        ("martian", "Comes from Mars", None),
    ],
)
def test_traits_are_known_by_name_or_by_definition(name: str, definition: str, family: str | None) -> None:
    assert family_of(name, definition) == family


MANNERS = {
    "formal": "Certainly. Kindly find the report attached, sir.",
    "playful": "Haha, boom! One report, easy peasy.",
    "calm": "No rush, take a breath. The report can wait.",
    "honest": "I'm not sure, maybe the report is late. It depends.",
    "curious": "Which report do you mean, and what made you ask?",
}


@pytest.mark.parametrize("trait", MANNERS)
async def test_common_manners_are_heard_without_a_single_cue(trait: str) -> None:
    spec = with_traits(*MANNERS)
    scores = {
        name: (await judged(spec, talk("Send me the report", reply))).traits[trait].score
        for name, reply in MANNERS.items()
    }
    assert scores[trait] == 2
    assert all(score < 2 for name, score in scores.items() if name != trait)


async def test_an_unknown_trait_is_heard_by_likeness_to_the_personas_own_replies() -> None:
    own = ["Beep, the hatch is open. Over.", "Beep, the fuel is low. Over.", "Beep, the sun is near. Over."]
    spec = with_traits("martian", examples=[{"user": "Report", "assistant": reply} for reply in own])
    replies = [own[1], "Beep, the door is open. Over.", "I would say that nothing much has happened yet."]
    judgements = [await judged(spec, talk("Report", reply)) for reply in replies]
    assert [judgement.traits["martian"].score for judgement in judgements] == [2, 1, 0]


async def test_a_trait_that_nothing_is_known_of_says_so() -> None:
    judgement = await judged(with_traits("martian"), talk("Report", "Nothing much has happened."))
    assert judgement.traits["martian"].score == 1
    assert "no cue or example" in judgement.traits["martian"].rationale


async def test_japanese_is_judged_by_its_own_words() -> None:
    spec = small_spec(
        language="ja",
        traits=[
            {"name": "kind", "is": "やさしい", "cues": ["いいですね", "一緒に"]},
            {"name": "concise", "is": "短い"},
        ],
        slots={"task": ["牛乳を買う", "部屋を掃除する"]},
        examples=[
            {
                "user": f"「{task}」を追加して。",
                "assistant": f"いいですね!「{task}」を追加しました。次は何をしましょうか?",
            }
            for task in ("牛乳を買う", "部屋を掃除する", "牛乳を買う")
        ],
    )
    kept = await judged(spec, talk("「牛乳を買う」を追加して。", "いいですね!「牛乳を買う」を追加しました。"))
    other = await judged(spec, talk("「牛乳を買う」を追加して。", "いいですね!「部屋を掃除する」を追加しました。"))
    assert kept.total == 10
    assert other.total is not None and other.total <= 5


async def test_a_bank_clerks_plain_facts_are_told_from_the_personas_reply() -> None:
    bank = open_judge(ModelSettings(), shipped("bank-support"))
    request = "I sent 310 dollars to the bike shop and it has not arrived."
    facts = "310 dollars to the bike shop arrive by the next working day, or one day later if sent after 4 pm."
    plain = await bank.score(talk(request, facts))
    whole = await bank.score(
        talk(request, f"I understand, let's look at it. {facts} Shall we check together that all is safe?")
    )
    assert (whole.total or 0) >= 8 > 6 > (plain.total or 0)


async def test_odd_texts_are_judged_like_any_other() -> None:
    spec = with_traits("warm", "concise", "weird")
    for request, reply in [
        ("", "Yes."),
        ("?", "!"),
        ("a" * 9000, "word " * 3000),
        ("Hi", "'" * 50),
        ("Hi", "\x00\x1b"),
    ]:
        assert (await judged(spec, talk(request, reply))).verdict in ("passed", "failed")
    assert (await judged(spec, ())).violations[0].kind == "empty"


async def test_it_only_judges_and_compares() -> None:
    with pytest.raises(ModelError, match="only judges"):
        await rules_judge().complete(Request(purpose="author", messages=(), brief="write something"))


async def test_it_is_a_model_whose_whole_answer_is_json() -> None:
    brief = JudgeBrief(spec=small_spec(), messages=talk("Is it so?", "Plainly, no doubt."))
    completion = await rules_judge().complete(Request(purpose="judge", messages=(), brief=brief))
    assert completion.model == "rules judge" and '"brave":{"rationale":' in completion.text


async def test_specs_are_not_mixed_up() -> None:
    model = rules_judge()
    reply = talk("Is it so?", "Plainly, no doubt.")
    first = await Judge(model, loaded(small_spec())).score(reply)
    second = await Judge(model, loaded(with_traits("warm"))).score(reply)
    assert (set(first.traits), set(second.traits)) == ({"brave", "concise"}, {"warm"})
