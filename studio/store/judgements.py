"""What an example comes to: the newest judgement of its text, the decision that stands, and the status that follows."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence

from studio.chatml import Messages, digest, last_reply
from studio.store import search
from studio.store.records import Action, Decision, Example, Judgement, Outdated, Status, Verdict

_DECIDED: dict[Action, Status] = {"accept": "accepted", "edit": "accepted", "reject": "rejected"}
_JUDGED: dict[Verdict, Status] = {"passed": "accepted", "failed": "rejected", "unscored": "pending", "error": "pending"}
_NEXT = "1 + (SELECT coalesce(max(changed), 0) FROM standings)"
_FIXED = ("seq", "category", "scenario", "person_id", "origin", "job_id")
_MOVING = ("spec_hash", "judgement", "decision", "status", "words", "judge", "total", "marks", "violated", "edited")
"""Columns of ``standings`` that what is said of an example changes; ``flagged`` and ``changed`` besides."""
_ADD = (
    f"INSERT INTO standings ({', '.join((*_FIXED, *_MOVING))}, flagged, changed)"
    f" VALUES ({', '.join('?' * len((*_FIXED, *_MOVING)))}, (SELECT EXISTS ("
    "  SELECT 1 FROM documents WHERE kind = 'reviews' AND id = ? AND json_extract(body, '$.failed[0]') IS NOT NULL"
    f"  AND json_extract(body, '$.digest') = ?)), {_NEXT})"
)
_SET = ", ".join(f"{name} = excluded.{name}" for name in (*_MOVING, "flagged", "changed"))
_NO_RULE = ("boundary", "pattern_timeout")
"""Kinds of violations that no rule of form found."""


def add(connection: sqlite3.Connection, seq: int, judgement: Judgement) -> int:
    """Append a judgement; its id."""
    cursor = connection.execute("INSERT INTO judgements (seq, body) VALUES (?, ?)", (seq, judgement.model_dump_json()))
    assert cursor.lastrowid is not None, "a row was inserted"
    return cursor.lastrowid


def history(connection: sqlite3.Connection, seq: int) -> list[Judgement]:
    """All of one example's, oldest first."""
    found = connection.execute("SELECT body FROM judgements WHERE seq = ? ORDER BY id", (seq,))
    return [Judgement.model_validate_json(body, extra="ignore") for (body,) in found]


def judged_otherwise(connection: sqlite3.Connection, judge: str, version: str) -> list[Outdated]:
    """Examples of which that judge's judgement stands, in another version than this."""
    found = connection.execute(
        "SELECT examples.id, category, scenario, spec_hash, status FROM standings JOIN examples USING (seq)"
        " JOIN judgements ON judgements.id = judgement WHERE json_extract(judgements.body, '$.judge') = ?"
        " AND coalesce(json_extract(judgements.body, '$.judge_version'), '') <> ? ORDER BY standings.seq",
        (judge, version),
    )
    return [Outdated(*values) for values in found]


# What stands


def stand_new(connection: sqlite3.Connection, seq: int, example: Example, judgement: Judgement | None) -> None:
    """The standing of an example that has just come, with its first judgement."""
    judgement_id = add(connection, seq, judgement) if judgement is not None else None
    status = _status(judgement, None)
    connection.execute(_ADD, _standing(seq, example, example.messages, judgement_id, judgement, None))
    reasons = set(_reasons(status, judgement, None))
    connection.executemany("INSERT INTO reasons VALUES (?, ?)", [(reason, seq) for reason in sorted(reasons)])
    connection.execute("INSERT INTO search (rowid, words) VALUES (?, ?)", (seq, search.words(example.messages)))


def settle(connection: sqlite3.Connection, seq: int, example: Example) -> None:
    """Bring the standing of an example in line with all that was said of it, in the transaction that said it."""
    decision = standing_decision(connection, seq)
    messages = decision.messages if decision and decision.messages else example.messages
    judgement_id, judgement = _standing_judgement(connection, seq, example, messages)
    status = _status(judgement, decision)
    values = _standing(seq, example, messages, judgement_id, judgement, decision)
    connection.execute(f"{_ADD} ON CONFLICT DO UPDATE SET {_SET}", values)
    _set_reasons(connection, [(seq, reason) for reason in _reasons(status, judgement, decision)], [seq])
    _set_words(connection, seq, messages)


