"""Faults of a simulated user, told by code and counted apart from those of the chatbot.

``role flip``: it serves instead of asking. ``assistant``: it writes the chatbot's turn too, or copies its last answer.
``repeats``: it says again what it said. ``two questions``: more than one in a turn, which no judge can tell apart.
``out of character``: it speaks of being a model, or of the simulation. ``goodbye``: nothing but thanks or a farewell,
while it says that it goes on; code ends the conversation there, or both would take leave for ever.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from studio.text.words import words_of

Fault = Literal["role flip", "assistant", "repeats", "two questions", "out of character", "goodbye"]
GRAVE: frozenset[Fault] = frozenset({"role flip", "assistant", "out of character"})
"""No customer wrote that: such a turn is asked for once more, and never sent."""

SAME = 0.8
"""Jaccard similarity of words from which a turn says an earlier one again."""
COPIED = 12
"""Words in a row out of the chatbot's last answer that make a copy of it."""
_LABEL = re.compile(
    r"^\s*(?:\*\*)?(?:assistant|chatbot|bot|agent|support|ai)(?:\*\*)?\s*:", re.IGNORECASE | re.MULTILINE
)
_SERVES = re.compile(
    r"\b(?:how (?:can|may) (?:i|we) (?:help|assist)(?: you)?|is there anything else (?:i|we) can|"
    r"(?:i|we)(?: am|'m| are|'re)? (?:happy|glad|here) to (?:help|assist) you|"
    r"thank you for (?:contacting|reaching out)|(?:let me|i can|i'll|i will) (?:help|assist) you with|"
    r"you're (?:very )?welcome\b|we apologi[sz]e for)",
    re.IGNORECASE,
)
_OUT = re.compile(
    r"\b(?:as an? (?:ai\b|language model)|language model|simulat(?:ed|ion|ing)|role[- ]?play(?:ing)?|the persona\b|"
    r"in character)",
    re.IGNORECASE,
)
_LEAVES = frozenset("thanks thank bye goodbye cheers farewell appreciate appreciated".split())
_FILLS = frozenset(
    "you so much very many a lot good day night evening have nice great one ok okay perfect wonderful super all that's "
    "that is was take care too it for the your help and really again then".split()
)


def faults_of(message: str, earlier: Sequence[str], answer: str) -> tuple[Fault, ...]:
    """What is wrong with ``message``, after the customer's ``earlier`` ones and the chatbot's last ``answer``."""
    said, found = words_of(message), list[Fault]()
    if _SERVES.search(message):
        found.append("role flip")
    if _LABEL.search(message) or _copied(said, words_of(answer)):
        found.append("assistant")
    if _OUT.search(message):
        found.append("out of character")
    if any(_alike(said, words_of(one)) for one in earlier):
        found.append("repeats")
    if len(re.findall(r"[^\s?]\s*[?？]+", message)) > 1:  # noqa: RUF001
        found.append("two questions")
    if is_farewell(message):
        found.append("goodbye")
    return tuple(found)


def is_farewell(message: str) -> bool:
    """Whether it holds nothing but thanks or leave-taking, as English has them."""
    said = set(words_of(message))
    return bool(said & _LEAVES) and "?" not in message and said <= _LEAVES | _FILLS


def _alike(one: Sequence[str], other: Sequence[str]) -> bool:
    said, before = set(one), set(other)
    return bool(said) and len(said & before) / len(said | before) >= SAME


def _copied(said: Sequence[str], answer: Sequence[str]) -> bool:
    runs = {tuple(answer[at : at + COPIED]) for at in range(len(answer) - COPIED + 1)}
    return any(tuple(said[at : at + COPIED]) in runs for at in range(len(said) - COPIED + 1))
