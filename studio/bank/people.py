"""People from the built-in components: every role, tone and background in turn, and nobody twice."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Sequence
from typing import TypeVar

from studio.bank.components import Components, components
from studio.dedup import NearDuplicates
from studio.store.records import Person

SIMILAR = 0.8
"""Two people whose texts share this much of their words are taken for one."""
_MISSES = 200
"""After so many people in a row who are like somebody there already, there is nobody new to be had."""

Part = TypeVar("Part")


def build(n: int, seed: int = 0) -> Iterator[Person]:
    """``n`` different people, the same ones for the same ``seed``, in an order in which any first part is diverse.

    Fewer where the components hold no more different people. A longer build begins with the shorter one.
    """
    rng = random.Random(f"bank {seed}")
    made, misses = 0, 0
    seen = NearDuplicates(threshold=SIMILAR)
    for person in _combinations(components(), rng):
        if made >= n or misses >= _MISSES:
            return
        text = person_text(person)
        if seen.duplicate_of(text) is not None:
            misses += 1
            continue
        seen.add(person.id, text)
        made, misses = made + 1, 0
        yield person


def person_text(person: Person) -> str:
    """A person in a few sentences, as an author is told who is asking."""
    age = "" if person.age is None else f"{person.age} years old"
    who = ", ".join(part for part in (person.name, age, person.role) if part) or "Somebody"
    sentences = [who]
    if person.topic:
        sentences.append(f"Here about: {person.topic}")
    if person.background:
        sentences.append(f"Background: {person.background}")
    if person.tone:
        writes = _how_they_write().get(person.tone)
        sentences.append(f"Writes: {person.tone}, {writes}" if writes else f"Writes: {person.tone}")
    if person.chatting_style:
        sentences.append(f"Writes like this: {person.chatting_style}")
    if person.query:
        sentences.append(f"Asks such things as: {person.query}")
    return " ".join(sentence if sentence.endswith((".", "?", "!")) else f"{sentence}." for sentence in sentences)


def person_id(source: str, *parts: str) -> str:
    """An id that is the same wherever the same person is made again."""
    return f"{source}-{hashlib.sha256(chr(0).join(parts).encode()).hexdigest()[:12]}"


def tone_of(person: str) -> str:
    """A tone for somebody who has none, by their id: the same one wherever they are made again."""
    tones = components().tones
    return tones[int(hashlib.sha256(person.encode()).hexdigest(), 16) % len(tones)].tone


def _combinations(parts: Components, rng: random.Random) -> Iterator[Person]:
    """Endless people: each part comes from a deck that is shuffled again only when every card was drawn."""
    roles, tones = _deck(parts.roles, rng), _deck(parts.tones, rng)
    backgrounds, names = _deck(parts.backgrounds, rng), _deck(parts.names, rng)
    for role, tone, background, name in zip(roles, tones, backgrounds, names, strict=False):
        yield Person(
            id=person_id("bank", name, role, background, tone.tone),
            source="bank",
            name=name,
            role=role,
            background=background,
            tone=tone.tone,
        )


def _how_they_write() -> dict[str, str]:
    return {tone.tone: tone.writes for tone in components().tones}


def _deck(cards: Sequence[Part], rng: random.Random) -> Iterator[Part]:
    while cards:
        yield from rng.sample(cards, len(cards))
