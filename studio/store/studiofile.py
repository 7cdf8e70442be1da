"""``studio.json``: what is small and worth reading by eye, by table and id.

TinyDB's storage lacks two things: another process's changes are seen, and a full disk leaves the old file.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from tinydb import TinyDB
from tinydb.storages import Storage
from tinydb.table import Document, Table

from studio.errors import UserError, disk_error
from studio.files import write_atomic
from studio.machine.lock import take_soon

Tables = dict[str, dict[str, Any]]
PATIENCE_S = 15.0
"""How long a change waits for other processes' changes, each of which takes milliseconds."""
_SHAPE = "put a copy of it in its place, or write it as {table: {id: {...}}}"


class AtomicStorage(Storage):
    """Reads the file anew once it is another one; writes it whole or not at all.

    TinyDB reads, changes and writes: whoever changes something holds :meth:`locked` meanwhile.
    """

    def __init__(self, path: Path, patience_s: float = PATIENCE_S) -> None:
        self.path = path
        self._patience_s = patience_s
        self._lock_path = path.with_name(f".{path.name}.lock")
        self._stamp: tuple[int, int, int] | None = None
        self._raw = b""
        self._reading = threading.Lock()
        self._changing = threading.RLock()

    def read(self) -> Tables | None:
        """None where there is no file yet. Raises :class:`UserError` where it cannot be read or holds no tables."""
        with self._reading:
            try:
                found = self.path.stat()
                stamp = (found.st_ino, found.st_size, found.st_mtime_ns)
                if stamp != self._stamp:
                    self._raw = self.path.read_bytes()
                    self._stamp = stamp
            except FileNotFoundError:
                self._stamp = None
                return None
            except OSError as error:
                self._stamp = None
                remedy = "look at its owner and permissions, and whether it is a file"
                raise UserError(f"cannot be read: {error.strerror}", where=str(self.path), remedy=remedy) from error
            raw = self._raw
        return self._tables(raw)

    def _tables(self, raw: bytes) -> Tables:
        try:
            tables = json.loads(raw)
        except (ValueError, RecursionError) as error:
            where = f"{self.path}:{getattr(error, 'lineno', 1)}"
            raise UserError("not valid JSON", where=where, remedy="mend it, or put a copy in its place") from error
        if not isinstance(tables, dict):
            raise UserError("expected tables", where=str(self.path), remedy=_SHAPE)
        for name, table in tables.items():
            if not isinstance(table, dict):
                raise UserError("expected entries by their ids", where=f"{self.path}: {name}", remedy=_SHAPE)
            for key, entry in table.items():
                if not isinstance(entry, dict):
                    raise UserError("expected a mapping", where=f"{self.path}: {name}.{key}", remedy=_SHAPE)
        return tables

    def write(self, data: Tables) -> None:
        try:
            write_atomic(self.path, json.dumps(data, ensure_ascii=False, indent=1) + "\n", mode=0o600)
        except OSError as error:
            raise disk_error(error, self.path, doing="cannot be saved") from error

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Alone among all processes and threads that change this file.

        Raises :class:`UserError` where the folder takes no lock, or somebody else keeps it for too long.
        """
        with self._changing:
            handle = -1
            try:
                handle = os.open(self._lock_path, os.O_RDWR | os.O_CREAT, 0o600)
                taken = take_soon(handle, self._patience_s)
            except OSError as error:
                if handle >= 0:
                    os.close(handle)
                raise disk_error(error, self.path, doing="not writable") from error
            try:
                if not taken:
                    remedy = f"end what holds {self._lock_path.name} beside it, then try again"
                    raise UserError("locked by another process for too long", where=str(self.path), remedy=remedy)
                yield
            finally:
                os.close(handle)


Model = TypeVar("Model", bound=BaseModel)


class _ById(Table):
    """TinyDB numbers its documents and remembers the next number; two processes would give the same one twice."""

    document_id_class: Any = str


class StudioFile:
    """Values by table and id. What another process wrote is seen by the next call; what is put is durable.

    Raises :class:`studio.errors.UserError` where the file is not what was written, or another process keeps it locked
    for longer than ``patience_s`` seconds.
    """

    def __init__(self, path: Path, patience_s: float = PATIENCE_S) -> None:
        self.path = path
        self._storage = AtomicStorage(path, patience_s)
        self._database = TinyDB(path, storage=lambda _: self._storage)

    def put(self, table: str, key: str, value: BaseModel) -> None:
        """Keep ``value``, in the place of what was there."""
        with self._storage.locked():
            self._put(table, key, value)

    def update(self, table: str, key: str, model: type[Model], change: Callable[[Model | None], Model]) -> Model:
        """Replace a value by what ``change`` makes of it, with no other writer in between; the new value."""
        with self._storage.locked():
            value = change(self.get(table, key, model))
            self._put(table, key, value)
            return value

    def _put(self, table: str, key: str, value: BaseModel) -> None:
        body = value.model_dump(mode="json")

        def replace(document: Mapping[str, Any]) -> None:
            assert isinstance(document, dict), "TinyDB hands its own documents over"
            document.clear()
            document.update(body)

        there = self._table(table)
        name: Any = key  # TinyDB's types know numbers only
        if there.contains(doc_id=name):
            there.update(replace, doc_ids=[name])
        else:
            there.insert(Document(body, doc_id=name))

    def get(self, table: str, key: str, model: type[Model]) -> Model | None:
        name: Any = key
        found = self._table(table).get(doc_id=name)
        return self._read(table, key, found, model) if isinstance(found, Document) else None

    def items(self, table: str, model: type[Model]) -> dict[str, Model]:
        """Every value of a table by its id, in the order in which they came."""
        documents = self._table(table).all()
        return {str(one.doc_id): self._read(table, str(one.doc_id), one, model) for one in documents}

    def all(self, table: str, model: type[Model]) -> list[Model]:
        """Every value of a table, in the order in which they came."""
        return list(self.items(table, model).values())

    def readable(self, table: str, model: type[Model]) -> list[Model]:
        """As :meth:`all`, without those that another version of the studio wrote in another shape."""
        found = []
        for document in self._table(table).all():
            with suppress(ValidationError):
                found.append(model.model_validate(dict(document), extra="ignore"))
        return found

    def remove(self, table: str, key: str) -> None:
        """Forget a value; no matter if there is none."""
        with self._storage.locked():
            there = self._table(table)
            name: Any = key
            if there.contains(doc_id=name):
                there.remove(doc_ids=[name])

    def tables(self) -> Tables:
        """All that the file holds, as it is."""
        return self._storage.read() or {}

    def change(self, change: Callable[[Tables], None]) -> None:
        """Let ``change`` work on all tables, with no other writer in between."""
        with self._storage.locked():
            tables = self.tables()
            change(tables)
            self._storage.write({name: table for name, table in tables.items() if table})

    def keep_copy(self, name: str) -> None:
        """A copy of the file as it is, beside it (``studio.NAME.json``); one that is there already is left."""
        copy = self.path.with_suffix(f".{name}.json")
        try:
            if not copy.exists():
                write_atomic(copy, self.path.read_bytes(), mode=0o600)
        except OSError as error:
            raise disk_error(error, copy) from error

    def close(self) -> None:
        self._database.close()

    def _table(self, name: str) -> Table:
        return _ById(self._storage, name)

    def _read(self, table: str, key: str, document: Mapping[str, Any], model: type[Model]) -> Model:
        try:
            return model.model_validate(dict(document), extra="ignore")
        except ValidationError as error:
            where = f"{self.path}: {table}.{key}"
            remedy = "mend or remove this entry; it may be another version's"
            raise UserError(f"not a valid {model.__name__}", where=where, remedy=remedy) from error
