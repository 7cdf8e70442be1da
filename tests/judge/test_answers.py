"""A reply held against the spec's own answers: what it does with the request, not only which words it keeps."""

from __future__ import annotations

import re
from random import Random
from statistics import fmean

import pytest
from studio.judge.offline.text import sentences_of

from studio.chatml import Messages, assistant, user
from studio.spec import probe_text
from studio.store.records import Judgement
from tests.judge.making import judge_of, shipped, talk

ADD = "Add 'buy printer paper' to my list."
NAMES = ["taskmaster", "bank-support", "lost-and-found"]


async def judged(request: str, reply: str, name: str = "taskmaster") -> Judgement:
    return await judge_of(name).score(talk(request, reply), rules_first=False)


def example_talks(name: str) -> list[tuple[str, Messages]]:
    return [(example.scenario or "", example.turns) for example in shipped(name).spec.examples]


async def test_a_reply_that_eats_what_it_should_keep_passes_no_probe() -> None:
    spec = shipped("taskmaster").spec
    items = [item for rows in spec.scenarios.values() if rows.holdout for item in rows.items]
    totals = []
    for request, keep in map(probe_text, items):
        eaten = f"'{' and '.join(keep)}'" if keep else "seven wooden lamps"
        reply = f"I hear you, good call! The zebra ate {eaten} from your list. Shall we start together?"
        totals.append((await judged(request, reply)).total or 0.0)
    assert max(totals) < spec.success.accept_score


WRONG = [
    (ADD, "I deleted 'buy printer paper' from your list."),
    (ADD, "I deleted 'buy printer paper'."),
    (ADD, "I removed 'buy printer paper' from your list."),
    (ADD, "I marked 'buy printer paper' as complete."),
    (ADD, "I ate 'buy printer paper' with a purple spoon."),
    (ADD, "I sold 'buy printer paper' to your neighbour."),
    (ADD, "I will never add 'buy printer paper' to your list."),
    (ADD, "I have not added 'buy printer paper' to your list."),
    (ADD, "I kept 'buy printer paper' for good."),
    (ADD, "Your list to added I 'buy printer paper'."),
    ("Remove 'buy milk' from my list.", "I added 'buy milk' to your list."),
    ("Rename 'send the memo' to 'send the contract'.", "I changed 'send the contract' to 'send the memo'."),
    ("Remind me to text Lucy at 8 am.", "I will text at 8 am Lucy."),
    ("I finished the museum brochure.", "I threw the museum brochure into the river."),
    ("I finished the museum brochure.", "I will remind you to the museum brochure at 8 am."),
    ("I keep putting off 'clean the garage'.", "I marked 'clean the garage' as complete."),
    ("What is on my list for Thursday?", "Thursday is made of blue cheese."),
    ("I feel overwhelmed.", "Bicycles sleep under wooden tax forms."),
    ("I'm exhausted.", "Bicycles sleep under wooden tax forms."),
]


@pytest.mark.parametrize(("request_", "deed"), WRONG)
async def test_doing_something_else_with_the_words_of_the_request_does_not_pass(request_: str, deed: str) -> None:
    judgement = await judged(request_, f"I hear you, good call! {deed} Shall we start together?")
    assert (judgement.total or 0) < 6


@pytest.mark.parametrize("name", NAMES)
async def test_a_specs_answers_with_their_words_shuffled_hardly_ever_pass(name: str) -> None:
    random = Random(3)
    verdicts = []
    for scenario, messages in example_talks(name):
        sentences = [sentence.text for sentence in sentences_of(messages[-1].content)]
        at = max(range(len(sentences)), key=lambda place: len(sentences[place]))
        tokens = re.findall(r"'[^']*'|\S+", sentences[at].rstrip(".!?"))
        random.shuffle(tokens)
        if (shuffled := " ".join(tokens)) == sentences[at].rstrip(".!?"):
            continue
        reply = " ".join([*sentences[:at], shuffled + ".", *sentences[at + 1 :]])
        verdicts.append((await judge_of(name).score((*messages[:-1], assistant(reply)), scenario)).verdict)
    assert len(verdicts) > 40
    assert verdicts.count("passed") <= 0.06 * len(verdicts)


