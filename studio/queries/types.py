"""Queries, askings and answers: what the room keeps as documents, and what its two jobs are asked."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field

from studio.chatml import Frozen, Messages, Unicode
from studio.inference import ItemsParams, Record
from studio.llm import ModelSettings
from studio.store import Person
from studio.text.inert import inert_line

Arm = Literal["people", "naive"]
"""``people``: written by a fresh person of a user type. ``naive``: by the topic and the document alone."""
Verdict = Literal["met", "not met", "contradicted", "not applicable"]
"""``not applicable``: the item sets a condition (``if the card is lost``) that this customer's matter does not meet."""
End = Literal["answered", "settled", "gave up", "cap", "fault"]
"""How a conversation ended: ``answered`` is that of one turn; ``cap`` ran into the most turns there may be; ``fault``
is the simulated user's own failure."""
MOST_TURNS = 8


class Query(Record):
    """What somebody types to a chatbot. Those that do not count are kept too, with their reason and ``twin``."""

    arm: Arm = "people"
    user_type: Unicode = ""
    background: Unicode = ""
    query: Unicode
    topic: Unicode
    person: Person | None = None
    """Who asks; None in the naive arm."""
    about: Unicode = ""
    """The topic that a judge took it for, who was not told which one it was written for; empty for none."""
    fit: Literal[0, 1, 2] = 2
    """How well it fits ``topic``: 0 not at all, 1 besides another one or partly, 2 squarely."""
    fit_reason: Unicode = ""
    model: Unicode = ""
    judge: Unicode = ""
    seed: int = 0
    twin: str = ""
    similarity: float | None = None

    @property
    def title(self) -> str:
        return inert_line(self.query)

    @property
    def page(self) -> dict[str, str]:
        said = {
            "query": self.query,
            "topic": self.topic,
            "user type": self.user_type,
            "background": self.background,
            "topic fit": f"{self.fit} of 2, taken for: {self.about or 'none of the topics'}. {self.fit_reason}",
            "twin": f"{self.twin} ({self.similarity:.2f})" if self.similarity is not None else "",
            "model": self.model,
        }
        return {name: text for name, text in said.items() if text}


class Mark(Frozen):
    """One expected item, held against a conversation."""

    expected: Unicode
    verdict: Verdict
    quote: Unicode = ""
    """Words of the chatbot."""
    reason: Unicode = ""
    quoted: bool = True
    """Whether ``quote`` really stands in an answer of the chatbot; False tells of a careless judge."""

    @property
    def mismatch(self) -> bool:
        return self.verdict in ("not met", "contradicted")


class Answered(Record):
    """One query and what a chatbot made of it: the conversation and its marks. ``marks`` is empty where the topic
    expects nothing: it is only shown."""

    query_id: str
    side: str = ""
    """``base`` or ``tuned`` of a run; empty for a chatbot at an endpoint."""
    chatbot: Unicode
    topic: Unicode
    user_type: Unicode = ""
    background: Unicode = ""
    person_id: str = ""
    messages: Messages
    """Without the system prompt, ending with the chatbot's answer."""
    end: End = "answered"
    faults: dict[str, int] = {}
    """Of the simulated user, by kind (:mod:`studio.queries.faults`)."""
    written: int = 0
    """Turns that the simulated user wrote; the first one is the query."""
    marks: tuple[Mark, ...] = ()
    judge: Unicode = ""

    @property
    def judged(self) -> bool:
        return any(mark.verdict != "not applicable" for mark in self.marks)

    @property
    def mismatches(self) -> tuple[Mark, ...]:
        return tuple(mark for mark in self.marks if mark.mismatch)

    @property
    def title(self) -> str:
        found = len(self.mismatches)
        state = f"{found} missed" if found else "as expected" if self.judged else "not judged"
        return inert_line(f"{state}: {self.messages[0].content}")

    @property
    def page(self) -> dict[str, str]:
        said = {"topic": self.topic, "user type": self.user_type, "chatbot": f"{self.chatbot} {self.side}".strip()}
        said |= {
            f"{number}. {'customer' if one.role == 'user' else 'chatbot'}": one.content
            for number, one in enumerate(self.messages, 1)
        }
        for mark in self.marks:
            quote = f' "{mark.quote}"' if mark.quote else ""
            said[f"expected: {mark.expected}"] = f"{mark.verdict}.{quote} {mark.reason}"
        return said | {"ended": self.end} if self.end != "answered" else said


class Chatbot(Frozen):
    """Who is asked. ``name`` is what is recorded; ``settings.model`` what the server calls it."""

    side: str = ""
    name: Unicode
    settings: ModelSettings


class Asking(Record):
    """One round of questions to one chatbot, or to base and tuned: ``id`` is its name."""

    chatbots: tuple[Unicode, ...]
    run_id: str = ""
    """Of a training run; empty for a chatbot at an endpoint. (Documents are found by it.)"""
    mark: str
    """A digest of what makes its answers others: chatbots, system prompt, turns and tokens."""
    seed: int = 0
    """Of its queries."""
    kind: str
    """Under which its answers are kept: another one once what is expected, or the judge, has changed."""
    turns: int = 1
    judge: Unicode = ""
    made: datetime

    @property
    def title(self) -> str:
        return inert_line(f"{self.id}: {', '.join(self.chatbots)}")


class MakeParams(ItemsParams):
    count: int = Field(default=200, ge=1)
    arm: Arm = "people"
    strict: bool = False
    """Take two queries for one from half of their words or meaning on, instead of nine tenths."""


class AskParams(ItemsParams):
    """``chatbots`` are filled in by whoever serves ``run_id``. ``name`` empty: one of the digest of the rest."""

    count: int = Field(default=200, ge=1)
    name: str = ""
    chatbots: tuple[Chatbot, ...] = ()
    run_id: str = ""
    system: Unicode = ""
    turns: int = Field(default=1, ge=1, le=MOST_TURNS)
    max_tokens: int = Field(default=512, ge=1)


def query_kind(arm: Arm, seed: int) -> str:
    """Under which documents the queries of an arm are kept."""
    return " ".join(["query", *(["naive"] if arm == "naive" else []), *([f"seed {seed}"] if seed else [])])
