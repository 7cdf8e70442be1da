"""What the workspace keeps: examples, what was said of them, who asked, and what was decided."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, model_validator

from studio.chatml import Frozen, Messages, Unicode, digest

Origin = Literal["generated", "hand", "chat", "asked", "imported"]
"""``asked``: what a chatbot answered to a query, and not as expected."""
Status = Literal["pending", "accepted", "rejected"]
Verdict = Literal["passed", "failed", "unscored", "error"]
Action = Literal["accept", "reject", "edit", "reset"]


class TraitScore(Frozen):
    """A judge's mark of one trait: 0, 1 or 2, why, and the words of the reply that show it."""

    score: Literal[0, 1, 2]
    estimate: float | None = None
    """The expected score, 0..2, where the judge is a regression: totals and means are computed from it. ``score`` is
    the same, spread as far as people's scores lie apart, and rounded."""
    rationale: str = ""
    quote: str = ""


class Violation(Frozen):
    """A boundary (``kind='boundary'``) or a rule (``banned``, ``pattern``, ``generic``, ``length``, ...) broken."""

    kind: str
    name: str
    quote: str = ""


class Fit(Frozen):
    """Whether the user's side of a conversation could be that of the person who asks."""

    score: Literal[0, 1, 2]
    """2: it shows this person; 1: nothing speaks against it; 0: it contradicts what is known of them."""
    reason: str = ""
    by: str
    """A model's name, or ``style markers`` where none judged: those see spelling and length alone."""


class PanelMark(Frozen):
    """One judge of several on one reply."""

    judge: str
    scores: dict[str, int] = {}
    total: float | None = None
    verdict: Verdict


class Judgement(Frozen):
    """One judging of one reply. ``total`` is computed in code from the trait scores, 0..10."""

    judge: str
    """Who gave it: a model's name, ``learned judge``, ``rules`` where a rule alone decided, ``unscored`` where nobody
    could."""
    judge_version: str = ""
    """Of a judge whose marks change with its labels; a model's name says what it is."""
    spec_hash: str
    digest: str = ""
    """Of the conversation that was judged (:func:`studio.chatml.digest`); empty: the example as it was written."""
    finish: Literal["stop", "length", "dropped"] = "stop"
    """How the reply ended: ``length`` where it was cut at its limit and judged as it was."""
    verdict: Verdict
    traits: dict[str, TraitScore] = {}
    preferred: tuple[str, ...] = ()
    """Preferred vocabulary found in the reply."""
    steps: dict[str, bool] = {}
    """Pattern steps, and whether the reply takes them."""
    violations: tuple[Violation, ...] = ()
    total: float | None = None
    fit: Fit | None = None
    """Of the user's side to the person who asks; None where it was not asked for."""
    reasons: tuple[str, ...] = ()
    """Short reasons when failed: ``banned:you should``, ``trait:encouraging``, ``score``, ``duplicate``, ``misfit``."""
    error: str | None = None
    """What went wrong when the reply could not be judged (``verdict='error'``: unscored, not failed)."""
    panel: tuple[PanelMark, ...] = ()
    """What each judge of a panel said, where ``judge`` is one: the marks are their medians."""
    at: datetime


class LabelDraw(Frozen):
    """How a reply came to be labelled: one of ``size`` of its run, side and ``stratum``, the judge's mean mark (0..2)
    then. Its chance was the share of these that are labelled; ``balanced`` draws take rare strata more often."""

    stratum: int
    size: int
    balanced: bool = False


class RunLabel(Frozen):
    """What a person says of one reply of a run: the truth of its evaluation."""

    run_id: str
    probe_id: str
    side: Literal["base", "tuned"]
    digest: str
    """Of the probe and the reply (:func:`studio.chatml.digest`): another reply to the same probe has no label yet."""
    labels: dict[str, Literal[0, 1, 2]]
    boundary: str | None = None
    """The id of the boundary that it crosses."""
    draw: LabelDraw | None = None
    """None of labels that were imported, or are older: each reply of a side had the same chance."""
    by: Unicode = ""
    at: datetime


class PairVote(Frozen):
    """Which of the two replies to one probe a person prefers."""

    run_id: str
    probe_id: str
    digest: str
    """Of the probe and both replies, base first."""
    winner: Literal["base", "tuned", "tie"]
    by: Unicode = ""
    at: datetime


class ChatVote(Frozen):
    """Which of two replies in a chat a person likes better; ``bad``: neither. A document of the kind ``votes``."""

    id: str
    run_id: str
    base_messages: Messages
    """With the reply as its last message; the conversation before it may differ between the sides."""
    tuned_messages: Messages
    choice: Literal["base", "tuned", "tie", "bad"]
    at: datetime


REVIEWS = "reviews"
"""The kind of the documents that hold a :class:`Review`, by the example's id."""


class Review(Frozen):
    """What a person found when they looked at an example, checklist in hand."""

    example_id: str
    digest: str
    """Of the conversation as it stood (:func:`studio.chatml.digest`)."""
    failed: tuple[Unicode, ...] = ()
    """The checks that it fails; none: it passes."""
    judge: str = ""
    judge_passed: bool | None = None
    """What the judge had said of the same text; None where it gave no verdict."""
    by: Unicode = ""
    at: datetime


