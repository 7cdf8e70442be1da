"""Capability items by rule: instructions that code writes and code checks, as many as are wanted, from a seed.

Nine forms in turn: a limit of words, JSON, bullets, numbered lines, case, forbidden words, copying, sums, dates.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import date, timedelta

from studio.evaluate.suites.checks import Checks
from studio.evaluate.suites.suite import SuiteItem

TOPICS = (
    *("a railway bridge", "the taste of rhubarb", "a lighthouse in fog", "how a zip works", "an empty swimming pool"),
    *("why bread rises", "a market before dawn", "the sound of a harp", "how snow forms", "a borrowed umbrella"),
    *("a fountain pen", "the smell of rain", "how bees find flowers", "a night bus", "an old stone wall"),
    *("a chess clock", "the colour of rust", "how a lock on a canal works", "a paper kite", "a greenhouse in winter"),
)
THINGS = (
    *("river", "copper", "lantern", "saddle", "pepper", "velvet", "anchor", "walnut", "ladder", "thimble"),
    *("glacier", "mustard", "bicycle", "feather", "granite", "whistle", "compass", "blanket", "orchard", "pulley"),
)
LISTS = (
    *("things found in a toolbox", "birds that live near water", "uses for old newspapers", "kinds of weather"),
    *("things to see in a museum", "games without a ball", "parts of a bicycle", "herbs for soup", "reasons to walk"),
)
FORBIDDEN = {
    "the sea": ("water", "blue"),
    "a cat": ("cat", "fur"),
    "winter": ("cold", "snow"),
    "a fire": ("hot", "red"),
}
FIELDS = (("city", "river"), ("title", "author", "year"), ("fruit", "colour"), ("animal", "legs", "habitat"))


def generated(seed: int, count: int) -> tuple[SuiteItem, ...]:
    """The first ``count`` items of the seed: more of them begin with the same ones."""
    dice = random.Random(seed)
    return tuple(_item(place, dice) for place in range(count))


def _item(place: int, dice: random.Random) -> SuiteItem:
    name, make = FORMS[place % len(FORMS)]
    text, checks = make(dice)
    return SuiteItem(id=f"rule_{place + 1:04}_{name}", turns=(text,), group=name.replace("_", " "), check=checks)


def _words(dice: random.Random) -> tuple[str, Checks]:
    most = dice.choice((8, 12, 15, 20, 25))
    return f"Describe {dice.choice(TOPICS)} in at most {most} words.", Checks(words_at_most=most)


def _json(dice: random.Random) -> tuple[str, Checks]:
    keys = dice.choice(FIELDS)
    named = ", ".join(f'"{key}"' for key in keys)
    text = f"Make up one example and give it as a JSON object with exactly the keys {named}. Reply with the JSON only."
    return text, Checks(json_keys=keys)


def _bullets(dice: random.Random) -> tuple[str, Checks]:
    wanted = dice.randint(3, 6)
    text = f'List {wanted} {dice.choice(LISTS)}, one a line. Begin each line with "- " and write nothing else.'
    return text, Checks(bullets=wanted, lines=wanted)


def _numbered(dice: random.Random) -> tuple[str, Checks]:
    wanted = dice.randint(3, 5)
    text = f"Give {wanted} {dice.choice(LISTS)} as a numbered list (1. 2. 3. ...), without an introduction."
    return text, Checks(numbered=wanted, lines=wanted)


def _case(dice: random.Random) -> tuple[str, Checks]:
    wanted = "upper" if dice.random() < 0.5 else "lower"
    told = "capital letters" if wanted == "upper" else "lower-case letters, the first word too"
    return f"Write one sentence about {dice.choice(TOPICS)}, in {told} only.", Checks.model_validate({"case": wanted})


def _forbidden(dice: random.Random) -> tuple[str, Checks]:
    topic = dice.choice(sorted(FORBIDDEN))
    words = FORBIDDEN[topic]
    text = f"Describe {topic} in two sentences without using the words {' and '.join(words)}."
    return text, Checks(without=words, words_at_least=5)


def _copy(dice: random.Random) -> tuple[str, Checks]:
    text = " ".join(dice.sample(THINGS, dice.randint(4, 7)))
    return f"Repeat the following words exactly, in the same order, and write nothing else: {text}", Checks(equals=text)


def _sum(dice: random.Random) -> tuple[str, Checks]:
    figures = [dice.randint(2, 60) for _ in range(dice.randint(2, 3))]
    asked = " + ".join(map(str, figures))
    return f"What is {asked}? Reply with the number only.", Checks(number=sum(figures))


def _date(dice: random.Random) -> tuple[str, Checks]:
    day, days = date(2024, 1, 1) + timedelta(days=dice.randrange(720)), dice.randint(3, 25)
    text = f"Which date is {days} days after {day.isoformat()}? Reply with the date only, written as YYYY-MM-DD."
    return text, Checks(contains=((day + timedelta(days=days)).isoformat(),))


FORMS: tuple[tuple[str, Callable[[random.Random], tuple[str, Checks]]], ...] = (
    ("words", _words),
    ("json", _json),
    ("bullets", _bullets),
    ("numbered", _numbered),
    ("case", _case),
    ("forbidden", _forbidden),
    ("copy", _copy),
    ("sum", _sum),
    ("date", _date),
)
