"""A recipe: what a model is asked to make for each person, as a YAML file says it."""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import Field, StringConstraints

from studio.chatml import Frozen
from studio.spec import Text
from studio.spec.problems import Expectation

SOLVED = ("solution", "final")
"""What a template may name besides the fields, where the recipe is solved."""
Shots = Literal["zero", "few", "persona"]

Name = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9-]*$", max_length=40),
    Expectation("a name of a-z, 0-9 and - that starts with a letter, at most 40 characters"),
]
FieldName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40),
    Expectation("a name of a-z, 0-9 and _ that starts with a letter, at most 40 characters"),
]


class Part(Frozen):
    """A text of the answer. ``what`` instructs the model; ``least`` and ``most`` are characters."""

    what: Text
    least: int = Field(default=1, ge=1, le=100_000)
    most: int = Field(default=4000, ge=1, le=100_000)


class AnswerField(Part):
    """A field of the answer: a text, several where ``many``, or with ``fields`` objects of texts."""

    many: bool = False
    fields: dict[FieldName, Part] = {}


class Prompt(Frozen):
    """What a model is told: who it is, what it makes, by which rules, and how a demonstration's person is inferred."""

    system: Text
    task: Text
    rules: tuple[Text, ...] = ()
    infer: Text = "Who would this have been made for? Describe that person in one or two sentences, as they are."


class Solve(Frozen):
    """How solutions are sampled: of which field, by whom, and by which rules."""

    of: str
    system: Text
    rules: tuple[Text, ...] = ()


class Turns(Frozen):
    """Templates of a conversation: ``{field}`` stands for a field, ``{solution}`` and ``{final}`` for what agrees."""

    user: Text
    assistant: Text


class CodeCheck(Frozen):
    """The field with Python code, that with the name of the function in it, and that with its parameters' names."""

    field: str
    function: str
    parameters: str


class Checks(Frozen):
    """What code checks: phrases that are in no answer, Python that parses, and how many of the world's names occur."""

    without: tuple[Text, ...] = ()
    code: CodeCheck | None = None
    world_names: int = Field(default=0, ge=0, le=20)


class Demonstration(Frozen):
    """An answer written by hand, with the person that it would come from; empty where that is inferred."""

    persona: Text | None = None
    answer: dict[str, Any]


class Recipe(Frozen):
    """What is made for a person. The first of ``text`` names it in lists; all of them are its text."""

    format: Literal[1]
    name: Name
    what: Text
    description: Text
    """What exports call it."""
    world: bool = False
    """Whether it needs a file that describes a world."""
    prompt: Prompt
    answer: dict[FieldName, AnswerField] = Field(min_length=1)
    text: tuple[str, ...] = Field(min_length=1)
    solve: Solve | None = None
    messages: Turns | None = None
    checks: Checks = Checks()
    demonstrations: tuple[Demonstration, ...] = Field(min_length=3)

    @property
    def mark(self) -> str:
        """Six hex digits that tell its content from any other."""
        return hashlib.sha256(self.model_dump_json().encode()).hexdigest()[:6]