def _standing(
    seq: int,
    example: Example,
    messages: Messages,
    judgement_id: int | None,
    judgement: Judgement | None,
    decision: Decision | None,
) -> tuple[object, ...]:
    """The values of ``_FIXED`` and ``_MOVING``, id and digest. What a judge said of another text is left out."""
    said, stands = judgement, digest(messages)
    if said is not None and messages != example.messages and said.digest != stands:
        said = None
    marks = {name: trait.score for name, trait in said.traits.items()} if said else {}
    return (
        *(seq, example.category, example.scenario, example.person_id, example.origin, example.job_id),
        judgement.spec_hash if judgement else example.spec_hash,
        judgement_id,
        decision.id if decision else None,
        _status(judgement, decision),
        len(last_reply(messages).split()),
        said.judge if said else "",
        said.total if said else None,
        json.dumps(marks, ensure_ascii=False),
        any(one.kind not in _NO_RULE for one in said.violations) if said else False,
        messages != example.messages,
        *(example.id, stands),
    )


def settle_decisions(connection: sqlite3.Connection, seqs: Sequence[int]) -> None:
    """As :func:`settle` of many whose text does not change: only their decision does, and what follows from it."""
    found = connection.execute(
        "SELECT standing.seq, json_extract(judgements.body, '$.verdict'), json_extract(judgements.body, '$.reasons'),"
        " decisions.id, json_extract(decisions.body, '$.action'), json_extract(decisions.body, '$.reason')"
        " FROM (SELECT seq, judgement,"
        "   (SELECT max(id) FROM decisions WHERE decisions.seq = standings.seq AND state = 'done') AS newest"
        "   FROM standings WHERE seq IN (SELECT value FROM json_each(?))) AS standing"
        " LEFT JOIN judgements ON judgements.id = judgement LEFT JOIN decisions ON decisions.id = newest",
        (json.dumps(list(seqs)),),
    ).fetchall()
    (changed,) = connection.execute("SELECT coalesce(max(changed), 0) FROM standings").fetchone()
    standing: list[tuple[int | None, Status, int, int]] = []
    reasons: list[tuple[int, str]] = []
    for number, (seq, verdict, judged, decision, action, reason) in enumerate(found, 1):
        if action is None or action == "reset":
            decision = None
            status: Status = _JUDGED[verdict] if verdict is not None else "pending"
            why = json.loads(judged) if status == "rejected" and judged else []
        else:
            status = _DECIDED[action]
            why = [reason] if status == "rejected" and reason else []
        standing.append((decision, status, changed + number, seq))
        reasons += [(seq, one) for one in dict.fromkeys(why)]
    connection.executemany("UPDATE standings SET decision = ?, status = ?, changed = ? WHERE seq = ?", standing)
    _set_reasons(connection, reasons, seqs)


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
    return Decision.model_validate_json(body, extra="ignore").model_copy(update={"id": number})


def _standing_judgement(
    connection: sqlite3.Connection, seq: int, example: Example, messages: Messages
) -> tuple[int | None, Judgement | None]:
    """The newest one of ``messages``, with its id; where there is none of them, the newest of any."""
    found = connection.execute("SELECT id, body FROM judgements WHERE seq = ? ORDER BY id DESC", (seq,))
    judgements = [(number, Judgement.model_validate_json(body, extra="ignore")) for number, body in found]
    original, wanted = digest(example.messages), digest(messages)
    of_these = (one for one in judgements if (one[1].digest or original) == wanted)
    return next(of_these, judgements[0] if judgements else (None, None))


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


def _set_reasons(connection: sqlite3.Connection, reasons: Iterable[tuple[int, str]], seqs: Sequence[int]) -> None:
    """``reasons`` are all that there are for ``seqs``."""
    asked = (json.dumps(list(seqs)),)
    found = "SELECT seq, reason FROM reasons WHERE seq IN (SELECT value FROM json_each(?))"
    there, wanted = set(connection.execute(found, asked)), set(reasons)
    connection.executemany("DELETE FROM reasons WHERE seq = ? AND reason = ?", sorted(there - wanted))
    connection.executemany("INSERT INTO reasons (seq, reason) VALUES (?, ?)", sorted(wanted - there))


def _set_words(connection: sqlite3.Connection, seq: int, messages: Messages) -> None:
    words = search.words(messages)
    found = connection.execute("SELECT words FROM search WHERE rowid = ?", (seq,)).fetchone()
    if found is None:
        connection.execute("INSERT INTO search (rowid, words) VALUES (?, ?)", (seq, words))
    elif found[0] != words:
        connection.execute("UPDATE search SET words = ? WHERE rowid = ?", (words, seq))
        connection.execute("DELETE FROM signatures WHERE seq = ?", (seq,))
