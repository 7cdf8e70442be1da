"""A person: limits, texts, ids, and what earlier versions and other banks say of them."""

from __future__ import annotations

from typing import Any

import pytest

from studio.bank.person import BACKGROUND, STYLE, Person, content_id, faults, person_id, person_text, sentences, to_spb

ADA = Person(
    id="x",
    source="bank",
    name="Ada Quist",
    username="ada_q",
    age=41,
    traits=("patient", "dry", "exact"),
    background="Guides kayaks in summer. Repairs them in winter.",
    chatting_style="short lines, no greeting",
    profession="kayak guide",
    place="Tromsø, Norway",
    language="no",
)


def changed(**changes: Any) -> Person:
    return ADA.model_copy(update=changes)


def test_a_whole_person_has_no_fault() -> None:
    assert faults(ADA) == ()
    assert faults(changed(background="b" * BACKGROUND, chatting_style="c" * STYLE, username=None, place="")) == ()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": " "}, "no name"),
        ({"age": None}, "no age"),
        ({"age": 18}, "age 18, expected 19 to 75"),
        ({"age": 76}, "age 76, expected 19 to 75"),
        ({"traits": ("dry", "kind")}, "2 traits, expected 3 to 5"),
        ({"traits": ("a", "b", "c", "d", "e", "f")}, "6 traits, expected 3 to 5"),
        ({"traits": ("dry", "Dry ", "kind")}, "a trait that is empty or there twice"),
        ({"traits": ("dry", "", "kind")}, "a trait that is empty or there twice"),
        ({"background": ""}, "no background"),
        ({"background": "b" * 301}, "background of 301 characters, expected at most 300"),
        ({"background": "One. Two! Three?"}, "background of 3 sentences, expected one or two"),
        ({"chatting_style": ""}, "no chatting style"),
        ({"chatting_style": "c" * 121}, "chatting style of 121 characters, expected at most 120"),
    ],
)
def test_each_limit_is_told(changes: dict[str, Any], said: str) -> None:
    assert faults(changed(**changes)) == (said,)


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        ("no full stop", 1),
        ("One. Two.", 2),
        ("Saw Dr. Hahn at 7.30 a.m. and went on.", 1),
        ('She said "no." Then she left', 2),
        ("Left on the 3rd... and never came back!", 1),
        ("一つ目。二つ目。", 2),
    ],
)
def test_sentences_are_counted(text: str, count: int) -> None:
    assert sentences(text) == count


def test_the_text_of_a_person_says_all_that_is_known() -> None:
    assert person_text(ADA) == (
        "Ada Quist, 41 years old, kayak guide. Lives in Tromsø, Norway. First language: no. Background: Guides kayaks"
        " in summer. Repairs them in winter. Is: patient, dry, exact. Writes like this: short lines, no greeting."
    )
    asks = Person(id="x", source="profiles", role="Traveler", topic="Cards", query="Where is my card?")
    assert person_text(asks) == "Traveler. Here about: Cards. Asks such things as: Where is my card?"


def test_somebody_of_whom_nothing_is_known_is_somebody() -> None:
    assert person_text(Person(id="x", source="bank")) == "Somebody."


def test_what_an_earlier_version_kept_is_read_with_its_id() -> None:
    kept = (
        '{"id": "bank-0a1b2c3d4e5f", "source": "bank", "name": "Ida", "age": null, "role": "bus driver", "background":'
        ' "lives on a boat", "tone": "terse", "chatting_style": "", "topic": "", "query": ""}'
    )
    ida = Person.model_validate_json(kept)
    assert (ida.id, ida.role, ida.chatting_style) == ("bank-0a1b2c3d4e5f", "bus driver", "terse")
    assert person_text(ida) == "Ida, bus driver. Background: lives on a boat. Writes like this: terse."
    both = {"id": "x", "source": "bank", "tone": "terse", "chatting_style": "no capitals"}
    assert Person.model_validate(both).chatting_style == "terse; no capitals"


def test_a_half_of_a_surrogate_pair_is_made_whole() -> None:
    assert Person(id="x", source="bank", background="a\ud800b").background == "a\ufffdb"


def test_ids_are_the_same_for_the_same_words_and_no_other_ones() -> None:
    assert person_id("bank", "ab", "c") == person_id("bank", "ab", "c") != person_id("bank", "a", "bc")
    assert content_id(ADA) == content_id(changed(id="y", model="m", origin="f", seed=4))
    assert content_id(ADA) != content_id(changed(place="Oslo, Norway"))
    assert person_id("bank", "ab", "c") == "bank-6c032e631d39"


def test_a_person_is_written_as_the_synthetic_persona_bank_writes_it() -> None:
    written = {
        "name": "Ada Quist",
        "username": "ada_q",
        "age": 41,
        "traits": ["patient", "dry", "exact"],
        "background": "Guides kayaks in summer. Repairs them in winter.",
        "chatting_style": "short lines, no greeting",
    }
    assert to_spb(ADA) == written
    assert list(to_spb(ADA)) == list(written)
    assert to_spb(changed(model="big", username=None)) == written | {"username": None, "model": "big"}
