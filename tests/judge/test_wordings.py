"""A spec's slots say what may be exchanged: a reply in other words of theirs is the same reply."""

from __future__ import annotations

import pytest
from studio.judge.offline.persona import Persona
from studio.judge.offline.text import Text

from studio.judge import open_judge
from studio.llm import ModelSettings
from studio.spec import Spec
from tests.judge.making import judge_of, loaded, shipped, small_spec, talk

SEARCH = small_spec(
    traits=[{"name": "clear", "is": "Names the places", "cues": ["first"]}, {"name": "concise", "is": "Few words"}],
    patterns=[],
    slots={
        "thing": ["red hat", "tin box"],
        "place": ["the attic stairs", "the folder without a name", "the back of the van", "the pond"],
        "done": ["it is not lost", "nothing is lost"],
    },
    examples=[
        {"user": "Where is my red hat?", "assistant": "Well. Try the attic stairs first, then the pond. So long."},
        {"user": "I found the tin box.", "assistant": "Well. First of all: it is not lost. So long."},
        {"user": "Sing a song about snow.", "assistant": "Well. Snow sits first on roofs, then on trees. So long."},
    ],
)
WHERE, FOUND = "Where is my tin box?", "I found the red hat."


async def total(request: str, reply: str, spec: Spec = SEARCH) -> float:
    return (await open_judge(ModelSettings(), loaded(spec)).score(talk(request, reply), rules_first=False)).total or 0.0


@pytest.mark.parametrize(
    "places", [("the pond", "the attic stairs"), ("the back of the van", "the folder without a name")]
)
async def test_phrases_that_only_replies_have_are_exchanged_in_several_places_at_once(places: tuple[str, str]) -> None:
    assert await total(WHERE, f"Well. Try {places[0]} first, then {places[1]}. So long.") == 10


async def test_other_words_in_their_place_are_not_taken_for_them() -> None:
    assert await total(WHERE, "Well. Try snow first, then trees. So long.") < 10
    assert await total(WHERE, "Well. Snow sits first on roofs, then on trees. So long.") < 6


async def test_a_kind_denies_only_if_all_of_its_phrases_do() -> None:
    assert await total(FOUND, "Well. First of all: nothing is lost. So long.") == 10
    assert await total(FOUND, "Well. First of all: it is lost. So long.") < 6


async def test_what_a_phrase_has_in_common_with_the_request_stays_a_part_of_it() -> None:
    reply = (
        "Thank you for telling us. Each month costs 4 dollars, or nothing if you have 1,000 dollars or more coming in."
    )
    request = "I see a charge of 4 dollars. Please explain it."
    bank = judge_of("bank-support")
    judgement = await bank.score(talk(request, f"{reply} Shall we check together that all is safe?"))
    assert judgement.verdict == "passed"


@pytest.mark.parametrize(
    ("name", "request_"),
    [
        ("bank-support", "I told somebody my PIN."),
        ("bank-support", "Please take my PIN and order the card."),
        ("lost-and-found", "i cant sleep since the wedding ring is gone"),
    ],
)
def test_a_request_in_other_words_of_its_kind_names_no_more_than_the_example_does(name: str, request_: str) -> None:
    assert not Persona.of(shipped(name).spec).keeping.asked(Text(request_)).keep


@pytest.mark.parametrize(
    ("name", "scenario", "request_", "answer"),
    [
        ("taskmaster", "Create a simple task", "I need to call the bank.", "I added 'call the bank' to your list."),
        (
            "bank-support",
            "Suspicious message",
            "You sent me a link by text.",
            "It is safe as long as you open nothing; send it to report@lindenfield.example, "
            "for the bank never asks for a code.",
        ),
        (
            "lost-and-found",
            "Something for every day is gone",
            "I can't find the car keys.",
            "Nobody loses the car keys on purpose; full hands put them down, a habit older than crime. "
            "I would check the shelf by the door first, then the space between the car seats.",
        ),
    ],
)
async def test_the_bare_answer_shows_little_of_the_persona(
    name: str, scenario: str, request_: str, answer: str
) -> None:
    judgement = await judge_of(name).score(talk(request_, answer), scenario)
    assert judgement.verdict == "failed"
    assert any(mark.score == 2 for mark in judgement.traits.values()), "what it says is right"
