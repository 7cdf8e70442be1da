"""The persona spec as data: one immutable model a part of the file."""

from __future__ import annotations

import hashlib
import math
import re
import unicodedata
from typing import Annotated, Literal, Self

import regex
from pydantic import AfterValidator, Field, StringConstraints, model_validator

from studio.chatml import Frozen, Messages, assistant, user
from studio.spec.problems import Expectation
from studio.text.normalize import folded

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]
TraitName = Annotated[
    str,
    StringConstraints(pattern=r"^[^\W\d_]\w*$", max_length=64),
    AfterValidator(lambda name: unicodedata.normalize("NFC", name)),
    Expectation("a name of letters, digits and _ that starts with a letter, at most 64 characters"),
]
"""Letters of any script."""
Slug = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=64),
    Expectation("a name of a-z, 0-9 and _ that starts with a letter, at most 64 characters"),
]
Rate = Annotated[float, Field(ge=0, le=1)]
Score = Annotated[float, Field(ge=0, le=10)]
TraitMean = Annotated[float, Field(ge=0, le=2)]
Priority = Literal["high", "medium", "low"]
Switch = Literal["reject", "off"]


MAX_PATTERN = 50_000
"""Characters of a pattern with its counts written out (``(ab){3}`` is ``ababab``), as the ``regex`` library compiles
it: far above any that was meant. The worst that was found under it took 0.4 s to compile; over it, minutes."""
_COUNT = re.compile(r"(?<!\\)\{(\d+)")


def compiled(pattern: str) -> regex.Pattern[str]:
    """``pattern`` ready to search with a time limit (``search(text, timeout=0.05)``). Raises ValueError, saying why."""
    counts = (int(count[:9]) for count in _COUNT.findall(pattern))
    if len(pattern) * math.prod(max(count, 1) for count in counts) > MAX_PATTERN:
        raise ValueError("expected a shorter pattern, or smaller counts in its {}")
    try:
        return regex.compile(pattern)
    except (regex.error, OverflowError, RecursionError) as error:
        raise ValueError(f"not a regular expression: {error}") from error


def _named(base: str) -> str:
    name, at, revision = base.rpartition("@")
    if at and not (name.strip() and revision.strip()):
        raise ValueError(f"expected a model before @ and its revision after it, found {base!r}")
    return base


Pattern = Annotated[str, AfterValidator(lambda pattern: compiled(pattern).pattern)]
BaseModelName = Annotated[Text, AfterValidator(_named)]
FileName = Annotated[Text, Expectation("the name of a file in the spec's own folder or below it")]


class Trait(Frozen):
    """One quality of a reply, scored 0, 1 or 2."""

    name: TraitName
    is_: Text = Field(alias="is")
    is_not: str = ""
    anchors: dict[Literal[0, 1, 2], Text] = {}
    """What a 2, a 1 and a 0 look like: the rubric."""


class Vocabulary(Frozen):
    prefer: tuple[Text, ...] = ()
    avoid: tuple[Text, ...] = ()
    avoid_patterns: tuple[Pattern, ...] = ()
    avoid_generic_ai: bool = True


class Step(Frozen):
    """One step of the response pattern, in the order in which a reply is built."""

    step: Slug
    how: Text


class Boundary(Frozen):
    id: Slug
    never: Text
    phrases: tuple[Text, ...] = ()
    """Words that give a violation away without any judge: literal, case-insensitive, word-bounded."""


class RuleSettings(Frozen):
    """The built-in checks of a reply, each of which can be turned off or set."""

    max_chars: int | None = Field(default=2000, ge=1)
    """Longest reply, in characters; None: any length."""
    role_labels: Switch = "reject"
    """``User:`` or a chat template's own token inside a reply."""
    punctuation: Switch = "reject"
    """The same mark twice in a row, outside of code."""
    unprintable: Switch = "reject"
    language: Switch = "reject"
    """A reply that is surely in another language than the persona's."""
    near_duplicates: Switch = "reject"
    """A conversation that repeats one that is there already."""


class Beside(Frozen):
    """Files in the spec's own folder or below it; None: there is none."""

    context: FileName | None = None
    """A document that the persona knows; author and judge both read it."""
    profiles: FileName | None = None
    """Topics, user types, backgrounds and example queries."""
    recorded: FileName | None = None
    """Conversations to build from where no model is at hand (JSON lines)."""
    labels: FileName | None = None
    """Replies with trait scores given by people, which a judge is measured on (JSON lines)."""


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
        return self.messages or (user(self.user or ""), assistant(self.assistant or ""))


_KEPT = re.compile(r"\[([^\[\]]*)\]")


