"""The answer: what a model is asked to write of a person, the strict schema, and the person that comes of it.

The limits of a whole person are part of the schema's validation: who exceeds them is asked for again, a bounded number
of times, with what was wrong.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from studio.bank.person import BACKGROUND, OLDEST, STYLE, TRAITS, YOUNGEST, Person, faults, person_text
from studio.chatml import Messages, Unicode, system, user
from studio.llm import Request, Sampling
from studio.spec.describe import bullets, joined, section

MAX_TOKENS = 2048
"""Room for models that think before they write."""

RULES = joined(
    [
        "You invent fictional people for testing a chatbot. Each is one believable, particular human being.",
        section(
            "A person",
            bullets(
                [
                    "name: first and last name, fitting where they come from; seldom a common one",
                    "username: what they would call themselves online, or null",
                    f"age: {YOUNGEST} to {OLDEST}",
                    f"traits: {TRAITS[0]} to {TRAITS[1]} single adjectives or short phrases, not all of them kind",
                    f"background: one or two sentences, at most {BACKGROUND} characters, with concrete facts of this "
                    "life; no list of virtues, no moral",
                    f"chatting_style: how they type, at most {STYLE} characters: length, spelling, punctuation, habits",
                    "profession: what they work as, in lower case",
                    "place: town or region, and country",
                ]
            ),
        ),
        section(
            "Rules",
            bullets(
                [
                    "What is given is fixed: keep it, and let all else fit it without contradiction.",
                    "Invent nothing about a real person. No stereotype of an origin, a gender or a job.",
                    "Begin the background in a way of its own, not with 'A passionate', 'Born and raised' or an age.",
                    "Answer with the JSON object alone.",
                ]
            ),
        ),
    ]
)


class PersonAnswer(BaseModel):
    """A fictional person."""

    model_config = ConfigDict(extra="ignore")

    name: str
    username: str | None = Field(description="Null for somebody without one")
    age: int
    traits: list[str]
    background: str
    chatting_style: str
    profession: str = Field(description="Empty for somebody who never worked")
    place: str

    @field_validator("name", "background", "chatting_style", "profession", "place", mode="before")
    @classmethod
    def _one_line(cls, value: Any) -> Any:
        return " ".join(value.split()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _whole(self) -> Self:
        if wrong := faults(self.person(Person(id="", source="bank"))):
            raise ValueError("; ".join(wrong))
        return self

    def person(self, drawn: Person) -> Person:
        """Somebody as the model wrote them, where code had not ``drawn`` it before."""
        said: dict[str, Any] = {
            "name": self.name,
            "username": (self.username or "").strip() or None,
            "age": self.age,
            "traits": tuple(trait.strip() for trait in self.traits),
            "background": self.background,
            "chatting_style": self.chatting_style,
            "profession": self.profession.lower(),
            "place": self.place,
        } | self.more()
        empty = {name: value for name, value in said.items() if getattr(drawn, name) in (None, "", ())}
        return Person.model_validate(drawn.model_dump() | empty)

    def more(self) -> dict[str, Any]:
        """Fields that only some ways of writing people ask for."""
        return {}


class AskerAnswer(PersonAnswer):
    """A fictional person, and what they write to the chatbot."""

    query: Unicode = Field(description="What they type, in their own way of writing")

    @model_validator(mode="after")
    def _asks(self) -> Self:
        if not self.query.strip():
            raise ValueError("query: expected some words")
        return self

    def more(self) -> dict[str, Any]:
        return {"query": self.query.strip()}


def person_request(prompt: str, id: str) -> Request:
    """What is asked for the person with ``id``. Depends on nothing else, so that an answer on record is found again."""
    messages: Messages = (system(RULES), user(prompt))
    return Request(
        purpose="people",
        messages=messages,
        sampling=Sampling(temperature=1.0, max_tokens=MAX_TOKENS, seed=_seed(id)),
    )


def given(drawn: Person) -> str:
    """What code has decided of somebody, a line each; empty where it has decided nothing."""
    lines = {
        "Name": drawn.name,
        "Age": drawn.age,
        "Profession": drawn.profession,
        "Place": drawn.place,
        "Traits": ", ".join(drawn.traits),
        "Background": drawn.background,
        "Chatting style": drawn.chatting_style,
    }
    return section("Given", bullets(f"{name}: {value}" for name, value in lines.items() if value not in (None, "")))


def not_like(people: Sequence[Person]) -> str:
    """People who are there already, as examples of whom not to write again."""
    if not people:
        return ""
    return section(
        "There already. Write somebody not like these: another life, other words, another way of beginning",
        bullets(person_text(person) for person in people),
    )


def _seed(id: str) -> int:
    return int.from_bytes(hashlib.sha256(id.encode()).digest()[:4], "big") >> 1
