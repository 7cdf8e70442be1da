"""Salvaging ``examples.db``: what can be read of a damaged file goes into a new one, row by row; the old is kept."""

from __future__ import annotations

import hashlib
import os
import shutil
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from studio.errors import UserError
from studio.store.database import missing_end
from studio.store.judgements import settle
from studio.store.migrations import prepare
from studio.store.records import Decision, Judgement
from studio.store.recovery import Restored, reading, swap, told
from studio.store.rows import read_example
from studio.store.workspace import EXAMPLES

_CHUNK = 512
_WHOLE = ("people", "calls", "run_labels", "pair_votes", "documents")
"""Tables whose rows stand for themselves."""


def salvage(folder: Path) -> Restored:
    """Read what is sound in ``examples.db`` into a new file, and keep the old one. 30 s a 100,000 examples.

    Raises :class:`UserError` where not even its list of tables can be read.
    """
    path, new, whole = folder / EXAMPLES, folder / f".{EXAMPLES}.new", folder / f".{EXAMPLES}.whole"
    try:
        new.unlink(missing_ok=True)
        if path.exists() and (missing := missing_end(path)):  # SQLite reads nothing of a file that was cut off
            shutil.copyfile(path, whole)
            os.truncate(whole, whole.stat().st_size + missing)
        with closing(reading(whole if whole.exists() else path)) as old:
            columns = {
                table: [name for _, name, *_ in old.execute(f"PRAGMA table_info({table})")]
                for (table,) in old.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            }
            if "examples" not in columns:
                raise UserError(
                    "nothing can be salvaged: its tables are gone",
                    where=str(path),
                    remedy="studio workspace restore --from BACKUP brings a copy back",
                )
            with closing(sqlite3.connect(new, isolation_level=None)) as connection:
                prepare(connection)
                connection.execute("PRAGMA synchronous = OFF")  # it is flushed before it is put into its place
                connection.execute("BEGIN")
                lost = _Salvage(old, connection, columns).run()
                connection.execute("COMMIT")
                (examples,) = connection.execute("SELECT count(*) FROM examples").fetchone()
        return Restored(examples=examples, kept=swap(folder, new), lost=lost)
    except (sqlite3.DatabaseError, OSError) as error:
        new.unlink(missing_ok=True)
        raise told(error, path) from error
    finally:
        whole.unlink(missing_ok=True)


class _Salvage:
    """Copies row by row; where a stretch cannot be read it is halved until only what is broken is left out."""

    def __init__(self, old: sqlite3.Connection, new: sqlite3.Connection, columns: dict[str, list[str]]) -> None:
        self._old, self._new, self._columns = old, new, columns
        self._lost: dict[str, int] = {}
        self._seqs: dict[int, int] = {}
        """Old -> new ``seq``: these have no gaps."""

    def run(self) -> dict[str, int]:
        """Copy everything; how many rows of each table are lost."""
        self._texts()
        for table in _WHOLE:
            self._copy(table)
        self._examples()
        self._said()
        for body, seq in self._new.execute("SELECT body, seq FROM examples ORDER BY seq").fetchall():
            settle(self._new, seq, read_example(body))
        return {table: count for table, count in self._lost.items() if count}

    def _texts(self) -> None:
        for row in self._rows("texts", ("id", "digest", "content")):
            self._new.execute("INSERT OR IGNORE INTO texts VALUES (?, ?, ?)", row)

    def _copy(self, table: str) -> None:
        known = [name for _, name, *_ in self._new.execute(f"PRAGMA table_info({table})")]
        names = [name for name in self._columns.get(table, ()) if name in known]
        if not names:
            return
        places = ", ".join("?" * len(names))
        for row in self._rows(table, names):
            with self._counted(table):
                self._new.execute(f"INSERT OR IGNORE INTO {table} ({', '.join(names)}) VALUES ({places})", row)

    def _examples(self) -> None:
        for seq, name, body in self._rows("examples", ("seq", "id", "body")):
            with self._counted("examples"):
                prompt = read_example(body).prompt
                cursor = self._new.execute("INSERT INTO examples (id, body) VALUES (?, ?)", (name, body))
                self._seqs[seq] = cursor.lastrowid or 0
                for turn in prompt:
                    gone = hashlib.sha256(f"lost {turn.content}".encode()).digest()
                    self._new.execute("INSERT OR IGNORE INTO texts VALUES (?, ?, '(lost)')", (int(turn.content), gone))

    def _said(self) -> None:
        for number, seq, body in self._rows("judgements", ("id", "seq", "body")):
            with self._counted("judgements"):
                Judgement.model_validate_json(body, extra="ignore")
                self._new.execute("INSERT INTO judgements VALUES (?, ?, ?)", (number, self._seqs[seq], body))
        step = "step" if "step" in self._columns.get("decisions", ()) else "-id"
        for number, seq, body, state, order in self._rows("decisions", ("id", "seq", "body", "state", step)):
            with self._counted("decisions"):
                decision = Decision.model_validate_json(body, extra="ignore")
                self._new.execute(
                    "INSERT INTO decisions (id, seq, body, state, step, batch) VALUES (?, ?, ?, ?, ?, ?)",
                    (number, self._seqs[seq], body, state, order, decision.batch),
                )

    def _counted(self, table: str) -> _Counted:
        return _Counted(self._lost, table)

    def _rows(self, table: str, names: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """All rows of a table that can be read, in their order."""
        if table not in self._columns:
            return
        asked = f"SELECT {', '.join(names)} FROM {table} NOT INDEXED WHERE rowid BETWEEN ? AND ? ORDER BY rowid"
        last = self._last(table)
        for start in range(1, last + 1, _CHUNK):
            yield from self._between(table, asked, start, min(last, start + _CHUNK - 1))

    def _between(self, table: str, asked: str, first: int, last: int) -> Iterator[tuple[Any, ...]]:
        try:
            found = self._old.execute(asked, (first, last)).fetchall()
        except sqlite3.DatabaseError:
            if first == last:
                self._lost[table] = self._lost.get(table, 0) + 1
                return
            middle = (first + last) // 2
            yield from self._between(table, asked, first, middle)
            yield from self._between(table, asked, middle + 1, last)
        else:
            yield from found

    def _last(self, table: str) -> int:
        """The highest rowid; where the end of the table cannot be read, the highest one that can."""
        with suppress(sqlite3.DatabaseError):
            return int(self._old.execute(f"SELECT coalesce(max(rowid), 0) FROM {table} NOT INDEXED").fetchone()[0])
        last = 1 << 22
        while last > 1:
            with suppress(sqlite3.DatabaseError):
                found = self._old.execute(
                    f"SELECT rowid FROM {table} NOT INDEXED WHERE rowid >= ? ORDER BY rowid LIMIT 1", (last,)
                ).fetchone()
                if found:
                    return int(found[0]) * 2
            last //= 2
        return _CHUNK


class _Counted:
    """A row that is no row of ours is lost, and ends nothing."""

    def __init__(self, lost: dict[str, int], table: str) -> None:
        self._lost, self._table = lost, table

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> bool:
        wrong = isinstance(error, ValidationError | ValueError | KeyError | TypeError | sqlite3.IntegrityError)
        if wrong:
            self._lost[self._table] = self._lost.get(self._table, 0) + 1
        return wrong
