"""Review: mismatches as pending examples for a person to look at, correct and accept.

They stand under a category of their own, which no spec has: they count for no target, no judge decides them when
generating begins again, and only what a person accepts or corrects is exported to train on. A corrected answer and the
chatbot's are then a preference pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from studio.chatml import Frozen, conversation_problem, digest
from studio.queries.rates import Rate, wilson
from studio.queries.types import Answered, Asking, Query
from studio.spec import LoadedSpec
from studio.store import Example, Judgement, Violation, Workspace

CATEGORY = "chatbot queries"
"""Under which mismatches are found in triage; the scenario is the topic."""
EXPECTED = "expected"
"""The kind of their violations."""


class Sent(Frozen):
    """``added`` and ``known`` mismatches are in triage; ``unusable`` ones have an empty answer."""

    added: int
    known: int
    unusable: int


def send_to_triage(
    loaded: LoadedSpec, workspace: Workspace, asking: Asking, answers: Sequence[Answered], queries: Sequence[Query]
) -> Sent:
    """Keep each mismatch as a pending example whose judgement says what was expected. Sent again it adds the rest."""
    store, people = workspace.examples, {one.id: one.person for one in queries}
    known_before = {name for _, name in store.ids()}
    added = known = unusable = 0
    for answer in answers:
        if not answer.mismatches:
            continue
        example = _example(loaded, asking, answer)
        if conversation_problem(answer.messages):
            unusable += 1
        elif example.id in known_before:
            known += 1
        else:
            person = people.get(answer.query_id)
            if person is not None:  # of the example, not of the bank
                store.add_person(person.model_copy(update={"source": "hand"}))
            store.add_example(example, _judgement(loaded, answer))
            known_before.add(example.id)
            added += 1
    return Sent(added=added, known=known, unusable=unusable)


def upheld(workspace: Workspace, answers: Sequence[Answered]) -> Rate:
    """Of the mismatches that somebody decided on, the share that they corrected or rejected."""
    rows = workspace.examples.rows_of([_id(answer) for answer in answers if answer.mismatches])
    decided = [row.decision.action for row in rows.values() if row is not None and row.decision is not None]
    return wilson(sum(action in ("edit", "reject") for action in decided), len(decided))


def _id(answer: Answered) -> str:
    return f"asked-{digest(answer.messages)}"


def _example(loaded: LoadedSpec, asking: Asking, answer: Answered) -> Example:
    return Example(
        id=_id(answer),
        spec_hash=loaded.hash,
        category=CATEGORY,
        scenario=answer.topic,
        person_id=answer.person_id or "anybody",
        messages=answer.messages,
        origin="asked",
        author=f"{answer.chatbot} {answer.side}".strip(),
        job_id=f"asking {asking.id}",
        created=datetime.now(UTC),
    )


def _judgement(loaded: LoadedSpec, answer: Answered) -> Judgement:
    """``unscored``: it decides nothing, and tells what was expected."""
    return Judgement(
        judge=answer.judge,
        spec_hash=loaded.hash,
        digest=digest(answer.messages),
        verdict="unscored",
        violations=tuple(
            Violation(kind=EXPECTED, name=f"{mark.verdict}: {mark.expected}", quote=mark.quote)
            for mark in answer.mismatches
        ),
        at=datetime.now(UTC),
    )
