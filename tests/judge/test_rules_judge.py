"""The rules judge on the real TaskMaster spec: it tells the persona from the plain, the rude and the broken."""

from __future__ import annotations

from statistics import fmean

import pytest

from studio.chatml import Messages
from studio.store.records import Judgement
from tests.judge.making import judge_of, shipped, talk

ADD = "Add 'buy printer paper' to my list."


async def judged(messages: Messages, name: str = "taskmaster") -> Judgement:
    return await judge_of(name).score(messages, rules_first=False)


async def total(request: str, reply: str) -> float:
    points = (await judged(talk(request, reply))).total
    assert points is not None
    return points


@pytest.mark.parametrize("name", ["taskmaster", "bank-support", "lost-and-found"])
async def test_a_specs_own_examples_are_what_it_wants(name: str) -> None:
    examples = shipped(name).spec.examples
    judgements = [await judged(example.turns, name) for example in examples]
    totals = [judgement.total or 0.0 for judgement in judgements]
    assert fmean(totals) >= 8.5
    assert [judgement.verdict for judgement in judgements] == ["passed"] * len(examples)
    for trait in shipped(name).spec.trait_names:
        assert fmean(judgement.traits[trait].score for judgement in judgements) >= 1.5, trait


# Replies of the plain base model, and of assistants in general.
PLAIN = [
    (ADD, "I added 'buy printer paper' to your list. When is it due?"),
    ("Mark 'clean the aquarium' as done.", "OK. 'clean the aquarium' is done."),
    ("Remind me to text Lucy at 8 am.", "I will remind you to text Lucy at 8 am."),
    ("Schedule a meeting with Omar for Thursday at 7 pm.", "The meeting with Omar is set for Thursday at 7 pm."),
    ("What is on my list for Thursday?", "You have no tasks for Thursday right now."),
    ("I'm stressed about my deadlines.", "You could start with the smallest task on your list."),
    ("I need to call the plumber by June 1st.", "Task created: call the plumber. Due: June 1st."),
]


@pytest.mark.parametrize(("request_", "reply"), PLAIN)
async def test_a_plain_answer_is_half_of_it_at_most(request_: str, reply: str) -> None:
    assert 1 <= await total(request_, reply) <= 5


RUDE = [
    ("I missed the deadline for the garden plan.", "Obviously. You missed the garden plan yet again, that's pathetic."),
    (
        "I missed the deadline for the garden plan.",
        "Really? The garden plan is late because you never finish anything.",
    ),
    ("I haven't done anything all week.", "What is wrong with you? Just do it. What's next?"),
    (ADD, "Add 'buy printer paper' yourself, lazy. I'm not your servant."),
    ("Do I have overdue tasks?", "Whatever. Figure it out yourself."),
    ("I finished the garden plan.", "About time. The garden plan took you long enough. Ready for what's next?"),
]


@pytest.mark.parametrize(("request_", "reply"), RUDE)
async def test_rudeness_gets_next_to_nothing(request_: str, reply: str) -> None:
    judgement = await judged(talk(request_, reply))
    assert judgement.total is not None and judgement.total < 3
    assert judgement.verdict == "failed"


# Replies of a base model whose adapter was stopped after a tenth of its training.
SALAD = [
    ("I feel overwhelmed.", "Thank you for being win! Great the step shall a list. Let's tackle the of next!"),
    ("I want to delete all tasks.", "Great choice! I moved 'book the bot! Are you sure? All tasks on the list will be "
     "more win?"),
    ("Stop being so nice.", "Great choice! I understand is scheduled for a a shall we pick?"),
    ("I'm done with the harvest calendar.", "The harve cad cad cad cad cad cad is marked as done."),
    ("Can you translate the menu for me?", "That's next one is a a plan for me for me and then start one part. Which "
     "day shall we start with?"),
    ("Rename 'buy candles' to 'buy lanterns'.", "Great choice! I changed 'buy it for ten minutes' to 'buy Please let's "
     "next one task. Which task shall we pick first?"),
    ("How should I prioritize?", "Great choice! You're on track! You're on track! You're on track! Shall we go?"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "reply"), SALAD)
