"""Documents in ``examples.db``: what is written whole and looked up by its kind, its id or its run; and what people say
of a run's replies.

A document is the JSON of a model: votes, conversations, evaluations, samples. Earlier versions kept these in
``studio.json``, from where they are moved. Every method is one transaction; what was written survives a power cut.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from studio.chatml import well_formed
from studio.errors import UserError
from studio.store.database import Database
from studio.store.records import PairVote, RunLabel
from studio.store.studiofile import StudioFile, Tables

Model = TypeVar("Model", bound=BaseModel)
Said = TypeVar("Said", RunLabel, PairVote)
MOVED = ("votes", "conversations", "evaluations")
"""Tables of ``studio.json`` that are kinds of documents now; of ``settings`` the samples are."""
_SAMPLE = "sample-"
_GET = "SELECT body FROM documents WHERE kind = ? AND id = ?"
_ADD = (
    "INSERT OR IGNORE INTO documents (kind, id, body, run_id)"
    " VALUES (?1, ?2, ?3, coalesce(json_extract(?3, '$.run_id'), ''))"
)
_PUT = _ADD.replace(" OR IGNORE", "") + " ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body"


class Documents:
    """Models by kind and id. Raises :class:`UserError` where an entry is not what the model expects."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, kind: str, id: str, value: BaseModel) -> None:
        """Keep ``value``, in the place of what was there."""
        with self._database.writing(durable=True) as connection:
            connection.execute(_PUT, (kind, well_formed(id), value.model_dump_json()))

    def update(self, kind: str, id: str, model: type[Model], change: Callable[[Model | None], Model]) -> Model:
        """Replace a document by what ``change`` makes of it, with no other writer in between; the new one."""
        id = well_formed(id)
        with self._database.writing(durable=True) as connection:
            found = connection.execute(_GET, (kind, id)).fetchone()
            value = change(self._read(kind, id, found[0], model) if found else None)
            connection.execute(_PUT, (kind, id, value.model_dump_json()))
            return value

    def get(self, kind: str, id: str, model: type[Model]) -> Model | None:
        with self._database.reading() as connection:
            found = connection.execute(_GET, (kind, well_formed(id))).fetchone()
        return self._read(kind, id, found[0], model) if found else None

    def all(self, kind: str, model: type[Model], *, run_id: str | None = None) -> list[Model]:
        """Every one of a kind, or of a run's, in the order in which they came."""
        return [self._read(kind, id, body, model) for id, body in self._bodies(kind, run_id)]

    def readable(self, kind: str, model: type[Model], *, run_id: str | None = None) -> list[Model]:
        """As :meth:`all`, without those that another version of the studio wrote in another shape."""
        found = []
        for _, body in self._bodies(kind, run_id):
            with suppress(ValidationError):
                found.append(model.model_validate_json(body, extra="ignore"))
        return found

    def stretch(self, kind: str, model: type[Model], offset: int, limit: int) -> list[Model]:
        """A part of a kind, in the order in which they came."""
        query = "SELECT id, body FROM documents WHERE kind = ? ORDER BY number LIMIT ? OFFSET ?"
        with self._database.reading() as connection:
            found = connection.execute(query, (kind, limit, offset)).fetchall()
        return [self._read(kind, id, body, model) for id, body in found]

    def index_of(self, kind: str, id: str) -> int | None:
        """The place, from 0, of a document among those of its kind; None where it is not there."""
        query = (
            "SELECT count(*) - 1, max(id = ?2) FROM documents WHERE kind = ?1 AND number <="
            " (SELECT number FROM documents WHERE kind = ?1 AND id = ?2)"
        )
        with self._database.reading() as connection:
            place, there = connection.execute(query, (kind, well_formed(id))).fetchone()
        return int(place) if there else None

    def ids(self, kind: str) -> list[str]:
        """In the order in which they came."""
        return [id for id, _ in self._bodies(kind, None)]

    def count(self, kind: str) -> int:
        with self._database.reading() as connection:
            return int(connection.execute("SELECT count(*) FROM documents WHERE kind = ?", (kind,)).fetchone()[0])

    def kinds(self) -> dict[str, int]:
        """Every kind that there is, with how many there are of it."""
        with self._database.reading() as connection:
            return dict(connection.execute("SELECT kind, count(*) FROM documents GROUP BY kind").fetchall())

    def remove(self, kind: str, id: str) -> None:
        """Forget a document; no matter if there is none."""
        with self._database.writing(durable=True) as connection:
            connection.execute("DELETE FROM documents WHERE kind = ? AND id = ?", (kind, well_formed(id)))

    def move_from(self, file: StudioFile) -> None:
        """Move what earlier versions kept in ``studio.json``, of which a copy is kept (``studio.v2.json``).

        A kill in between loses nothing: what is here already stays as it is, and is then removed there. A file that
        cannot be read is left as it is, for whatever needs it to say so.
        """
        try:
            there = _moved(file.tables())
        except UserError:
            return
        if not there:
            return
        if self._database.read_only:
            self._database.add_to_copy(_ADD, there)
            return
        file.keep_copy("v2")

        def move(tables: Tables) -> None:
            moved = _moved(tables)
            with self._database.writing(durable=True) as connection:
                connection.executemany(_ADD, moved)
            for kind in MOVED:
                tables.pop(kind, None)
            for kind, id, _ in moved:
                if kind == "samples":
                    del tables["settings"][id]

        file.change(move)

    def _bodies(self, kind: str, run_id: str | None) -> list[tuple[str, str]]:
        where, values = ("", [kind]) if run_id is None else (" AND run_id = ?", [kind, run_id])
        with self._database.reading() as connection:
            return connection.execute(
                f"SELECT id, body FROM documents WHERE kind = ?{where} ORDER BY number", values
            ).fetchall()

    def _read(self, kind: str, id: str, body: str, model: type[Model]) -> Model:
        try:
            return model.model_validate_json(body, extra="ignore")
        except ValidationError as error:
            where = f"{self._database.path}: {kind}.{id}"
            raise UserError(
                f"not a valid {model.__name__}", where=where, remedy="it may be another version's"
            ) from error


