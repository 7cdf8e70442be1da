"""``studio.json``: what is small and worth reading by eye, by table and id."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from tinydb import TinyDB
from tinydb.table import Document, Table

from studio.errors import UserError
from studio.store.storage import PATIENCE_S, AtomicStorage

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
                found.append(model.model_validate(dict(document)))
        return found

    def remove(self, table: str, key: str) -> None:
        """Forget a value; no matter if there is none."""
        with self._storage.locked():
            there = self._table(table)
            name: Any = key
            if there.contains(doc_id=name):
                there.remove(doc_ids=[name])

    def close(self) -> None:
        self._database.close()

    def _table(self, name: str) -> Table:
        return _ById(self._storage, name)

    def _read(self, table: str, key: str, document: Mapping[str, Any], model: type[Model]) -> Model:
        try:
            return model.model_validate(dict(document))
        except ValidationError as error:
            where = f"{self.path}: {table}.{key}"
            remedy = "mend or remove this entry; it may be another version's"
            raise UserError(f"not a valid {model.__name__}", where=where, remedy=remedy) from error
