"""The author's prompt: what a model is sent to write one training conversation, and the schema of its answer."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from studio.chatml import Message, Messages, conversation_problem, system, user
from studio.spec import Spec, SpecExample, persona_prompt
from studio.spec.describe import block, bullets, joined, nonce, section, tagged, words

MOST_TURNS = 12
"""Longer conversations are refused: what is wanted is a situation, not a transcript."""

CONTEXT_LIMIT = 24_000
"""Characters of the context document that go into a prompt: about 6,000 tokens."""

_USER_SIDE = (
    "Write as this very person would type it: age, traits, background and way of writing decide the length, the "
    "spelling and how polite it is. Real people leave things out, start in the middle and do not explain themselves.",
    "Name concrete things (the task, the date, the amount, the place) instead of talking about things in general.",
    "The situation shows in what is said. Never quote its title, never say that it is a test or an example.",
)

_PERSONA_SIDE = (
    "Stay wholly in the persona: every trait shows, none is announced.",
    "Take up the user's own words: the same task, date, name and number, unchanged. Add no facts that nobody gave.",
    "Sound like somebody talking. Vary openings, length and turns of phrase from one conversation to the next.",
)
_LENGTHS = (
    "a handful of words",
    "one plain sentence",
    "one sentence with a detail that matters",
    "two sentences",
    "three or four sentences that wander a little",
)
_OPENINGS = (
    "with the request itself",
    "with what just happened",
    "with how they feel about it",
    "with a question",
    "in the middle of things, as if continuing an earlier talk",
    "with a name, a date or a number",
    "with a short greeting",
    "with what they have tried so far",
)
_SEVERAL = "Write two exchanges: user, assistant, user, assistant. The second one follows naturally from the first."


def author_messages(
    spec: Spec,
    *,
    category: str,
    scenario: str,
    person_text: str,
    context: str,
    shots: Sequence[SpecExample],
    seed: int,
    manner_of: str | None = None,
    accepted: bool = False,
    more: Sequence[str] = (),
) -> Messages:
    """A system and a user message that ask for one conversation as JSON.

    ``person_text`` says who is talking, ``context`` is the spec's context document, ``shots`` are hand-written
    examples to learn the voice from, among them such as people ``accepted``. ``seed`` varies the length and the opening
    that are asked for, without which models write the same message again and again; they depend on the person too,
    unless ``manner_of`` stands in for them. ``more`` are paragraphs on what this one is written for. The answer is an
    :class:`Authored`.
    """
    rng = random.Random(f"{seed}\x1f{scenario}\x1f{person_text if manner_of is None else manner_of}")
    task = _task(category, scenario, person_text, shots, [_manner(rng), *more], accepted)
    return system(_instructions(spec, context)), user(task)


def _instructions(spec: Spec, context: str) -> str:
    known = (
        context
        if len(context) <= CONTEXT_LIMIT
        else context[:CONTEXT_LIMIT] + "\n[the rest of the document is left out]"
    )
    facts = "Facts come from the context; where it is silent, the persona says so or asks. Invent none."
    sides = [*_PERSONA_SIDE]
    if spec.patterns:
        sides.append("Keep the order of the steps in flowing sentences: no step names, no headings, no lists.")
    if spec.vocabulary.prefer:
        sides.append(
            "Use one or two of the persona's expressions where they fit; a reply full of them is as bad as none"
        )
    if spec.boundaries:
        sides.append("The boundaries hold also when the user provokes, complains, or asks for them to be dropped.")
    return joined(
        [
            "You write training conversations for a persona, one at a time: what a real person types, and what the "
            "persona answers. Both sides must read as if they had happened, and both are in the language with the tag "
            f"{spec.language}.",
            f"The persona's own instructions:\n{block('persona', persona_prompt(spec))}",
            f"What the persona knows:\n{block('context', known)}\n{facts}" if context.strip() else "",
            section("The user's side", bullets(_USER_SIDE)),
            section("The persona's side", bullets(sides)),
            "Answer with one JSON object and nothing else, without a Markdown fence. Its only key is `messages`: a "
            "list of objects with `role` and `content`. First `user`, what the person types, then `assistant`, what "
            "the persona answers. Several exchanges go on in turns and end with `assistant`.",
        ]
    )


def _manner(rng: random.Random) -> str:
    """How the first message is to be written, and whether another exchange follows."""
    manner = f"This time the first message is {rng.choice(_LENGTHS)} and begins {rng.choice(_OPENINGS)}."
    return f"{manner} {_SEVERAL}" if rng.random() < 1 / 6 else manner


def _task(
    category: str,
    scenario: str,
    person_text: str,
    shots: Sequence[SpecExample],
    asked: Sequence[str],
    accepted: bool,
) -> str:
    examples = "\n\n".join(
        (f"Situation: {shot.scenario}\n" if shot.scenario else "")
        + "\n".join(f"{message.role}: {message.content}" for message in shot.turns)
        for shot in shots
    )
    key = nonce(message.content for shot in shots for message in shot.turns)
    made = (
        "Examples written by hand, or chosen by one who knows the persona." if accepted else "Examples written by hand."
    )
    learn = f"{made} Learn the voice from them; copy none of them."
    return joined(
        [
            f"{learn}\n{tagged('examples', key, examples)}" if shots else "",
            f"The situation to write, from {words(category)}:\n{block('situation', scenario)}",
            f"Who is talking:\n{block('person', person_text)}" if person_text.strip() else "",
            *asked,
            "Write a new conversation in which this person meets this situation. Take its details from this person's "
            "own life and work; reuse no sentence, name, date or task of the examples.",
        ]
    )


class AuthoredTurn(BaseModel):
    """One turn of the conversation."""

    model_config = ConfigDict(extra="ignore")

    role: Literal["user", "assistant"]
    content: str = Field(description="What is said, and nothing else")


class Authored(BaseModel):
    """One conversation that begins with the user, takes turns and ends with the assistant."""

    # Docstrings go out with the schema. Nothing in it may be null, so that an answer of nothing but nulls fits no
    # schema. Models that write a pair of user and assistant instead are understood.
    model_config = ConfigDict(extra="ignore")

    messages: list[AuthoredTurn] = Field(min_length=2, description="The turns of the conversation, user first")

    @model_validator(mode="before")
    @classmethod
    def _from_pair(cls, value: Any) -> Any:
        if isinstance(value, dict) and not value.get("messages") and value.get("user") and value.get("assistant"):
            return {"messages": [{"role": role, "content": value[role]} for role in ("user", "assistant")]}
        return value

    @model_validator(mode="after")
    def _a_conversation(self) -> Self:
        if len(self.messages) > MOST_TURNS:
            raise ValueError(f"expected at most {MOST_TURNS} messages")
        if problem := conversation_problem(self.turns):
            raise ValueError(problem)
        return self

    @property
    def turns(self) -> Messages:
        """The conversation, white space around each turn taken off."""
        return tuple(Message(role=turn.role, content=turn.content.strip()) for turn in self.messages)
