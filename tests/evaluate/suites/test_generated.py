"""Items by rule: the same from a seed, more of them where more are wanted, and each can be answered."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta

from studio.evaluate.suites.checks import failed
from studio.evaluate.suites.generated import FORMS, generated
from studio.evaluate.suites.suite import SuiteItem


def solved(item: SuiteItem) -> str:
    """A right answer, from the words of the instruction alone."""
    text = item.turns[0]
    match item.group:
        case "words":
            return "A few plain words."
        case "json":
            return json.dumps(dict.fromkeys(re.findall(r'"(\w+)"', text), "x"))
        case "bullets":
            return "\n".join(["- one"] * int(re.findall(r"List (\d+)", text)[0]))
        case "numbered":
            return "\n".join(f"{n}. one" for n in range(1, 1 + int(re.findall(r"Give (\d+)", text)[0])))
        case "case":
            return "WORDS." if "capital" in text else "words."
        case "forbidden":
            return "It lies there in the evening. Nobody minds."
        case "copy":
            return text.split("nothing else: ")[1]
        case "sum":
            return str(sum(map(int, re.findall(r"\d+", text))))
        case "date":
            days, day = re.findall(r"is (\d+) days after ([\d-]+)\?", text)[0]
            return (date.fromisoformat(day) + timedelta(days=int(days))).isoformat()
    raise AssertionError(item.group)


def test_each_item_is_passed_by_a_right_answer_and_failed_by_a_wrong_one() -> None:
    items = generated(7, 45 * len(FORMS))
    assert {item.group for item in items} == {name for name, _ in FORMS}
    for item in items:
        assert failed(item.check, solved(item)) == (), item
        assert failed(
            item.check, "Great choice! The Cold sea is hot, red and blue, with water, fur, snow and a cat. " * 3
        )


def test_a_seed_gives_the_same_items_and_more_of_them_begin_alike() -> None:
    assert generated(3, 40)[:20] == generated(3, 20)
    assert generated(3, 20) != generated(4, 20)
    assert len({item.id for item in generated(3, 200)}) == 200
