"""A simulated user: code ends the conversation, turn 1 stays, and its own faults are told apart from the chatbot's."""

from __future__ import annotations

import pytest

from studio.chatml import Messages, assistant, user
from studio.llm import Request
from studio.queries.faults import faults_of, is_farewell
from studio.queries.simulate import UserTurn, converse, customer_prompt, turn_request
from tests.llm.function_model import FunctionModel
from tests.queries.making import query

ASKED = query(1)
ANSWER = (
    "A transfer abroad takes two to four working days and costs twelve dollars, as our page of facts tells everybody."
)


async def bot(messages: Messages) -> str:
    return ANSWER


def says(*turns: UserTurn | str) -> tuple[FunctionModel, list[Request]]:
    """A simulator that goes through these turns, the last one again and again."""
    asked: list[Request] = []

    def answer(request: Request) -> UserTurn:
        asked.append(request)
        turn = turns[min(len(asked), len(turns)) - 1]
        return turn if isinstance(turn, UserTurn) else UserTurn(thought="", state="goes on", message=turn)

    return FunctionModel("sim", answer), asked


def done(state: str) -> UserTurn:
    return UserTurn.model_validate({"thought": "", "state": state, "message": ""})


async def test_one_turn_needs_no_simulator() -> None:
    held = await converse(ASKED, bot, None, 1)
    assert (held.end, held.written, [one.content for one in held.messages]) == ("answered", 0, [ASKED.query, ANSWER])


@pytest.mark.parametrize(("state", "end"), [("settled", "settled"), ("gives up", "gave up")])
async def test_the_customer_s_word_ends_it_and_sends_nothing_more(state: str, end: str) -> None:
    model, asked = says("And on a Sunday?", done(state))
    held = await converse(ASKED, bot, model, 8)
    assert (held.end, held.written, len(held.messages), len(asked)) == (end, 1, 4, 2)
    assert held.messages[0].content == ASKED.query and held.messages[-1].role == "assistant"


async def test_a_cap_ends_what_never_ends() -> None:
    model, asked = says(*(f"But what about number {number}, then" for number in range(20)))
    held = await converse(ASKED, bot, model, 4)
    assert (held.end, held.written, len(held.messages), len(asked)) == ("cap", 3, 8, 3)


async def test_a_farewell_is_no_turn_so_that_both_do_not_take_leave_for_ever() -> None:
    model, asked = says("Thanks, bye!")
    held = await converse(ASKED, bot, model, 8)
    assert (held.end, held.written, len(held.messages), len(asked)) == ("settled", 0, 2, 1)
    assert held.faults == {"goodbye": 1}


async def test_who_speaks_as_the_chatbot_is_asked_once_more_and_then_it_ends() -> None:
    model, asked = says("How can I help you today?", "And on a Sunday?", done("settled"))
    held = await converse(ASKED, bot, model, 8)
    assert (held.end, held.faults) == ("settled", {"role flip": 1})
    assert "Your last try was not what a customer types" in asked[1].messages[-1].content
    assert asked[0].sampling.seed != asked[1].sampling.seed
    assert "How can I help" not in "".join(one.content for one in held.messages)

    model, asked = says(f"Assistant: {ANSWER}")
    held = await converse(ASKED, bot, model, 8)
    assert (held.end, held.written, held.faults, len(asked)) == ("fault", 0, {"assistant": 2}, 2)
    assert len(held.messages) == 2


async def test_milder_faults_are_counted_and_sent() -> None:
    model, _ = says("Is it the fee? Or is it the day?", "is it the fee, or is it the day", done("settled"))
    held = await converse(ASKED, bot, model, 8)
    assert held.faults == {"two questions": 1, "repeats": 1} and held.written == 2


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("I'm here to help you with that", "role flip"),
        ("**Assistant**: it costs twelve", "assistant"),
        ("two to four working days and costs twelve dollars, as our page of facts tells everybody", "assistant"),
        ("As an AI I have no account", "out of character"),
        ("what does the transfer cost", "repeats"),
        ("When? How?", "two questions"),
        ("ok thank you so much, have a great day", "goodbye"),
    ],
)
def test_each_fault_is_told_by_code(message: str, fault: str) -> None:
    assert faults_of(message, ["What does the transfer cost?"], ANSWER) == (fault,)


@pytest.mark.parametrize(
    "message", ["ok do it", "Twelve dollars is a lot.", "and what if it is urgent??", "no thanks, I want a human", "hm"]
)
def test_what_customers_type_is_no_fault(message: str) -> None:
    assert faults_of(message, [ASKED.query], ANSWER) == () and not is_farewell(message)


def test_the_whole_person_is_in_the_prompt_with_a_manner_of_their_own_and_no_role_is_flipped() -> None:
    who = ASKED.person
    prompt = customer_prompt(ASKED)
    assert who is not None
    assert all(part in prompt for part in (who.name, who.background, who.chatting_style, *who.traits, ASKED.query))
    assert prompt == customer_prompt(ASKED)
    manners = {customer_prompt(query(place)).partition("</matter-")[2].split("\n")[2] for place in range(40)}
    assert len(manners) == 6  # three kinds of patience, frank or not
    request = turn_request(ASKED, (user(ASKED.query), assistant(ANSWER)))
    assert [one.role for one in request.messages] == ["system", "user"]
    assert ASKED.query in request.messages[1].content and ANSWER in request.messages[1].content