def _moved(tables: Tables) -> list[tuple[str, str, str]]:
    """Kind, id and body of what is not to stay in ``studio.json``."""
    found = [(kind, id, body) for kind in MOVED for id, body in tables.get(kind, {}).items()]
    settings = tables.get("settings", {}).items()
    found += [("samples", id, body) for id, body in settings if id.startswith(_SAMPLE)]
    return [(kind, id, json.dumps(body, ensure_ascii=False)) for kind, id, body in found]


class RunLabels:
    """Labels of a run's replies, and votes on its pairs: what people say of a training run."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, label: RunLabel) -> None:
        """Keep a label, in the place of an earlier one of the same reply."""
        values = (label.run_id, label.probe_id, label.side, label.digest, label.model_dump_json())
        with self._database.writing(durable=True) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO run_labels (run_id, probe_id, side, digest, body) VALUES (?, ?, ?, ?, ?)",
                values,
            )

    def vote(self, vote: PairVote) -> None:
        """Keep a vote, in the place of an earlier one on the same pair."""
        values = (vote.run_id, vote.probe_id, vote.digest, vote.model_dump_json())
        with self._database.writing(durable=True) as connection:
            connection.execute(
                "INSERT OR REPLACE INTO pair_votes (run_id, probe_id, digest, body) VALUES (?, ?, ?, ?)", values
            )

    def of_run(self, run_id: str) -> list[RunLabel]:
        """All labels of a run, oldest first."""
        return self._read("run_labels", run_id, RunLabel)

    def votes_of_run(self, run_id: str) -> list[PairVote]:
        """All votes on a run's pairs, oldest first."""
        return self._read("pair_votes", run_id, PairVote)

    def undo(self, run_id: str, by: str) -> RunLabel | None:
        """Take back the newest label of a run that ``by`` gave; None where there is none."""
        return self._undo("run_labels", run_id, by, RunLabel)

    def undo_vote(self, run_id: str, by: str) -> PairVote | None:
        """Take back the newest vote on a run's pairs that ``by`` gave; None where there is none."""
        return self._undo("pair_votes", run_id, by, PairVote)

    def _read(self, table: str, run_id: str, model: type[Said]) -> list[Said]:
        with self._database.reading() as connection:
            found = connection.execute(f"SELECT body FROM {table} WHERE run_id = ? ORDER BY id", (run_id,))
            return [model.model_validate_json(body, extra="ignore") for (body,) in found]

    def _undo(self, table: str, run_id: str, by: str, model: type[Said]) -> Said | None:
        newest = (
            f"DELETE FROM {table} WHERE id = (SELECT max(id) FROM {table}"
            " WHERE run_id = ? AND json_extract(body, '$.by') = ?) RETURNING body"
        )
        with self._database.writing(durable=True) as connection:
            found: sqlite3.Row | tuple[str] | None = connection.execute(newest, (run_id, by)).fetchone()
            return model.model_validate_json(found[0], extra="ignore") if found else None
