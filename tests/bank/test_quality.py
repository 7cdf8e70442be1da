"""Quality: each heuristic by a person that it is for, twins by words and meaning, and every reason counted."""

from __future__ import annotations

from typing import Any

import pytest

from studio.bank.person import Person
from studio.bank.quality import Filter, Intake, essence, opening
from studio.embed import MiniLM
from tests.bank.making import WordVectors, person


@pytest.mark.parametrize(
    ("changes", "reason", "detail"),
    [
        ({"age": 12}, "limits", "age 12"),
        ({"background": "Keeps bees. " * 30}, "limits", "background"),
        ({"traits": ("calm",)}, "limits", "1 traits"),
        ({"background": "I'm sorry, but I cannot help with that request at all."}, "refusal", "I'm sorry"),
        ({"background": "As an AI language model she keeps bees near the harbour."}, "refusal", "As an AI"),
        ({"background": "[Name] keeps bees near the harbour and sleeps badly."}, "template", "[Name]"),
        ({"background": "She is a {profession} who keeps bees and sleeps badly."}, "template", "{profession}"),
        ({"background": "**Keeps bees** near the harbour and sleeps badly."}, "template", "**"),
        ({"name": "John Doe"}, "template", "John Doe"),
        (
            {
                "background": "Er arbeitet seit zwanzig Jahren in einer kleinen Bäckerei und steht jeden Tag früh auf.",
                "chatting_style": "schreibt kurz und ohne Anrede, aber immer freundlich",
                "traits": ("ruhig", "fleißig", "stur"),
            },
            "language",
            "de",
        ),
    ],
)
def test_what_speaks_against_somebody_is_told(changes: dict[str, Any], reason: str, detail: str) -> None:
    found = Filter("en").problem(person(1, **changes))
    assert found is not None and found.reason == reason and detail.lower() in found.detail.lower()
    assert found.text == essence(person(1, **changes))


def test_a_good_person_passes_and_an_incomplete_one_where_that_is_allowed() -> None:
    assert Filter("en").problem(person(1)) is None
    short = Person(id="hub-1", source="bank", background="A retired bus driver who restores clocks in his garage.")
    assert Filter("en", whole=False).problem(short) is None
    found = Filter("en").problem(short)
    assert found is not None and found.reason == "limits"
    nobody = Filter(whole=False).problem(Person(id="x", source="bank", background="A teacher."))
    assert nobody is not None and (nobody.reason, nobody.detail) == ("length", "2 words")


def test_a_name_may_come_three_times_in_a_small_bank_and_a_first_name_fifteen_times() -> None:
    strict = Filter()
    for number in range(3):
        one = person(number, name="Elena Petrova")
        assert strict.problem(one) is None
        strict.add(one)
    found = strict.problem(person(9, name="elena  PETROVA"))
    assert found is not None and found.reason == "name"
    for number in range(3, 15):
        strict.add(person(number, name=f"Elena Other{number}"))
    found = strict.problem(person(20, name="Elena Another"))
    assert found is not None and (found.reason, found.detail) == ("name", "elena")


def test_stereotyped_openings_are_those_that_too_many_share() -> None:
    found, taken = None, 0
    strict = Filter()
    for number in range(12):
        one = person(number, background=f"A passionate young baker number {number} keeps bees near harbour {number}.")
        found = strict.problem(one)
        if found is None:
            strict.add(one)
            taken += 1
    assert taken == 8
    assert found is not None and (found.reason, found.detail) == ("opening", "a passionate young")


def test_an_opening_is_the_same_whatever_the_name_and_the_number() -> None:
    one = person(1, name="Ada Obi", background="Ada turned 40 and keeps bees.")
    other = person(2, name="Leo Sy", background="Leo turned 52 and paints.")
    assert opening(one) == opening(other) == "_ turned #"


def test_twins_go_with_their_reason_and_their_twin_also_under_another_name() -> None:
    intake = Intake(MiniLM())
    first = person(1, background="Works nights in a Leeds hospital and studies for a nursing diploma.")
    assert intake.take(first) is None
    other = {"name": "Somebody Else", "age": 60, "profession": "lawyer", "place": "Lima"}
    renamed = first.model_copy(update={"id": "p2", **other})
    found = intake.take(renamed)
    assert found is not None and (found.reason, found.twin, found.similarity) == ("words", "p1", 1.0)
    rewritten = first.model_copy(
        update={
            "id": "p3",
            "background": "Has night shifts at a hospital in Leeds while studying for a diploma in nursing.",
        }
    )
    found = intake.take(rewritten)
    assert found is not None and (found.reason, found.twin) == ("meaning", "p1")
    assert intake.take(person(5)) is None
    assert intake.reasons == {"words": 1, "meaning": 1}


def test_people_who_are_there_already_are_twins_too() -> None:
    intake = Intake(WordVectors(), there=[person(1), person(2)])
    found = intake.take(person(2, id="again", name="New Name"))
    assert found is not None and found.twin == "p2"


def test_somebody_too_like_a_reference_goes_though_no_twin_is_in_the_bank() -> None:
    reference = person(7)
    near = person(7, id="near", chatting_style="answers with film titles only")
    intake = Intake(WordVectors())
    found = intake.take(near, [person(3), reference])
    assert found is not None and (found.reason, found.twin) == ("reference", "p7")
    assert found.similarity is not None and 0.8 <= found.similarity < 0.95
    assert Intake(WordVectors()).take(near) is None


def test_many_are_sifted_as_one_by_one() -> None:
    people = [person(number) for number in range(60)]
    people += [person(number, id=f"again{number}", name=f"Other{number} Name") for number in range(0, 60, 7)]
    people += [person(100, age=3), person(101, background="As an AI I keep bees near the harbour.")]
    single = Intake(WordVectors(), language="en")
    one_by_one = [single.take(one) for one in people]
    many = Intake(WordVectors(), language="en")
    assert list(many.sift(people)) == one_by_one
    assert many.reasons == single.reasons
    assert single.reasons == {"words": 9, "limits": 1, "refusal": 1}
