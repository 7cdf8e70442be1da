"""Pairs of people at chosen similarities, and servers whose outputs follow the person, or not."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Sequence
from typing import Any

from studio.bank.person import Person
from tests.bank.making import SYLLABLES

WORDS = 60
"""Words that are a person's own; some ten more are in everybody's text."""
SHARED = {0.4: 21, 0.6: 35, 0.8: 49, 0.9: 56}
"""How many of them two people share, for about such a cosine of hashed words."""
FIXED = "I cancel Tuesday at half past nine. Please give me a date in the week after."


def made_up(rng: random.Random, count: int) -> list[str]:
    return ["".join(rng.choices(SYLLABLES, k=4)) for _ in range(count)]


def somebody(name: str, words: Sequence[str]) -> Person:
    return Person(id=name, source="bank", name=words[0].title(), age=40, background=" ".join(words[1:]), place="Oslo")


def bank(pairs: int, bins: Sequence[float] = (0.4, 0.6, 0.8)) -> list[Person]:
    """So many pairs near each similarity; all others are far apart."""
    found = []
    for centre in bins:
        for number in range(pairs):
            rng = random.Random(f"{centre} {number}")
            words, others = made_up(rng, WORDS), made_up(rng, WORDS - SHARED[centre])
            found.append(somebody(f"{centre}-{number}-a", words))
            found.append(somebody(f"{centre}-{number}-b", (*others, *words[len(others) :])))
    return found


def is_free(body: dict[str, Any]) -> bool:
    return "whatever they would really ask" in body["messages"][0]["content"]


def background(body: dict[str, Any]) -> str:
    found = re.search(r"Background: (.*)", body["messages"][0]["content"])
    assert found is not None
    return found[1]


def follows_the_free_prompt(body: dict[str, Any]) -> str:
    """A model that asks about the person's own life where it may, and says one thing where the task is fixed."""
    return f"How do I deal with {background(body)}" if is_free(body) else FIXED


def scatters(body: dict[str, Any]) -> str:
    """A model whose output has nothing to do with how alike two people are."""
    digest = hashlib.sha256(body["messages"][0]["content"].encode()).digest()
    return " ".join(made_up(random.Random(digest), 30))