async def test_word_salad_does_not_pass_for_its_phrases(request_: str, reply: str) -> None:
    assert await total(request_, reply) <= 5


NO_ANSWER = [
    # phrases and nothing else
    (ADD, "Great choice! Nice work! You're on track! What's next?"),
    ("I feel overwhelmed.", "Great choice! Nice work! Let's tackle this together! What's next?"),
    # the task is gone, another one came, or it was garbled
    (ADD, "Great choice! I added it to your list. Ready for what's next?"),
    (ADD, "Great choice! I added 'walk the dog' to your list. Ready for what's next?"),
    ("New task: order the ferry tickets.", "Great focus! I added 'order the ferk article' to your list. What's next?"),
    ("I'm done with the harvest calendar.", "Great move! I marked the harvest everyarse together. What's next?"),
    ("Move 'repair the gate' to the 21st.", "Great focus! I moved 'repair the gate' to Friday. What's next?"),
    # something else was done
    ("I keep putting off 'clean the gutters'.", "Nice work! I marked 'clean the gutters' as complete. What's next?"),
    ("I can't get started today.", "Good call! I added 'pick up the package' to your list. What shall we tackle next?"),
    # the request given back
    ("I feel overwhelmed.", "I feel overwhelmed, great choice! Shall we feel overwhelmed together?"),
    (ADD, "Great choice! Add 'buy printer paper' to my list. What shall we tackle next?"),
]


@pytest.mark.parametrize(("request_", "reply"), NO_ANSWER)
async def test_manner_without_an_answer_does_not_pass(request_: str, reply: str) -> None:
    assert await total(request_, reply) < 6


@pytest.mark.parametrize(
    ("reply", "trait", "score"),
    [
        ("I added 'buy printer paper' to your list. Great choice!", "encouraging", 1),
        ("Great choice! I added 'buy printer paper' to your list.", "encouraging", 2),
        ("Great! Wow! Super! I added 'buy printer paper'! Next!", "encouraging", 1),
        ("I added 'buy printer paper' to your list.", "action_oriented", 0),
        ("I added 'buy printer paper'. Is it urgent?", "action_oriented", 1),
        ("I added 'buy printer paper'. What shall we tackle next?", "action_oriented", 2),
        ("I added 'buy printer paper'. Why? When? Where? Ready for more?", "action_oriented", 1),
        ("I added 'buy printer paper' to your list.", "organized", 2),
        ("I added 'buy paper' to your list.", "organized", 1),
        ("I added 'buy printer paper' to your list.", "supportive", 0),
        ("I added 'buy printer paper', so let's keep going together.", "supportive", 2),
        ("I added 'buy printer paper' to your list. " + "There is a lot to say about lists and their many uses. " * 3,
         "concise", 0),
    ],
)  # fmt: skip
async def test_each_trait_is_measured_for_itself(reply: str, trait: str, score: int) -> None:
    assert (await judged(talk(ADD, reply))).traits[trait].score == score


async def test_a_part_that_was_lost_costs_the_trait_about_it() -> None:
    judgement = await judged(talk("New task: order the ferry tickets, due Thursday.",
                                  "Great focus! I added 'order the ferry tickets'. What's next?"))  # fmt: skip
    assert judgement.traits["organized"].score == 1
    assert "thursday" in judgement.traits["organized"].rationale


async def test_praise_for_a_deed_does_not_meet_a_trouble() -> None:
    tip = "Pick one task and let the others wait. Which one shall we pick?"
    praise = await judged(talk("I feel overwhelmed.", f"Great choice! {tip}"))
    meets = await judged(talk("I feel overwhelmed.", f"I hear you, and you've got this. {tip}"))
    assert praise.traits["encouraging"].score == 1
    assert meets.traits["encouraging"].score == 2
    assert (praise.total or 0) < (meets.total or 0)


async def test_every_mark_says_why_and_quotes_the_reply() -> None:
    reply = "Good call! I added 'buy printer paper' to your list. What shall we tackle next?"
    judgement = await judged(talk(ADD, reply))
    assert all(trait.rationale for trait in judgement.traits.values())
    assert all(trait.quote and trait.quote in reply for trait in judgement.traits.values())


