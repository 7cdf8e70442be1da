"""Examples, judgements and decisions for the tests."""

from __future__ import annotations

from datetime import UTC, datetime

from studio.chatml import assistant, system, user
from studio.store import Decision, Example, Judgement
from studio.store.records import Action, Verdict

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PROMPT = (system("You write conversations."), user("Write one."))


def example(
    name: str = "one",
    *,
    category: str = "tasks",
    scenario: str = "Create a task",
    person: str = "ada",
    said: str = "Add milk to my list",
    reply: str = "Great choice! Milk is on it. What's next?",
    spec_hash: str = "spec-1",
) -> Example:
    return Example(
        id=name,
        spec_hash=spec_hash,
        category=category,
        scenario=scenario,
        person_id=person,
        messages=(user(said), assistant(reply)),
        author="test author",
        prompt=PROMPT,
        created=NOW,
    )


def judgement(verdict: Verdict = "passed", *reasons: str, spec_hash: str = "spec-1") -> Judgement:
    return Judgement(judge="test judge", spec_hash=spec_hash, verdict=verdict, total=7.0, reasons=reasons, at=NOW)


def decision(name: str, action: Action, reason: str = "", reply: str | None = None) -> Decision:
    messages = () if reply is None else (user("Add milk to my list"), assistant(reply))
    return Decision(example_id=name, action=action, reason=reason, messages=messages, at=NOW)