def probe_text(item: str) -> tuple[str, tuple[str, ...]]:
    """``Remind me to [text Lucy] [at 8 am]`` -> (``Remind me to text Lucy at 8 am``, (``text Lucy``, ``at 8 am``))."""
    kept = tuple(" ".join(part.split()) for part in _KEPT.findall(item))
    return _KEPT.sub(r"\1", item).strip(), tuple(part for part in kept if part)


def unbalanced(item: str) -> bool:
    """True where a square bracket has no partner, or one stands inside another."""
    rest = _KEPT.sub("", item)
    return "[" in rest or "]" in rest


def bare(text: str) -> str:
    """``text`` for comparing what two messages say: its words in lower case, without marks around them."""
    return " ".join(re.findall(r"[^\W_]+(?:'[^\W_]+)*", folded(text).casefold()))


class Category(Frozen):
    """A row of the scenario matrix: related scenarios that share a priority and a target."""

    priority: Priority = "medium"
    target: int = Field(default=0, ge=0, le=1_000_000)
    holdout: bool = False
    items: tuple[Text, ...] = Field(min_length=1)


class UserWeights(Frozen):
    profiles: Rate = 0.5
    bank: Rate = 0.5


DEFAULT_BANK = "default"


class Users(Frozen):
    """Who is talking."""

    bank: FileName | None = DEFAULT_BANK
    """``default``: the people of the workspace, or else the built-in ones; a file of people beside the spec; None:
    nobody but those of ``beside.profiles``."""
    weight: UserWeights = UserWeights()


class DriftTargets(Frozen):
    """Of the suite *drift*: the least change of the overall score, 0..10, a turn of a talk: -0.1."""

    slope: float | None = Field(default=None, ge=-10, le=10)


class PressureTargets(Frozen):
    """Of *pressure*: the largest share of requests that may break the persona."""

    break_rate: Rate | None = None


class LeakTargets(Frozen):
    """Of *leak*: what plain work may show of the persona, as a trait mean above the base's, and may lose in rule
    checks."""

    trait_delta: TraitMean | None = None
    check_drop: Rate | None = None


class CapabilityTargets(Frozen):
    """Of *capability*: the largest loss in rule checks, and perplexity on neutral text by the base's: 1.1."""

    check_drop: Rate | None = None
    perplexity_ratio: float | None = Field(default=None, gt=0)


class SuiteTargets(Frozen):
    """The suites beside the probes that are gates."""

    drift: DriftTargets = DriftTargets()
    pressure: PressureTargets = PressureTargets()
    leak: LeakTargets = LeakTargets()
    capability: CapabilityTargets = CapabilityTargets()


class Success(Frozen):
    """The quality gates. Rates are 0..1, scores 0..10, trait means 0..2; a gate that is None is shown and decides
    nothing."""

    overall: Score = 7.5
    trait: TraitMean = 1.5
    violations: Rate = 0.0
    win_rate: Rate = 0.70
    beats_prompt: Rate | None = None
    """Win rate against the base model with the persona as its system prompt."""
    train_loss: float | None = Field(default=0.4, ge=0)
    adapter_mb: float | None = Field(default=50, gt=0)
    latency_s: float | None = Field(default=2.0, gt=0)
    """95th percentile of a typical reply."""
    accept_score: Score = 6.0
    accept_trait: int = Field(default=1, ge=0, le=2)
    """The least that every trait of an example needs."""
    examples: int = Field(default=200, ge=1, le=1_000_000)
    agreement: float = Field(default=0.4, ge=-1, le=1)
    """The judge's least agreement with people on a trait (quadratic-weighted kappa), to decide its gate."""
    suites: SuiteTargets | None = None
    """None: the suites are shown and decide nothing."""


class Deployment(Frozen):
    base_model: BaseModelName = "meta-llama/Llama-3.1-8B-Instruct"
    """A hub id with an optional ``@revision``, a local folder, or ``smollm2``."""
    system_prompt: str | None = None
    """None: the persona is trained in and needs none."""
    max_tokens: int = Field(default=512, ge=16, le=32_768)
    """Of a reply, in evaluation and chat alike."""


class Spec(Frozen):
    """A whole persona, as :func:`studio.spec.load` returns it."""

    schema_: Literal[2] = Field(alias="schema")
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
    rules: RuleSettings = RuleSettings()
    beside: Beside = Beside()
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


class UserType(Frozen):
    """One kind of user inside a topic, with a question that such a user asks."""

    example_type: Text
    example_background: Text
    example_query: Text


class Topic(Frozen):
    """What users come with, in the published topic/profile shape."""

    topic: Text
    expected: tuple[Text, ...] = ()
    """Facts or behaviour that an answer must show."""
    example_types: tuple[UserType, ...]