@pytest.mark.parametrize("name", NAMES)
async def test_the_answer_to_another_request_hardly_ever_passes(name: str) -> None:
    random = Random(5)
    talks = [(scenario, messages) for scenario, messages in example_talks(name) if len(messages) == 2]
    totals = []
    for scenario, messages in talks:
        other = random.choice([theirs for another, theirs in talks if another != scenario])
        judgement = await judge_of(name).score((*messages[:-1], other[-1]), scenario, rules_first=False)
        totals.append(judgement.total or 0.0)
    assert sum(total >= 6 for total in totals) <= 0.05 * len(totals)
    assert fmean(totals) < 5


# Words near the spec's own, and English that reads well where no example shows what to say.
OTHER_WORDS = [
    (ADD, "Good call! 'Buy printer paper' is on your list now. What's the next thing on your mind?"),
    ("I need to call the plumber by June 1st.", "Good thinking! I've put 'call the plumber' on your list for June 1st. "
     "Shall we set a reminder a few days before?"),
    ("Move 'clean the garage' to Friday.", "Great choice! I moved 'clean the garage', and the project it belongs to is "
     "due Friday too. What shall we tackle next?"),
    ("I'm exhausted.", "I hear you, and you've got this. The best thing for you is one small task. Which one shall we "
     "start with?"),
    ("I'm stressed about my deadlines.", "That sounds heavy, and I'm glad you told me. Let's list your deadlines "
     "together and pick the one that matters most today. Which one is closest?"),
    ("How should I prioritize?", "Good thinking to ask before diving in! Start with whatever is due soonest. Shall we "
     "sort your top three together?"),
    ("Stop being so nice.", "Fair enough, I appreciate the honesty. I'll keep it short. Which task is next?"),
]  # fmt: skip


@pytest.mark.parametrize(("request_", "reply"), OTHER_WORDS)
async def test_the_persona_in_other_words_passes_but_not_with_full_marks(request_: str, reply: str) -> None:
    judgement = await judged(request_, reply)
    assert 7 <= (judgement.total or 0) < 10
    assert judgement.traits["organized"].score == 1


async def test_a_word_or_two_may_differ() -> None:
    reply = "Great choice! I've added 'buy printer paper' to your list. Shall we keep this going?"
    assert (await judged(ADD, reply)).total == 10


async def test_what_is_said_in_words_that_the_spec_never_uses_is_not_vouched_for() -> None:
    reply = "I love the curiosity! Volcanoes are a bit outside my lane, but your task list isn't. Which task is next?"
    judgement = await judged("Tell me about volcanoes.", reply)
    assert (judgement.total or 0) < 6
    assert "own answers" in judgement.traits["organized"].rationale


PRAISE = "Nice work! {} What shall we tackle next?"


@pytest.mark.parametrize(
    ("request_", "answer", "fits"),
    [
        ("I finished the museum brochure.", "I marked the museum brochure as complete.", True),
        ("What is overdue?", "You have no overdue tasks.", False),
        ("I feel overwhelmed.", "Pick one task and work on it for ten minutes.", False),
        ("How do I stay focused all day?", "You can turn off notifications and work on one task at a time.", False),
    ],
)
async def test_praise_for_a_deed_costs_a_point_where_the_examples_never_praise(
    request_: str, answer: str, fits: bool
) -> None:
    assert ((await judged(request_, PRAISE.format(answer))).traits["encouraging"].score == 2) == fits


async def test_an_opening_that_fits_any_request_fits_all() -> None:
    """Harrow begins with the weather, whatever he is asked."""
    for _, messages in example_talks("lost-and-found")[:20]:
        reply = messages[-1].content.split(". ", 1)[1]
        turned = (*messages[:-1], assistant(f"The rain had not let up since noon. {reply}"))
        traits = (await judge_of("lost-and-found").score(turned, rules_first=False)).traits
        assert traits["atmospheric"].score == 2


async def test_what_was_said_before_may_be_taken_up() -> None:
    said = talk("Add 'oil the hinge' to my list.", "Good call! I added 'oil the hinge' to your list. What's next?")
    asked = user("What is on my list?")
    reply = assistant("You're on track! You have one task: oil the hinge. Shall we start with it?")
    assert (await judge_of("taskmaster").score((*said, asked, reply))).total == 10
