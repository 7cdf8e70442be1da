"""Examples as they lie in the file, and as the rows that lists show; the prompt's contents lie apart, since thousands
share them."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from studio.chatml import Message, Messages, well_formed
from studio.errors import UserError
from studio.store.judgements import read_decision
from studio.store.records import Example, Judgement, Row, Text

_ROW = (
    "SELECT standings.seq, examples.body, judgements.body, decisions.id, decisions.body, status"
    " FROM standings JOIN examples USING (seq)"
    " LEFT JOIN judgements ON judgements.id = judgement LEFT JOIN decisions ON decisions.id = decision"
    " WHERE standings.seq IN (SELECT value FROM json_each(?)) ORDER BY standings.seq"
)
_CONVERSATION = (
    "SELECT examples.id, json_extract(examples.body, '$.messages'),"
    " json_extract(decisions.body, '$.messages')"
    " FROM standings JOIN examples USING (seq) LEFT JOIN decisions ON decisions.id = decision"
    " WHERE standings.seq IN (SELECT value FROM json_each(?)) ORDER BY standings.seq"
)
_TEXT = (
    "SELECT examples.id, category, scenario, person_id, json_extract(examples.body, '$.origin'),"
    " json_extract(examples.body, '$.author'), status, json_extract(decisions.body, '$.action'),"
    " iif(status = 'rejected', (SELECT json_group_array(reason) FROM"
    "   (SELECT reason FROM reasons WHERE reasons.seq = standings.seq ORDER BY reason)), NULL),"
    " json_extract(decisions.body, '$.messages'), json_extract(examples.body, '$.messages')"
    " FROM standings JOIN examples USING (seq) LEFT JOIN decisions ON decisions.id = decision"
    " WHERE standings.seq IN (SELECT value FROM json_each(?)) ORDER BY standings.seq"
)


def insert(connection: sqlite3.Connection, example: Example) -> int:
    """Store a new example; its ``seq``."""
    prompt = tuple(
        Message.model_construct(role=turn.role, content=str(_text_id(connection, turn.content)))
        for turn in example.prompt
    )
    body = example.model_copy(update={"prompt": prompt}).model_dump_json()
    cursor = connection.execute("INSERT INTO examples (id, body) VALUES (?, ?)", (example.id, body))
    assert cursor.lastrowid is not None, "a row was inserted"
    return cursor.lastrowid


def seq_of(connection: sqlite3.Connection, example_id: str) -> int | None:
    found = connection.execute("SELECT seq FROM examples WHERE id = ?", (well_formed(example_id),)).fetchone()
    return None if found is None else int(found[0])


def known(connection: sqlite3.Connection, example_ids: Sequence[str]) -> dict[str, int]:
    """Their ``seq`` by id. Raises :class:`UserError` where one is not there."""
    wanted = [well_formed(name) for name in example_ids]
    found = dict(
        connection.execute(
            "SELECT id, seq FROM examples WHERE id IN (SELECT value FROM json_each(?))", (json.dumps(wanted),)
        )
    )
    missing = next((name for name in wanted if name not in found), None)
    if missing is not None:
        raise unknown(missing)
    return found


def unknown(example_id: str) -> UserError:
    return UserError(f"no example {example_id}", remedy="it may be another persona's, or another workspace's")


def find(connection: sqlite3.Connection, example_id: str) -> tuple[int, Example]:
    """The example, with its ``seq`` and without its prompt. Raises :class:`UserError` where there is none."""
    found = connection.execute("SELECT seq, body FROM examples WHERE id = ?", (well_formed(example_id),)).fetchone()
    if found is None:
        raise unknown(example_id)
    return int(found[0]), read_example(found[1])


def read_example(body: str) -> Example:
    """An example as stored, without the contents of its prompt."""
    return Example.model_validate_json(body, extra="ignore")


def newest(connection: sqlite3.Connection) -> int:
    """``seq`` of the newest example; 0 where there is none."""
    return int(connection.execute("SELECT coalesce(max(seq), 0) FROM examples").fetchone()[0])


def ids(connection: sqlite3.Connection, after: int) -> list[tuple[int, str]]:
    """``seq`` and id of those that came after ``after``."""
    if after == 0:  # all of them: unsorted, so that the index of ids is read and no body
        return sorted(connection.execute("SELECT seq, id FROM examples"))
    return connection.execute("SELECT seq, id FROM examples WHERE seq > ? ORDER BY seq", (after,)).fetchall()


def texts(connection: sqlite3.Connection, seqs: Sequence[int]) -> list[Text]:
    """As :func:`conversations`, with what is said of them."""
    found: list[Text] = []
    for *told, reasons, edited, original in connection.execute(_TEXT, (json.dumps(list(seqs)),)).fetchall():
        written = _messages(original)
        stands = written if edited in (None, "[]") else _messages(edited)
        found.append(Text._make((*told, tuple(json.loads(reasons or "[]")), stands, written)))
    return found


def versions(connection: sqlite3.Connection, seq: int, example: Example) -> list[Messages]:
    """What an example was written as, and every edit that was ever made of it, undone ones too."""
    edits = connection.execute(
        "SELECT json_extract(body, '$.messages') FROM decisions"
        " WHERE seq = ? AND json_extract(body, '$.messages[0]') IS NOT NULL ORDER BY id",
        (seq,),
    )
    return [example.messages, *(_messages(body) for (body,) in edits)]


def conversations(connection: sqlite3.Connection, seqs: Sequence[int]) -> list[tuple[str, Messages]]:
    """Ids and messages as they stand, in order of ``seq``: a tenth of the work of whole rows."""
    found = connection.execute(_CONVERSATION, (json.dumps(list(seqs)),)).fetchall()
    return [(name, _messages(edited if edited not in (None, "[]") else original)) for name, original, edited in found]


def _messages(body: str) -> Messages:
    return tuple(Message(role=turn["role"], content=turn["content"]) for turn in json.loads(body))


def rows(connection: sqlite3.Connection, seqs: Sequence[int]) -> list[Row]:
    """Whole rows, in order of ``seq``."""
    found = connection.execute(_ROW, (json.dumps(list(seqs)),)).fetchall()
    made = [_row(*values) for values in found]
    contents = _contents(connection, {int(message.content) for row in made for message in row.example.prompt})
    return [_with_prompt(row, contents) for row in made]


def _row(seq: int, body: str, judged: str | None, decision_id: int | None, decided: str | None, status: Any) -> Row:
    example = read_example(body)
    decision = read_decision(decision_id, decided) if decision_id is not None and decided is not None else None
    return Row(
        seq=seq,
        example=example,
        judgement=Judgement.model_validate_json(judged, extra="ignore") if judged is not None else None,
        decision=decision,
        status=status,
        messages=decision.messages if decision and decision.messages else example.messages,
    )


def _with_prompt(row: Row, contents: Mapping[int, str]) -> Row:
    if not row.example.prompt:
        return row
    prompt: Messages = tuple(
        Message(role=message.role, content=contents[int(message.content)]) for message in row.example.prompt
    )
    return row.model_copy(update={"example": row.example.model_copy(update={"prompt": prompt})})


def _contents(connection: sqlite3.Connection, ids: Iterable[int]) -> dict[int, str]:
    wanted = json.dumps(sorted(ids))
    return dict(
        connection.execute("SELECT id, content FROM texts WHERE id IN (SELECT value FROM json_each(?))", (wanted,))
    )


def _text_id(connection: sqlite3.Connection, content: str) -> int:
    digest = hashlib.sha256(content.encode()).digest()
    found = connection.execute("SELECT id FROM texts WHERE digest = ?", (digest,)).fetchone()
    if found is not None:
        return int(found[0])
    cursor = connection.execute("INSERT INTO texts (digest, content) VALUES (?, ?)", (digest, content))
    assert cursor.lastrowid is not None, "a row was inserted"
    return cursor.lastrowid
