"""Prompts of recipes: zero-shot, few-shot, and few-shot where each demonstration has its persona (Persona Hub, Ge et
al., 2024), for somebody of the bank. Each is a pure function of its arguments."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from studio.bank.person import Person, person_text
from studio.chatml import Messages, system, user
from studio.generate.recipes.answer import text_of
from studio.generate.recipes.recipe import Demonstration, Recipe, Shots
from studio.llm import Request, Sampling
from studio.spec.describe import block, bullets, joined, section
from studio.text.inert import unfit

SHOWN = 3
"""Demonstrations in one prompt: others for each person, so that not all of them are made after the same ones."""
PERSONA = 400
"""Characters of an inferred persona."""
WORLD = 12_000
"""Characters of a world's description in one prompt."""
TEMPERATURE = 1.0
"""Of what is made: people are what makes it diverse, temperature keeps what is made for the same one apart."""
THOUGHT, MOST_TOKENS = 2048, 8192
"""Tokens for models that think before they write; and the most with what is written."""
_SEVERAL = 6
"""How many entries of a field with ``many`` there is room for."""
RULES = (
    "The person is who it comes from, not what it is about: use what they know, own, do and worry about, and leave "
    "their name and their traits as words aside, unless the task says otherwise.",
    "Choose what only this person would come up with over what anybody of their kind would.",
    "Write in the language in which the person is described.",
)
INFER = (
    "Invent nobody real and give no name. Be specific: a person whom one could meet, not a type. One or two sentences, "
    "without 'someone who'."
)


class Persona(BaseModel):
    """The person that something would come from."""

    model_config = ConfigDict(extra="forbid")

    persona: str = Field(description=f"One or two sentences, at most {PERSONA} characters")

    @field_validator("persona")
    @classmethod
    def _short(cls, text: str) -> str:
        text = " ".join(text.split())
        if not 0 < len(text) <= PERSONA:
            raise ValueError(f"{len(text)} characters, expected 1 to {PERSONA}")
        if bad := unfit(text):
            raise ValueError(f"the control character {bad} has no place in it")
        return text


def recipe_request(
    recipe: Recipe,
    shots: Shots,
    person: Person,
    *,
    id: str,
    number: int = 1,
    personas: Sequence[str] = (),
    world: str = "",
) -> Request:
    """What is asked for a person. ``personas`` are those of the demonstrations in their order; ``number`` tells
    which of several for the same person it is."""
    rng = random.Random(seed_of(id))
    again = f"It is number {number} for this person: make it unlike what one would make first." if number > 1 else ""
    parts = [
        _demonstrations(recipe, shots, personas, rng),
        section("The world", block("world", passages(world, rng))) if world else "",
        section("The person", block("person", person_text(person))),
        joined([recipe.prompt.task, again]),
        section("Rules", bullets([*recipe.prompt.rules, *RULES, "Answer with the JSON object alone."])),
    ]
    sampling = Sampling(temperature=TEMPERATURE, max_tokens=max_tokens(recipe), seed=seed_of(id))
    messages: Messages = (system(recipe.prompt.system), user(joined(parts)))
    return Request(purpose="author", messages=messages, sampling=sampling)


def max_tokens(recipe: Recipe) -> int:
    """Room for the longest answer, at three characters a token."""
    characters = sum(
        (sum(part.most for part in one.fields.values()) or one.most) * (_SEVERAL if one.many else 1)
        for one in recipe.answer.values()
    )
    return min(MOST_TOKENS, THOUGHT + characters // 3)


def persona_request(recipe: Recipe, demonstration: Demonstration) -> Request:
    """What is asked of a demonstration: whose it would be."""
    text = block("text", text_of(recipe, demonstration.answer))
    messages: Messages = (system(recipe.prompt.infer), user(joined([text, INFER])))
    return Request(purpose="people", messages=messages, sampling=Sampling(max_tokens=2048))


def demonstration_id(recipe: Recipe, demonstration: Demonstration) -> str:
    """The same for the same recipe and answer: by it an inferred person is kept."""
    said = json.dumps([recipe.prompt.infer, demonstration.answer], sort_keys=True, ensure_ascii=False)
    return f"{recipe.name}-{hashlib.sha256(said.encode()).hexdigest()[:12]}"


def _demonstrations(recipe: Recipe, shots: Shots, personas: Sequence[str], rng: random.Random) -> str:
    if shots == "zero":
        return ""
    places = rng.sample(range(len(recipe.demonstrations)), min(SHOWN, len(recipe.demonstrations)))
    told = []
    for place in places:
        answer = json.dumps(_plain(recipe.demonstrations[place].answer), ensure_ascii=False, indent=1)
        whose = f"The person: {personas[place]}\n\n" if shots == "persona" else ""
        told.append(block("example", f"{whose}{answer}"))
    what = "people, and what was made for each" if shots == "persona" else "what is wanted"
    title = f"Examples of {what}. They show the form and how good it has to be; take nothing of their matter"
    return section(title, "\n\n".join(told))


def _plain(value: Any) -> Any:
    """White space around a text of the file is none of the answer."""
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value.strip() if isinstance(value, str) else value


def passages(world: str, rng: random.Random) -> str:
    """The world, or as many of its paragraphs as there is room for: its first, and others in their own order."""
    paragraphs = [part.strip() for part in world.split("\n\n") if part.strip()]
    if sum(len(part) + 2 for part in paragraphs) <= WORLD:
        return "\n\n".join(paragraphs)
    kept, room = {0}, WORLD - len(paragraphs[0])
    for place in rng.sample(range(1, len(paragraphs)), len(paragraphs) - 1):
        if len(paragraphs[place]) + 2 <= room:
            kept.add(place)
            room -= len(paragraphs[place]) + 2
    return "\n\n".join(paragraphs[place] for place in sorted(kept))[:WORLD]


def in_order(people: Sequence[Person], seed: int) -> Iterator[tuple[Person, int]]:
    """Everybody once in an order that follows from the seed, then everybody a second time, and so on without end; each
    with the number of the round. Who joins the bank later changes nobody's place among the others."""
    order = sorted(people, key=lambda one: hashlib.sha256(f"{seed} {one.id}".encode()).digest())
    number = 0
    while order:
        number += 1
        for person in order:
            yield person, number


def seed_of(id: str) -> int:
    """A seed for sampling, the same for the same id."""
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:4], "big") >> 1
