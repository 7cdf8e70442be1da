"""What of a request has to be kept, learnt from the spec's own examples."""

from __future__ import annotations

import pytest
from studio.judge.offline.persona import Persona
from studio.judge.offline.text import Text, words_of

from tests.judge.making import shipped, small_spec

TASKMASTER = Persona.of(shipped("taskmaster").spec)


def kept(request: str, persona: Persona = TASKMASTER) -> set[str]:
    return set(persona.keeping.asked(Text(request)).keep)


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        ("Add 'buy printer paper' to my list.", {"buy", "printer", "paper"}),
        ("Remind me to text Lucy at 8 am.", {"text", "lucy", "8"}),
        ("I need to call the plumber by June 1st.", {"call", "plumber", "june", "1st"}),
        ("I finished the museum brochure.", {"museum", "brochure"}),
        ("So, I finished the museum brochure, please.", {"museum", "brochure"}),
        ("Tell me about volcanoes.", {"volcanoes"}),
        ("What is on my list for Thursday?", {"thursday"}),
        ("Should I 'clean the gutters' or 'order stamps' first?", {"clean", "gutters", "order", "stamps"}),
    ],
)
def test_what_fills_a_known_sentence_is_kept(request_: str, words: set[str]) -> None:
    assert kept(request_) == words


@pytest.mark.parametrize(
    "request_",
    ["I feel overwhelmed.", "I want to delete all tasks.", "You are useless.", "How should I prioritize?", "Hi there!"],
)
def test_where_nothing_is_named_nothing_has_to_be_kept(request_: str) -> None:
    assert kept(request_) == set()


def test_without_slots_quotes_numbers_and_names_are_kept() -> None:
    bare = Persona.of(small_spec())
    assert kept('Put "green tea" down for Lucy at 9:15, 2 boxes.', bare) == {"green", "tea", "lucy", "9:15", "2"}
    assert kept("Where is it, Tester?", bare) == set()


def test_in_german_a_capital_is_no_name() -> None:
    german = Persona.of(small_spec(language="de"))
    assert kept("Bitte die Wäsche um 9:15 eintragen.", german) == {"9:15"}


@pytest.mark.parametrize(
    ("reply", "said", "invented"),
    [
        ("I added 'walk the dog' to your list.", "Add 'buy milk' to my list.", "walk the dog"),
        ("I added 'buy milk' to your list.", "Add 'buy milk' to my list.", ""),
        ("I added 'buy almond milk' to your list.", "Add 'buy milk' to my list.", "buy almond milk"),
        ("I moved 'buy milk' to Friday.", "Move 'buy milk' to Thursday.", "friday"),
        ("I added 'dance a tango' to your list.", "I lost the morning.", "dance a tango"),
    ],
)
def test_what_nobody_gave_is_found(reply: str, said: str, invented: str) -> None:
    assert TASKMASTER.keeping.invented(Text(reply), words_of(said), ()) == invented


@pytest.mark.parametrize(
    ("request_", "holes"),
    [
        ("Plan my day: oil the hinge, fold the towels, ring Lucy.", ["oil the hinge", "fold the towels", "ring lucy"]),
        ("I have to oil the hinge, fold the towels and ring Lucy. Make a plan.",
         ["oil the hinge", "fold the towels", "ring lucy"]),
        ("I want to oil the hinge every morning.", ["oil the hinge", "every morning"]),
        ("Create a task in the garden project: oil the hinge.", ["the garden project", "oil the hinge"]),
        ("Quick one: rename 'oil the hinge' to 'fold the towels'.", ["oil the hinge", "fold the towels"]),
        ("Hi there!", []),
    ],
)  # fmt: skip
def test_what_a_request_names_is_told_apart_in_its_order(request_: str, holes: list[str]) -> None:
    assert [" ".join(hole) for hole in TASKMASTER.keeping.asked(Text(request_)).holes] == holes
