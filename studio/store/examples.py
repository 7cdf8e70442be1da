"""``examples.db``: everything that is large or hot. Every writing method is one transaction."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import reduce
from pathlib import Path
from typing import Literal, TypeVar

from studio.calls import CallRecord, Spent
from studio.chatml import Messages
from studio.store import calls, cross, decisions, judgements, lists, people, rows
from studio.store.crowd import Crowd
from studio.store.database import BUSY_S, Database, GivesUp, WouldWait
from studio.store.lists import Filter, Views
from studio.store.records import CategoryCount, Decision, Example, Judgement, Outdated, Person, Row, Text

Item = TypeVar("Item")

ALL = Filter()
_CHUNK = 500
"""Rows read at once where all are wanted."""


class ExampleStore:
    """Any number of processes and threads may use the same file at once.

    What was written survives a kill of the process as soon as the method returns; decisions survive a power cut too.
    Raises :class:`studio.errors.UserError` where the file is locked, damaged, or on a full disk.
    """

    def __init__(self, path: Path, busy_s: float = BUSY_S, gives_up: GivesUp | None = None) -> None:
        """As :class:`studio.store.database.Database`."""
        self.database = Database(path, busy_s, gives_up)
        self._views = Views(self.database)
        self.crowd = Crowd(self.database)
        """The people as lists."""

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

    def remove_people(self, ids: Iterable[str]) -> int:
        """Forget them, but for those whom an example names; how many they were."""
        with self.database.writing() as connection:
            return people.remove(connection, ids)

    def add_people(self, several: Iterable[Person]) -> int:
        """Keep all of them or, where anything is raised on the way, none; how many were not there already."""
        with self.database.writing() as connection:
            return sum(people.add(connection, person) for person in several)

    def person(self, person_id: str) -> Person | None:
        with self.database.reading() as connection:
            return people.get(connection, person_id)

    def people(self, source: str | None = None) -> list[Person]:
        """Everybody, or those of one source, in the order in which they came."""
        with self.database.reading() as connection:
            return people.all_of(connection, source)

    def each_person(self, source: str | None = None) -> Iterator[Person]:
        """As :meth:`people`, a few hundred at a time: others are served in between."""
        after = 0
        while True:
            with self.database.reading() as connection:
                found = people.each(connection, source, after, _CHUNK)
            yield from (person for _, person in found)
            if len(found) < _CHUNK:
                return
            after = found[-1][0]

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
            return _add(connection, example, judgement)

    def add_examples(self, several: Iterable[tuple[Example, Judgement | None, Person]]) -> int:
        """As :meth:`add_example` with who asks, in one transaction: all of them are kept or, where anything is raised
        on the way, none. How many were not there already."""
        with self.database.writing() as connection:
            before = rows.newest(connection)
            for example, judgement, person in several:
                people.add(connection, person)
                _add(connection, example, judgement)
            return rows.newest(connection) - before

    def add_judgement(self, example_id: str, judgement: Judgement) -> None:
        """Judge again. Earlier judgements are kept; a person's decision goes on standing."""
        with self.database.writing() as connection:
            seq, example = rows.find(connection, example_id)
            judgements.add(connection, seq, judgement)
            judgements.settle(connection, seq, example)

    def judgements(self, example_id: str) -> list[Judgement]:
        """All of one example's, oldest first."""
        with self.database.reading() as connection:
            return judgements.history(connection, rows.find(connection, example_id)[0])

    def judged_otherwise(self, judge: str, version: str) -> list[Outdated]:
        """Examples of which that judge's judgement stands, in another version than this; in order of arrival.

        It takes 1 ms a thousand examples.
        """
        with self.database.reading() as connection:
            return judgements.judged_otherwise(connection, judge, version)

    def decide(self, decision: Decision) -> Decision:
        """Let a decision stand; it comes back with its id. What was undone before can no longer be redone."""
        with self.database.writing(durable=True) as connection:
            return decisions.add(connection, [decision])[0]

    def decide_all(self, wanted: Sequence[Decision]) -> list[Decision]:
        """Many at once, in chunks of :data:`studio.store.decisions.CHUNK`, each a durable transaction: others are
        served in between. Those of one ``batch`` are one step for undo.

        Raises :class:`UserError` where one speaks of an example that is not there; nothing is decided then.
        """
        if len(wanted) > decisions.CHUNK:  # one that is not there ends the first transaction too
            with self.database.reading() as connection:
                rows.known(connection, [one.example_id for one in wanted])
        done: list[Decision] = []
        for start in range(0, len(wanted), decisions.CHUNK):
            with self.database.writing(durable=True) as connection:
                done += decisions.add(connection, wanted[start : start + decisions.CHUNK])
        return done

    def undo(self) -> list[Decision]:
        """Take back the last decision that stands, with its batch, whoever made it; empty where there is none."""
        return self._step(decisions.undo)

    def redo(self) -> list[Decision]:
        """Put back what the last undo took; empty where there is nothing, or somebody decided since."""
        return self._step(decisions.redo)

    def _step(self, move: Callable[[sqlite3.Connection, str | None], list[Decision]]) -> list[Decision]:
        """A whole step, in chunks as :meth:`decide_all`."""
        moved: list[Decision] = []
        while True:
            with self.database.writing(durable=True) as connection:
                chunk = move(connection, moved[0].batch if moved else None)
            moved += chunk
            if len(chunk) < decisions.CHUNK or not moved[0].batch:
                return moved

    def decisions(self, example_id: str) -> list[Decision]:
        """What was decided of one example and not undone, oldest first."""
        with self.database.reading() as connection:
            return decisions.history(connection, example_id)

    # Lists

    def row(self, example_id: str) -> Row | None:
        with self.database.snapshot() as connection:
            seq = rows.seq_of(connection, example_id)
            return None if seq is None else rows.rows(connection, [seq])[0]

    def rows_of(self, example_ids: Sequence[str]) -> dict[str, Row | None]:
        """Rows by id, None where there is none."""
        with self.database.snapshot() as connection:
            seqs = [seq for name in example_ids if (seq := rows.seq_of(connection, name)) is not None]
            found = {row.example.id: row for row in rows.rows(connection, seqs)}
        return {name: found.get(name) for name in example_ids}

    def rows(self, filter: Filter = ALL, offset: int = 0, limit: int = 100) -> list[Row]:
        """A stretch of the filtered list, in its order."""
        with self._views.of(filter) as (view, connection):
            wanted = view.seqs[offset : offset + limit]
            found = rows.rows(connection, wanted)
        if filter.sort == "arrival":
            return found
        by_seq = {row.seq: row for row in found}
        return [by_seq[seq] for seq in wanted]

    def list_ids(self, filter: Filter = ALL, offset: int = 0, limit: int | None = None) -> list[str]:
        """The ids of a stretch of the filtered list, or of all of it, in its order. 1 us each."""
        with self._views.of(filter) as (view, connection):
            wanted = view.seqs[offset : None if limit is None else offset + limit]
            found = dict(
                connection.execute(
                    "SELECT seq, id FROM examples WHERE seq IN (SELECT value FROM json_each(?))",
                    (json.dumps(wanted.tolist()),),
                )
            )
        return [found[seq] for seq in wanted]

    def facets(self, filter: Filter = ALL, traits: Sequence[str] = ()) -> dict[str, dict[str, int]]:
        """As :func:`studio.store.lists.facets`."""
        with self.database.snapshot() as connection:
            return lists.facets(connection, filter.in_order(), traits)

    def refresh(self, example_ids: Sequence[str]) -> None:
        """Bring what lists know of examples in line with their reviews, which are documents."""
        with self.database.writing() as connection:
            for name in example_ids:
                judgements.settle(connection, *rows.find(connection, name))

    def each(self, filter: Filter = ALL) -> Iterator[Row]:
        """The whole filtered list as it is now, in the order of arrival, a few hundred rows in memory at a time."""
        return self._chunked(filter, rows.rows)

    def conversations(self, filter: Filter = ALL) -> Iterator[tuple[str, Messages]]:
        """Ids and conversations, as they stand, of the whole filtered list."""
        return self._chunked(filter, rows.conversations)

    def texts(self, filter: Filter = ALL) -> Iterator[Text]:
        """As :meth:`conversations`, with what is said of them: a third of the work of whole rows."""
        return self._chunked(filter, rows.texts)

    def versions(self, example_id: str) -> list[Messages]:
        """Every conversation that an example ever was: as it was written, and each edit, in their order."""
        with self.database.reading() as connection:
            return rows.versions(connection, *rows.find(connection, example_id))

    def _chunked(
        self, filter: Filter, read: Callable[[sqlite3.Connection, Sequence[int]], list[Item]]
    ) -> Iterator[Item]:
        with self._views.of(filter.in_order()) as (view, _):
            seqs = view.seqs[:]
        for start in range(0, len(seqs), _CHUNK):
            with self.database.snapshot() as connection:
                found = read(connection, seqs[start : start + _CHUNK])
            yield from found

    def count(self, filter: Filter = ALL) -> int:
        with self.database.reading() as connection:
            found = lists.tallied(connection, filter)
        if found is not None:
            return found
        with self._views.of(filter) as (view, _):
            return len(view.seqs)

    def index_of(self, example_id: str, filter: Filter = ALL) -> int | None:
        """The place, from 0, of an example in the filtered list; None where it is not in it."""
        with self._views.of(filter) as (view, connection):
            seq = rows.seq_of(connection, example_id)
            return None if seq is None else view.place(seq)

    def next_from(self, seq: int, filter: Filter = ALL, step: Literal[1, -1] = 1) -> Row | None:
        """The next row of the filtered list after (before, with -1) the row ``seq``, around its end."""
        with self._views.of(filter) as (view, connection):
            found = view.next_from(connection, seq, step)
            return None if found is None else rows.rows(connection, [found])[0]

    def ids(self, after: int = 0) -> list[tuple[int, str]]:
        """``seq`` and id of every example that arrived after ``seq`` = ``after``, in the order of arrival."""
        with self.database.reading() as connection:
            return rows.ids(connection, after)

    def newest(self) -> int:
        """``seq`` of the newest example; 0 where there is none. Numbers have no gaps."""
        with self.database.reading() as connection:
            return rows.newest(connection)

    # Signatures of texts, for finding near-duplicates

    def signatures(self, kinds: Sequence[str]) -> list[tuple[str, str, str, tuple[bytes | None, ...]]]:
        """Id, category, scenario and the signature of each kind, None where there is none, of what may be trained on:
        all examples but those that a judge or a rule rejected, in the order of arrival. 4 us each."""
        columns = "".join(f", s{number}.body" for number in range(len(kinds)))
        joins = "".join(
            f" LEFT JOIN signatures s{number} ON s{number}.kind = ? AND s{number}.seq = standings.seq"
            for number in range(len(kinds))
        )
        with self.database.reading() as connection:
            found = connection.execute(
                f"SELECT examples.id, category, scenario{columns} FROM standings JOIN examples USING (seq){joins}"
                " WHERE status <> 'rejected' OR decision IS NOT NULL ORDER BY standings.seq",
                list(kinds),
            )
            return [(name, category, scenario, tuple(bodies)) for name, category, scenario, *bodies in found]

    def add_signatures(self, wanted: Sequence[tuple[str, str, bytes]]) -> set[str]:
        """Keep signatures, each by its kind and example; the ids of the examples that are there.

        Of an edited example none is kept, since nobody knows which of its texts this one is of.
        """
        with self.database.writing() as connection:
            found = dict(
                connection.execute(
                    "SELECT id, seq FROM examples WHERE id IN (SELECT value FROM json_each(?))",
                    (json.dumps(sorted({name for _, name, _ in wanted})),),
                )
            )
            connection.executemany(
                "INSERT OR REPLACE INTO signatures SELECT ?, standings.seq, ? FROM standings"
                " LEFT JOIN decisions ON decisions.id = decision WHERE standings.seq = ?"
                " AND json_extract(decisions.body, '$.messages[0]') IS NULL",
                [(kind, body, found[name]) for kind, name, body in wanted if name in found],
            )
        return set(found)

    # Figures

    def counts(self, spec_hash: str | None = None) -> list[CategoryCount]:
        """By category; of one spec's examples (:attr:`Filter.spec_hash`) or of all."""
        with self.database.reading() as connection:
            return lists.by_category(connection, spec_hash)

    def scenario_counts(self, spec_hash: str | None = None) -> dict[tuple[str, str], CategoryCount]:
        """By (category, scenario)."""
        with self.database.reading() as connection:
            return lists.by_scenario(connection, spec_hash)

    def reasons(self) -> dict[str, int]:
        """Why examples stand rejected, the most frequent first; one may have several reasons."""
        with self.database.reading() as connection:
            return lists.by_reason(connection)

    def marks(self, spec_hash: str, traits: Sequence[str]) -> dict[cross.Key, dict[str, cross.Marks]]:
        """By (category, scenario), how often what is accepted of a spec has which mark in each trait."""
        with self.database.reading() as connection:
            return cross.marks(connection, spec_hash, traits)

    def askers(self, spec_hash: str) -> list[tuple[str, str, int | None, str, str, int]]:
        """As :func:`studio.store.cross.askers`."""
        with self.database.reading() as connection:
            return cross.askers(connection, spec_hash)

    def lengths(self, spec_hash: str, ends: Sequence[int]) -> list[tuple[str, str, int, int]]:
        """As :func:`studio.store.cross.lengths`."""
        with self.database.reading() as connection:
            return cross.lengths(connection, spec_hash, ends)

    # Calls

    def call(self, key: str) -> CallRecord | None:
        with self.database.reading() as connection:
            return calls.get(connection, key)

    def add_calls(self, records: Sequence[CallRecord], *, wait: bool = True) -> bool:
        """Keep answers, all in one transaction; of two with the same key the first. Without ``wait`` False, where
        somebody else writes at the moment."""
        try:
            with self.database.writing(wait=wait) as connection:
                for record in records:
                    calls.add(connection, record)
        except WouldWait:
            return False
        return True

    def spending(self) -> dict[str, Spent]:
        """What calls took, by their purpose."""
        with self.database.reading() as connection:
            return calls.spending(connection)

    def spent(self) -> Spent:
        """What all calls took."""
        return reduce(Spent.plus, self.spending().values(), Spent())


def _add(connection: sqlite3.Connection, example: Example, judgement: Judgement | None) -> int:
    there = rows.seq_of(connection, example.id)
    if there is not None:
        if rows.find(connection, example.id)[1].messages != example.messages:
            raise ValueError(f"{example.id} is the id of another conversation")
        return there
    seq = rows.insert(connection, example)
    judgements.stand_new(connection, seq, example, judgement)
    return seq