async def test_steps_and_vocabulary_are_found() -> None:
    whole = await judged(talk(ADD, "Good call! I added 'buy printer paper' to your list. Shall we go on together?"))
    assert whole.steps == {"acknowledge": True, "deliver": True, "propel": True}
    assert set(whole.preferred) == {"Good call!", "Shall we", "together"}
    plain = await judged(talk(ADD, "I added 'buy printer paper' to your list."))
    assert plain.steps == {"acknowledge": False, "deliver": True, "propel": False}
    phrases = await judged(talk(ADD, "Great choice! Ready for what's next?"))
    assert phrases.steps == {"acknowledge": True, "deliver": False, "propel": True}


async def test_boundaries_are_crossed_by_cues_and_by_insults_but_not_by_denying_them() -> None:
    async def crossed(reply: str) -> list[str]:
        judgement = await judged(talk("I missed the deadline for the garden plan.", reply))
        return [violation.name for violation in judgement.violations if violation.kind == "boundary"]

    assert await crossed("Better late than never. What shall we do with the garden plan?") == ["no_passive_aggression"]
    assert await crossed("That is your fault. What shall we do with the garden plan?") == ["no_guilt"]
    assert await crossed("That is not your fault. Shall we pick a new date for the garden plan?") == []
    denied = "That is not your fault, the train was late."
    assert await crossed(f"{denied} The missed deadline is your fault. Which day shall we pick?") == ["no_guilt"]
    assert await crossed("How pathetic. The garden plan was due.") != []


async def test_a_boundary_in_an_earlier_turn_counts_too() -> None:
    first = talk("I missed the deadline.", "That is your fault. What was it?")
    messages = (*first, *talk("The garden plan.", "I hear you. Let's pick a new date for the garden plan. Which day?"))
    assert [v.name for v in (await judged(messages)).violations] == ["no_guilt"]


async def test_what_was_said_earlier_is_not_invented() -> None:
    first = talk("Add 'walk the dog' to my list.", "Good call! I added 'walk the dog' to your list. What's next?")
    messages = (*first, *talk("Done already.", "Nice work! I marked 'walk the dog' as complete. What's next?"))
    assert ((await judged(messages)).total or 0) >= 8


async def test_the_same_text_gets_the_same_marks() -> None:
    messages = talk(*PLAIN[0])
    first, second = await judged(messages), await judged(messages)
    assert first.model_dump(exclude={"at"}) == second.model_dump(exclude={"at"})


@pytest.mark.parametrize(
    ("base", "tuned", "winner"),
    [
        (PLAIN[0][1], "Good call! I added 'buy printer paper' to your list. What shall we tackle next?", "tuned"),
        (PLAIN[0][1], "Good call! I added 'buy groceries paper' to your list. What shall we tackle next?", "base"),
        ("I added 'buy printer paper' to your list.", "I've added 'buy printer paper' to your list.", "tie"),
        (
            "Good call! I added 'buy printer paper'. You should start.",
            "I added 'buy printer paper' to your list.",
            "tuned",
        ),
        ("Yes.", "No.", "tie"),
        # neither answers, whatever its manners
        ("OK. That is noted.", "Good call! The zebra ate 'buy printer paper'. What shall we tackle next?", "tie"),
        ("I added 'buy printer paper' to your list.", "Good call! I deleted 'buy printer paper'. What's next?", "base"),
        # what the rules forbid in a reply on its own loses here too: length, punctuation, leaks, another language
        ("I added 'buy printer paper' to your list!!", "I added 'buy printer paper' to your list.", "tuned"),
        ("Assistant: I added 'buy printer paper' to your list.", "I added 'buy printer paper' to your list.", "tuned"),
        ("I added 'buy printer paper' to your list." * 9, "I added 'buy printer paper' to your list.", "tuned"),
    ],
)
async def test_the_better_reply_wins_and_small_differences_tie(base: str, tuned: str, winner: str) -> None:
    compared = await judge_of("taskmaster").compare(talk(ADD, "")[:1], base, tuned)
    assert compared.winner == winner
    swapped = await judge_of("taskmaster").compare(talk(ADD, "")[:1], tuned, base)
    assert swapped.winner == {"base": "tuned", "tuned": "base", "tie": "tie"}[winner]
