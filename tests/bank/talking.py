"""A server that talks: a topic a pair, turns with something of their own to say, and ways to misbehave."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable
from typing import Any

from tests.bank.making import DEEDS, FEARS, SYLLABLES

Answer = Callable[[dict[str, Any]], dict[str, Any]]
GOODBYES = ("All right, bye then.", "Bye, take care.", "Bye now.", "See you, bye.", "Good night, bye bye.")


def is_topic(body: dict[str, Any]) -> bool:
    return "what two people talk about" in body["messages"][0]["content"]


def is_whole(body: dict[str, Any]) -> bool:
    return "You write a conversation" in body["messages"][0]["content"]


def spoken(body: dict[str, Any]) -> int:
    """How many turns were said before the one that is asked for."""
    return sum(not message["content"].startswith("(Nobody") for message in body["messages"][1:])


def names(body: dict[str, Any]) -> tuple[str, str]:
    """The first name of who speaks, and that of the other as far as it is known."""
    part = body["messages"][0]["content"]
    own = re.search(r"^You are (\w+)", part)
    known = re.search(r"^<other[^>]*>\s*(\w+)", part, re.MULTILINE)
    assert own is not None
    return own[1], known[1] if known else ""


def sentence(body: dict[str, Any]) -> str:
    """Something of its own for every request."""
    said = "".join(message["content"] for message in body["messages"])
    rng = random.Random(hashlib.sha256(f"{said} {body.get('seed')}".encode()).digest())
    words = ["".join(rng.choices(SYLLABLES, k=3)) for _ in range(6)]
    return f"{words[0]} {rng.choice(DEEDS)} and {words[1]} {rng.choice(FEARS)}, {' '.join(words[2:])}."


def talks(length: int = 6, turn: Answer | None = None) -> Answer:
    """A model that talks and has finished after ``length`` turns; ``turn`` says what it answers instead."""

    def answer(body: dict[str, Any]) -> dict[str, Any]:
        subject = {
            "topic": f"about {sentence(body)}",
            "situation": sentence(body),
            "first_wants": "to be heard",
            "second_wants": "to be left alone",
        }
        if is_topic(body):
            return subject
        if is_whole(body):
            said = [{"speaker": ("first", "second")[n % 2], "text": f"{n} {sentence(body)[n:]}"} for n in range(length)]
            return subject | {"turns": said}
        if turn is not None:
            return turn(body)
        return {"text": sentence(body), "finished": spoken(body) >= length - 2}

    return answer
