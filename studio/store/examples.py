"""``examples.db``: everything that is large or hot. Every writing method is one transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal, TypeVar

from studio.calls import CallRecord
from studio.chatml import Messages
from studio.store import bodies, calls, counting, decisions, people
from studio.store.calls import Spent
from studio.store.database import BUSY_S, Database
from studio.store.filters import Filter
from studio.store.records import CategoryCount, Decision, Example, Judgement, Outdated, Person, Row
from studio.store.standing import settle
from studio.store.views import Views

Item = TypeVar("Item")

ALL = Filter()
_CHUNK = 500
"""Rows read at once where all are wanted."""


class ExampleStore:
    """Any number of processes and threads may use the same file at once.

    What was written survives a kill of the process as soon as the method returns; decisions survive a power cut too.
    Raises :class:`studio.errors.UserError` where the file is locked, damaged, or on a full disk.
    """

    def __init__(self, path: Path, busy_s: float = BUSY_S) -> None:
        self.database = Database(path, busy_s)
        self._views = Views(self.database)

    @property
    def path(self) -> Path:
        return self.database.path

    def close(self) -> None:
        self.database.close()

    def data_version(self) -> int:
        """Another number than before once anything was written, by any process."""
        return self.database.version()

    # People

    def add_person(self, person: Person) -> None:
        """Keep somebody; an id that is there already is left as it is."""
        with self.database.writing() as connection:
            people.add(connection, person)

    def replace_person(self, old_id: str, person: Person) -> None:
        """Keep somebody in the place of another, who stays where an example names them."""
        with self.database.writing() as connection:
            people.replace(connection, old_id, person)

    def person(self, person_id: str) -> Person | None:
        with self.database.reading() as connection:
            return people.get(connection, person_id)

    def people(self, source: str | None = None) -> list[Person]:
        """Everybody, or those of one source, in the order in which they came."""
        with self.database.reading() as connection:
            return people.all_of(connection, source)

    def remove_unused_people(self, source: str) -> int:
        """Forget those of one source whom no example names; how many they were."""
        with self.database.writing() as connection:
            return people.remove_unused(connection, source)

    # Examples, judgements and decisions

    def add_example(self, example: Example, judgement: Judgement | None = None) -> int:
        """Keep an example with its first judgement; its ``seq``. One that is there already is left as it is.

        Raises ValueError where the id belongs to another conversation.
        """
        with self.database.writing() as connection:
            there = bodies.seq_of(connection, example.id)
            if there is not None:
                if bodies.find(connection, example.id)[1].messages != example.messages:
                    raise ValueError(f"{example.id} is the id of another conversation")
                return there
            seq = bodies.insert(connection, example)
            if judgement is not None:
                connection.execute(
                    "INSERT INTO judgements (seq, body) VALUES (?, ?)", (seq, judgement.model_dump_json())
                )
            settle(connection, seq, example)
            return seq

    def add_judgement(self, example_id: str, judgement: Judgement) -> None:
        """Judge again. Earlier judgements are kept; a person's decision goes on standing."""
        with self.database.writing() as connection:
            seq, example = bodies.find(connection, example_id)
            connection.execute("INSERT INTO judgements (seq, body) VALUES (?, ?)", (seq, judgement.model_dump_json()))
            settle(connection, seq, example)

    def judgements(self, example_id: str) -> list[Judgement]:
        """All of one example's, oldest first."""
        with self.database.reading() as connection:
            seq, _ = bodies.find(connection, example_id)
            found = connection.execute("SELECT body FROM judgements WHERE seq = ? ORDER BY id", (seq,))
            return [Judgement.model_validate_json(body) for (body,) in found]

    def judged_otherwise(self, judge: str, version: str) -> list[Outdated]:
        """Examples of which that judge's judgement stands, in another version than this; in order of arrival.

        It takes 1 ms a thousand examples.
        """
        with self.database.reading() as connection:
            return counting.judged_otherwise(connection, judge, version)

    def decide(self, decision: Decision) -> Decision:
        """Let a decision stand; it comes back with its id. What was undone before can no longer be redone."""
        with self.database.writing(durable=True) as connection:
            return decisions.add(connection, decision)

    def undo(self) -> list[Decision]:
        """Take back the last decision that stands, with its batch, whoever made it; empty where there is none."""
        with self.database.writing(durable=True) as connection:
            return decisions.undo(connection)

    def redo(self) -> list[Decision]:
        """Put back what the last undo took; empty where there is nothing, or somebody decided since."""
        with self.database.writing(durable=True) as connection:
            return decisions.redo(connection)

    def decisions(self, example_id: str) -> list[Decision]:
        """What was decided of one example and not undone, oldest first."""
        with self.database.reading() as connection:
            return decisions.history(connection, example_id)

    # Lists

    def row(self, example_id: str) -> Row | None:
        with self.database.snapshot() as connection:
            seq = bodies.seq_of(connection, example_id)
            return None if seq is None else bodies.rows(connection, [seq])[0]

    def rows(self, filter: Filter = ALL, offset: int = 0, limit: int = 100) -> list[Row]:
        """A stretch of the filtered list, in the order of arrival."""
        with self._views.of(filter) as (view, connection):
            return bodies.rows(connection, view.seqs[offset : offset + limit])

    def each(self, filter: Filter = ALL) -> Iterator[Row]:
        """The whole filtered list as it is now, a few hundred rows in memory at a time."""
        return self._chunked(filter, bodies.rows)

    def conversations(self, filter: Filter = ALL) -> Iterator[tuple[str, Messages]]:
        """Ids and conversations, as they stand, of the whole filtered list."""
        return self._chunked(filter, bodies.conversations)

    def _chunked(
        self, filter: Filter, read: Callable[[sqlite3.Connection, Sequence[int]], list[Item]]
    ) -> Iterator[Item]:
        with self._views.of(filter) as (view, _):
            seqs = view.seqs[:]
        for start in range(0, len(seqs), _CHUNK):
            with self.database.snapshot() as connection:
                found = read(connection, seqs[start : start + _CHUNK])
            yield from found

    def count(self, filter: Filter = ALL) -> int:
        with self._views.of(filter) as (view, _):
            return len(view.seqs)

    def index_of(self, example_id: str, filter: Filter = ALL) -> int | None:
        """The place, from 0, of an example in the filtered list; None where it is not in it."""
        with self._views.of(filter) as (view, connection):
            seq = bodies.seq_of(connection, example_id)
            return None if seq is None else view.place(seq)

    def next_from(self, seq: int, filter: Filter = ALL, step: Literal[1, -1] = 1) -> Row | None:
        """The next row of the filtered list after (before, with -1) the row ``seq``, around its end."""
        with self._views.of(filter) as (view, connection):
            found = view.next_from(seq, step)
            return None if found is None else bodies.rows(connection, [found])[0]

    def ids(self, after: int = 0) -> list[tuple[int, str]]:
        """``seq`` and id of every example that arrived after ``seq`` = ``after``, in the order of arrival."""
        with self.database.reading() as connection:
            return bodies.ids(connection, after)

    def newest(self) -> int:
        """``seq`` of the newest example; 0 where there is none. Numbers have no gaps."""
        with self.database.reading() as connection:
            return int(connection.execute("SELECT coalesce(max(seq), 0) FROM examples").fetchone()[0])

    # Figures

    def counts(self, spec_hash: str | None = None) -> list[CategoryCount]:
        """By category; of one spec's examples (:attr:`Filter.spec_hash`) or of all."""
        with self.database.reading() as connection:
            return counting.by_category(connection, spec_hash)

    def scenario_counts(self, spec_hash: str | None = None) -> dict[tuple[str, str], CategoryCount]:
        """By (category, scenario)."""
        with self.database.reading() as connection:
            return counting.by_scenario(connection, spec_hash)

    def reasons(self) -> dict[str, int]:
        """Why examples stand rejected, the most frequent first; one may have several reasons."""
        with self.database.reading() as connection:
            return counting.by_reason(connection)

    # Calls

    def call(self, key: str) -> CallRecord | None:
        with self.database.reading() as connection:
            return calls.get(connection, key)

    def add_call(self, record: CallRecord) -> None:
        """Keep an answer; of two with the same key the first."""
        with self.database.writing() as connection:
            calls.add(connection, record)

    def spent(self) -> Spent:
        with self.database.reading() as connection:
            return calls.spent(connection)