Method = Literal["", "compose", "write", "from-text", "relations", "enrich", "profiles", "import"]
"""How a person came to be; empty where it is not known: a recording, a bank of an earlier version."""


class Person(Frozen):
    """Somebody who talks to the persona, and where they came from. What is not known of them is empty.

    The record holds whatever a file or a recording says of somebody; :mod:`studio.bank.person` has the limits of a
    whole person. What an earlier version kept reads: ``tone`` becomes the beginning of ``chatting_style``.
    """

    id: str
    source: Literal["profiles", "bank", "recorded", "hand"]
    """Whom they belong to: the spec's profiles, the workspace's bank, the recording, an example made by hand."""
    name: Unicode = ""
    username: Unicode | None = None
    age: int | None = None
    """In years."""
    traits: tuple[Unicode, ...] = ()
    """Adjectives."""
    background: Unicode = ""
    chatting_style: Unicode = ""
    """How they write, in words of their own."""
    profession: Unicode = ""
    """What they work as, in lower case: ``night nurse``, ``retired carpenter``."""
    role: Unicode = ""
    """The user type of a spec's profile or a recording: ``Traveler``, ``team lead``."""
    place: Unicode = ""
    """Where they live: ``Leeds, England``."""
    language: Unicode = ""
    """Their first language as a BCP 47 tag."""
    topic: Unicode = ""
    query: Unicode = ""
    """A question that such a person asks, where the source gives one."""
    extreme: bool = False
    """Drawn from the harder components: hostile, erratic, overwhelmed, dysfunctional."""
    method: Method = ""
    origin: Unicode = ""
    """The file or data set that they are from, with the place in it: ``persona.jsonl:17``."""
    model: Unicode = ""
    """The model that wrote them; empty where none did."""
    seed: int | None = None
    parents: tuple[str, ...] = ()
    """Ids of the people that this one was made from: the relative, the short version."""
    root: str = ""
    """Of relations: the id of the person at hop 0."""
    relation: Unicode = ""
    """Of relations: what they are to their parent, ``patient``."""
    hop: Annotated[int, Field(ge=0)] = 0
    text_hash: str = ""
    """Hash of the text that they were inferred from."""

    @model_validator(mode="before")
    @classmethod
    def _of_an_earlier_version(cls, value: Any) -> Any:
        if not isinstance(value, dict) or "tone" not in value:
            return value
        kept = {key: found for key, found in value.items() if key != "tone"}
        styles = value["tone"], kept.get("chatting_style")
        return kept | {"chatting_style": "; ".join(one for one in styles if isinstance(one, str) and one)}


class Neighbour(Frozen):
    """The most similar example that was there before: exact Jaccard similarity of their words, 0..1, with the persona's
    set phrases or without."""

    id: str
    similarity: float


class Example(Frozen):
    """A conversation and its provenance. Never changed once stored; judgements and decisions are rows of their own."""

    id: str
    spec_hash: str
    category: str
    scenario: str
    person_id: str
    messages: Messages
    origin: Origin = "generated"
    author: str
    """The model that wrote it."""
    prompt: Messages = ()
    """What the author was sent."""
    seed: int = 0
    job_id: str = ""
    neighbour: Neighbour | None = None
    created: datetime


class Decision(Frozen):
    """What a person decided of an example. ``messages`` is the conversation after an edit."""

    id: int = 0
    example_id: Unicode
    action: Action
    reason: Unicode = ""
    messages: Messages = ()
    by: str = "triage"
    batch: str = ""
    """What was decided in one step, and is taken back in one, has the same; empty: a step of its own."""
    at: datetime


class Row(Frozen):
    """An example as lists and exports see it: with the newest judgement of its text and its decision applied.

    ``status`` is the person's decision where there is one, else the judge's: passed is accepted, failed is
    rejected, unscored is pending. ``messages`` are the edited ones where an edit stands.
    """

    seq: int
    example: Example
    judgement: Judgement | None
    decision: Decision | None
    status: Status
    messages: Messages

    @property
    def judged(self) -> bool:
        """Whether the judgement is of ``messages``: after an edit there may be none but that of the text before."""
        if self.judgement is None:
            return False
        return (self.judgement.digest or digest(self.example.messages)) == digest(self.messages)


class Text(NamedTuple):
    """A conversation as it stands, and what is said of it: all that a dataset needs of an example."""

    id: str
    category: str
    scenario: str
    person_id: str
    origin: Origin
    author: str
    status: Status
    decision: Action | None
    """What a person decided; None where the status is the judge's."""
    reasons: tuple[str, ...]
    """Why it stands rejected."""
    messages: Messages
    original: Messages
    """As it was written; the same as ``messages`` unless it was edited."""


class Outdated(NamedTuple):
    """Where an example stands whose judgement is of an earlier version of its judge."""

    example_id: str
    category: str
    scenario: str
    spec_hash: str
    """As :attr:`Judgement.spec_hash`."""
    status: Status


class CategoryCount(Frozen):
    category: str
    accepted: int
    rejected: int
    pending: int
