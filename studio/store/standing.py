"""What an example comes to: the newest judgement of its text, the decision that stands, and the status that follows."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable

from studio.chatml import Messages, digest
from studio.store import search
from studio.store.records import Action, Decision, Example, Judgement, Status, Verdict

_DECIDED: dict[Action, Status] = {"accept": "accepted", "edit": "accepted", "reject": "rejected"}
_JUDGED: dict[Verdict, Status] = {"passed": "accepted", "failed": "rejected", "unscored": "pending", "error": "pending"}


def settle(connection: sqlite3.Connection, seq: int, example: Example) -> None:
    """Bring the standing of an example in line with what was said of it, in the transaction that said it."""
    decision = standing_decision(connection, seq)
    messages = decision.messages if decision and decision.messages else example.messages
    judgement_id, judgement = standing_judgement(connection, seq, example, messages)
    status = _status(judgement, decision)
    connection.execute(
        "INSERT INTO standings (seq, category, scenario, person_id, spec_hash, judgement, decision, status, changed)"
        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1 + (SELECT coalesce(max(changed), 0) FROM standings))"
        " ON CONFLICT DO UPDATE SET spec_hash = excluded.spec_hash, judgement = excluded.judgement,"
        " decision = excluded.decision, status = excluded.status, changed = excluded.changed",
        (
            seq,
            example.category,
            example.scenario,
            example.person_id,
            judgement.spec_hash if judgement else example.spec_hash,
            judgement_id,
            decision.id if decision else None,
            status,
        ),
    )
    _set_reasons(connection, seq, _reasons(status, judgement, decision))
    _set_words(connection, seq, messages)


def standing_judgement(
    connection: sqlite3.Connection, seq: int, example: Example, messages: Messages
) -> tuple[int | None, Judgement | None]:
    """The newest one of ``messages``, with its id; where there is none of them, the newest of any."""
    found = connection.execute("SELECT id, body FROM judgements WHERE seq = ? ORDER BY id DESC", (seq,))
    judgements = [(number, Judgement.model_validate_json(body)) for number, body in found]
    original, wanted = digest(example.messages), digest(messages)
    of_these = (one for one in judgements if (one[1].digest or original) == wanted)
    return next(of_these, judgements[0] if judgements else (None, None))


def standing_decision(connection: sqlite3.Connection, seq: int) -> Decision | None:
    """The last one that was not undone; None where that is a reset."""
    found = connection.execute(
        "SELECT id, body FROM decisions WHERE seq = ? AND state = 'done' ORDER BY id DESC LIMIT 1", (seq,)
    )
    for number, body in found:
        decision = read_decision(number, body)
        return None if decision.action == "reset" else decision
    return None


def read_decision(number: int, body: str) -> Decision:
    """A decision as stored, with the id that the table gave it."""
    return Decision.model_validate_json(body).model_copy(update={"id": number})


def _status(judgement: Judgement | None, decision: Decision | None) -> Status:
    if decision is not None:
        return _DECIDED[decision.action]
    return _JUDGED[judgement.verdict] if judgement is not None else "pending"


def _reasons(status: Status, judgement: Judgement | None, decision: Decision | None) -> tuple[str, ...]:
    if status != "rejected":
        return ()
    if decision is not None:
        return (decision.reason,) if decision.reason else ()
    return judgement.reasons if judgement is not None else ()


def _set_reasons(connection: sqlite3.Connection, seq: int, reasons: Iterable[str]) -> None:
    there = {reason for (reason,) in connection.execute("SELECT reason FROM reasons WHERE seq = ?", (seq,))}
    wanted = set(reasons)
    connection.executemany("DELETE FROM reasons WHERE reason = ? AND seq = ?", [(r, seq) for r in there - wanted])
    connection.executemany("INSERT INTO reasons VALUES (?, ?)", [(r, seq) for r in sorted(wanted - there)])


def _set_words(connection: sqlite3.Connection, seq: int, messages: Messages) -> None:
    words = search.words(messages)
    found = connection.execute("SELECT words FROM search WHERE rowid = ?", (seq,)).fetchone()
    if found is None:
        connection.execute("INSERT INTO search (rowid, words) VALUES (?, ?)", (seq, words))
    elif found[0] != words:
        connection.execute("UPDATE search SET words = ? WHERE rowid = ?", (words, seq))
