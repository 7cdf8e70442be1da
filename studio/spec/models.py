"""The persona spec as data: one immutable model a part of the file."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from studio.chatml import Frozen, Message, Messages

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
Slug = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64)]
Rate = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(ge=0, le=10)]
TraitMean = Annotated[float, Field(ge=0, le=2)]
Priority = Literal["high", "medium", "low"]


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from error
    return pattern


Pattern = Annotated[str, AfterValidator(_compiles)]


class Trait(Frozen):
    """One quality of a reply, scored 0, 1 or 2."""

    name: Slug
    is_: Text = Field(alias="is")
    is_not: str = ""
    anchors: dict[Literal[0, 1, 2], Text] = {}
    cues: tuple[Text, ...] = ()
    """Words and phrases that show the trait, for the rules judge and the offline author."""


class Vocabulary(Frozen):
    prefer: tuple[Text, ...] = ()
    avoid: tuple[Text, ...] = ()
    avoid_patterns: tuple[Pattern, ...] = ()
    avoid_generic_ai: bool = True


class Step(Frozen):
    """One step of the response pattern, in the order in which a reply is built."""

    step: Slug
    how: Text
    phrases: tuple[Text, ...] = ()


class Boundary(Frozen):
    id: Slug
    never: Text
    cues: tuple[Text, ...] = ()
    """Phrases whose presence shows a violation, for the rules judge."""


class SpecExample(Frozen):
    """A hand-written conversation: ``user`` and ``assistant``, or ``messages`` for several turns."""

    user: Text | None = None
    assistant: Text | None = None
    messages: Messages = ()
    scenario: Text | None = None
    """The scenario item that it shows, word for word."""

    @model_validator(mode="after")
    def _one_form(self) -> Self:
        pair = self.user is not None and self.assistant is not None
        if pair == bool(self.messages) or (self.user is None) != (self.assistant is None):
            raise ValueError("expected either user and assistant, or messages")
        if self.messages and self.messages[-1].role != "assistant":
            raise ValueError("expected the last message to be the assistant's")
        spoken = [message.role for message in self.messages if message.role != "system"]
        if any(role != ("user", "assistant")[turn % 2] for turn, role in enumerate(spoken)):
            raise ValueError("expected user and assistant to take turns, beginning with user")
        if any(not message.content.strip() for message in self.messages):
            raise ValueError("expected some content in every message")
        return self

    @property
    def turns(self) -> Messages:
        if self.messages:
            return self.messages
        return (
            Message(role="user", content=self.user or ""),
            Message(role="assistant", content=self.assistant or ""),
        )


class Category(Frozen):
    """A row of the scenario matrix: related scenarios that share a priority and a target."""

    priority: Priority = "medium"
    target: int = Field(default=0, ge=0, le=1_000_000)
    holdout: bool = False
    items: tuple[Text, ...] = Field(min_length=1)


class UserWeights(Frozen):
    profiles: Rate = 0.5
    bank: Rate = 0.5


class UserThings(Frozen):
    """Slots that what is on a person's mind may fill, by where the person comes from.

    The built-in people have to-dos on their mind: short verb phrases. Those of a profile have their
    ``example_things``.
    """

    profiles: tuple[Slug, ...] = ()
    bank: tuple[Slug, ...] = ()


class Users(Frozen):
    profiles: str | None = None
    bank: Literal["default"] | None = "default"
    """The people of the workspace, or else the built-in ones; None for nobody but those of ``profiles``."""
    weight: UserWeights = UserWeights()
    things: UserThings = UserThings()


class Success(Frozen):
    """The quality gates. Rates are 0..1, scores 0..10, trait means 0..2."""

    overall: Score = 7.5
    trait: TraitMean = 1.5
    violations: Rate = 0.0
    win_rate: Rate = 0.70
    train_loss: float = Field(default=0.4, ge=0)
    adapter_mb: float = Field(default=50, gt=0)
    latency_s: float = Field(default=2.0, gt=0)
    accept_score: Score = 6.0
    examples: int = Field(default=200, ge=1, le=1_000_000)


class Deployment(Frozen):
    base_model: Text = "meta-llama/Llama-3.1-8B-Instruct"
    """A hub id, a local folder, or ``smollm2``."""
    system_prompt: str | None = None


class Spec(Frozen):
    """A whole persona, as :func:`studio.spec.load` returns it."""

    schema_: Literal[1] = Field(alias="schema")
    name: Text
    purpose: Text
    traits: tuple[Trait, ...] = Field(min_length=1, max_length=12)
    scenarios: dict[Slug, Category] = Field(min_length=1)
    target_users: tuple[Text, ...] = ()
    identity: str = ""
    language: str = "en"
    vocabulary: Vocabulary = Vocabulary()
    patterns: tuple[Step, ...] = ()
    boundaries: tuple[Boundary, ...] = ()
    examples: tuple[SpecExample, ...] = ()
    slots: dict[Slug, tuple[Text, ...]] = {}
    """Kinds of words in the examples that may be exchanged for others of their kind: ``task: [...]``."""
    context: str | None = None
    users: Users = Users()
    success: Success = Success()
    deployment: Deployment = Deployment()

    @property
    def slug(self) -> str:
        """The folder name of the persona: ``TaskMaster`` -> ``taskmaster``. Names that differ in signs share one."""
        slug = re.sub(r"[\W_]+", "-", self.name.casefold()).strip("-")[:60]
        return slug or f"persona-{hashlib.sha256(self.name.encode()).hexdigest()[:8]}"

    @property
    def trait_names(self) -> tuple[str, ...]:
        return tuple(trait.name for trait in self.traits)

    def category_of(self, scenario: str) -> str | None:
        """The category that lists ``scenario`` among its items."""
        return next((name for name, category in self.scenarios.items() if scenario in category.items), None)
