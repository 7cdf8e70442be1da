"""Exporting people: Synthetic Persona Bank's JSON and JSON lines, or everything that is known, there or as Parquet."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from itertools import islice
from pathlib import Path
from typing import IO, Any

from studio.bank.person import Person, to_spb
from studio.errors import UserError
from studio.files import replacing

SUFFIXES = (".json", ".jsonl", ".ndjson", ".parquet")
_ROWS = 1000


def export_people(people: Iterable[Person], path: Path, *, full: bool = False) -> int:
    """Write ``people`` as a stream to ``path``, by the ending of its name; how many there were.

    JSON and JSON lines have SPB's shape or, where ``full``, every field; Parquet always has every field. The file is
    there when it is complete: one that was there before stays until then. Raises :class:`studio.errors.UserError` where
    it cannot be written.
    """
    suffix = path.suffix.lower()
    if suffix not in SUFFIXES:
        raise UserError(f"a name that ends in {suffix or 'nothing'}", where=str(path), remedy=f"expected {SUFFIXES}")
    shown: Callable[[Person], dict[str, Any]] = _full if full else to_spb
    try:
        with replacing(path) as file:
            if suffix == ".parquet":
                return _parquet(people, file)
            if suffix == ".json":
                return _list(map(shown, people), file)
            return _lines(map(shown, people), file)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror or error}", where=str(path)) from None


def _full(person: Person) -> dict[str, Any]:
    return person.model_dump(mode="json")


def _lines(found: Iterable[dict[str, Any]], file: IO[bytes]) -> int:
    count = 0
    for count, one in enumerate(found, 1):  # noqa: B007
        file.write(json.dumps(one, ensure_ascii=False).encode() + b"\n")
    return count


def _list(found: Iterable[dict[str, Any]], file: IO[bytes]) -> int:
    count = 0
    file.write(b"[")
    for count, one in enumerate(found, 1):
        text = json.dumps(one, ensure_ascii=False, indent=2).replace("\n", "\n  ")
        file.write(("," * (count > 1) + f"\n  {text}").encode())
    file.write(b"\n]\n" if count else b"]\n")
    return count


def _parquet(people: Iterable[Person], file: IO[bytes]) -> int:
    import pyarrow  # 0.2 s
    from pyarrow import parquet

    kinds = {"age": pyarrow.int16(), "seed": pyarrow.int64(), "hop": pyarrow.int32(), "extreme": pyarrow.bool_()}
    kinds |= dict.fromkeys(("traits", "parents"), pyarrow.list_(pyarrow.string()))
    schema = pyarrow.schema([(name, kinds.get(name, pyarrow.string())) for name in Person.model_fields])
    left, count = iter(people), 0
    try:
        with parquet.ParquetWriter(file, schema, compression="zstd") as writer:
            while rows := [_full(one) for one in islice(left, _ROWS)]:
                writer.write_batch(pyarrow.RecordBatch.from_pylist(rows, schema))
                count += len(rows)
    except pyarrow.ArrowException as error:
        raise OSError(str(error)) from None
    return count
