"""Quality of conversations: each reason is counted, and what was removed stays to be looked at."""

from __future__ import annotations

import asyncio
import re

from studio.bank.leftovers import language_of
from studio.bank.talk.record import Talk
from studio.bank.talk.scene import ANY
from studio.dedup import TwoStage
from studio.embed import Embedder
from studio.text.inert import unfit

LEAST_TURNS, LEAST_WORDS = 4, 24
"""Turns and words below which two people have not talked."""
MOST_CHARACTERS = 2000
"""Of one turn."""
_REFUSAL = re.compile(
    r"\bas an? (?:ai\b|artificial|language model)|\blanguage model\b|\bi(?:'m| am) (?:just )?an ai\b|"
    r"\bi (?:cannot|can't|won't) (?:fulfil|comply|role-?play|continue (?:this|the) (?:conversation|role))|"
    r"\bmy (?:guidelines|programming|training data)\b|\bi must decline\b",
    re.IGNORECASE,
)
_LEFTOVER = re.compile(
    r"\[[A-Za-z][^\]]*\]|\{\{?\w[\w ]*\}?\}|</?[a-z_]{2,}>|```|\blorem ipsum\b|\binsert (?:name|text)\b|"
    r"\"finished\"\s*:|\b(?:first|second)_wants\b|^\s*\*[^*\n]+\*\s*$|^\s*\([^)\n]{3,}\)\s*$",
    re.IGNORECASE | re.MULTILINE,
)


def problem(talk: Talk, language: str) -> str:
    """Why a conversation does not count, in a word or two; empty where nothing speaks against it."""
    said = "\n".join(turn.text for turn in talk.turns)
    if talk.fault:
        return talk.fault
    if talk.ended == "repeated" and len(talk.turns) < LEAST_TURNS:
        return "repeated"
    if len(talk.turns) < LEAST_TURNS or len(said.split()) < LEAST_WORDS:
        return "length"
    if any(len(turn.text) > MOST_CHARACTERS for turn in talk.turns):
        return "length"
    if _REFUSAL.search(said):
        return "refusal"
    if _LEFTOVER.search(said) or unfit(said):
        return "leftover"
    if language != ANY and language_of(said) not in (None, language.partition("-")[0].lower()):
        return "language"
    return ""


class Others:
    """The conversations that count: a new one may not say one of them again, in words or in meaning.

    Safe for many tasks of one event loop."""

    def __init__(self, embedder: Embedder, there: list[Talk]) -> None:
        self._twins = TwoStage(embedder)
        self._twins.add([(talk.id, _essence(talk)) for talk in there])
        self._lock = asyncio.Lock()

    async def has_twin_of(self, talk: Talk) -> bool:
        """Whether it is there already; one that is not is there from now on."""
        async with self._lock:
            return await asyncio.to_thread(self._twins.take, talk.id, _essence(talk)) is not None


def _essence(talk: Talk) -> str:
    return "\n".join((talk.subject.topic, *(turn.text for turn in talk.turns)))
