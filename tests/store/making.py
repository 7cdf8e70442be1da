"""Examples and judgements for tests, here and in other rooms."""

from __future__ import annotations

from datetime import UTC, datetime

from studio.chatml import assistant, user
from studio.store import Decision, Example, Judgement
from studio.store.records import Action, Verdict

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def example(
    name: str = "e1",
    asked: str = "Add 'buy milk' to my list.",
    reply: str = "Great choice! I added 'buy milk'.",
    *,
    category: str = "creation",
    scenario: str = "Create a task",
    person: str = "p1",
    spec_hash: str = "h1",
) -> Example:
    return Example(
        id=name,
        spec_hash=spec_hash,
        category=category,
        scenario=scenario,
        person_id=person,
        messages=(user(asked), assistant(reply)),
        author="test author",
        created=NOON,
    )


def judgement(verdict: Verdict = "passed", *reasons: str, spec_hash: str = "h1") -> Judgement:
    total = {"passed": 9.0, "failed": 3.0, "error": None}[verdict]
    return Judgement(judge="test judge", spec_hash=spec_hash, verdict=verdict, total=total, reasons=reasons, at=NOON)


def decision(name: str = "e1", action: Action = "accept", reason: str = "", edited: str = "") -> Decision:
    messages = (user("Add 'buy milk' to my list."), assistant(edited)) if edited else ()
    return Decision(example_id=name, action=action, reason=reason, messages=messages, at=NOON)
