"""Texts to infer people from: plain files, folders, JSON and JSON lines, CSV and columns of Parquet, as passages.

Files are read as streams. A line that cannot be used is named with its reason and passed over; nothing in a text is
ever taken for an instruction.
"""

from __future__ import annotations

import csv
import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from studio.chatml import Frozen, well_formed
from studio.errors import UserError

PASSAGE, LEAST = 4000, 40
"""Characters of a passage at most, and below which a text says nothing of anybody."""
MOST_LINE = 16 << 20
"""Bytes of a line of JSON at most."""
MOST_FILE = 64 << 20
"""Bytes of a file that is read whole at most."""
FIELDS = ("text", "content", "body", "document", "passage", "article", "description", "abstract", "prompt")
"""Where a record's text is looked for, where no field is named."""
PLAIN = (".txt", ".md", ".rst", ".text")
RECORDS = (".jsonl", ".ndjson", ".json", ".csv", ".tsv", ".parquet")


class Passage(Frozen):
    """A part of a text, and where it is from: ``notes/a.md``, ``data.jsonl:17``, with ``#2`` for a second part."""

    origin: str
    text: str


@dataclasses.dataclass
class Texts:
    """Passages of ``paths``, folders with all that is below them, in the order of their names.

    ``bad`` lists what was passed over, ``PLACE: why``, as far as it was read.
    """

    paths: Sequence[Path]
    column: str | None = None
    """The field of a record that holds its text."""
    bad: list[str] = dataclasses.field(default_factory=list)

    def __iter__(self) -> Iterator[Passage]:
        """Raises :class:`UserError` for a file that cannot be read at all, or has no text where it is looked for."""
        for path in self._files():
            for origin, text in self._texts(path):
                clean = well_formed(text).strip()
                if len(clean) < LEAST:
                    self.bad.append(f"{origin}: {len(clean)} characters, too short to say anything")
                    continue
                for number, part in enumerate(passages(clean), 1):
                    yield Passage(origin=origin if number == 1 else f"{origin}#{number}", text=part)

    def _files(self) -> Iterator[Path]:
        for path in self.paths:
            if path.is_dir():
                below = sorted(one for one in path.rglob("*") if one.suffix.lower() in (*PLAIN, *RECORDS))
                if not below:
                    known = ", ".join((*PLAIN, *RECORDS))
                    raise UserError("holds no text", where=str(path), remedy=f"it is looked for in {known}")
                yield from (one for one in below if one.is_file())
            elif path.exists():
                yield path
            else:
                raise UserError("is not there", where=str(path))

    def _texts(self, path: Path) -> Iterator[tuple[str, str]]:
        kind = path.suffix.lower()
        try:
            if kind == ".parquet":
                yield from self._parquet(path)
            elif kind in (".jsonl", ".ndjson"):
                with path.open("rb") as file:
                    yield from self._picked(path, self._lines(path, file))
            elif kind == ".json":
                yield from self._picked(path, self._list(path))
            elif kind in (".csv", ".tsv"):
                with path.open(encoding="utf-8-sig", errors="replace", newline="") as table:
                    rows = csv.DictReader(table, delimiter="\t" if kind == ".tsv" else ",")
                    yield from self._picked(path, ((number, dict(row)) for number, row in enumerate(rows, 2)))
            else:
                yield str(path), _whole(path)
        except OSError as error:
            raise UserError(f"cannot be read: {error.strerror or error}", where=str(path)) from error
        except csv.Error as error:
            raise UserError(f"is no table: {error}", where=str(path)) from error

    def _lines(self, path: Path, file: IO[bytes]) -> Iterator[tuple[int, Any]]:
        number = 0
        while line := file.readline(MOST_LINE + 1):
            number += 1
            if len(line) > MOST_LINE:
                self.bad.append(f"{path}:{number}: a line of more than {MOST_LINE >> 20} MB")
                while line and not line.endswith(b"\n"):
                    line = file.readline(MOST_LINE)
            elif line.strip():
                try:
                    yield number, json.loads(line)
                except (ValueError, RecursionError):
                    self.bad.append(f"{path}:{number}: no JSON")

    def _list(self, path: Path) -> Iterator[tuple[int, Any]]:
        try:
            found = json.loads(_whole(path))
        except (ValueError, RecursionError) as error:
            raise UserError("is no JSON", where=str(path), remedy="JSON lines end in .jsonl") from error
        yield from enumerate(found if isinstance(found, list) else [found], 1)

    def _picked(self, path: Path, records: Iterator[tuple[int, Any]]) -> Iterator[tuple[str, str]]:
        for number, record in records:
            if isinstance(record, str):
                yield f"{path}:{number}", record
                continue
            names = (self.column,) if self.column else FIELDS
            found = [record[name] for name in names if isinstance(record, dict) and isinstance(record.get(name), str)]
            if found:
                yield f"{path}:{number}", found[0]
            elif isinstance(record, dict):
                raise _no_field(f"{path}:{number}", self.column, [str(name) for name in record if name is not None])
            else:
                self.bad.append(f"{path}:{number}: neither a text nor an object")

    def _parquet(self, path: Path) -> Iterator[tuple[str, str]]:
        opened = _parquet_file(path)
        columns = list(opened.schema_arrow.names)
        name = next((one for one in ((self.column,) if self.column else FIELDS) if one in columns), None)
        if name is None:
            raise _no_field(str(path), self.column, columns)
        number = 0
        for batch in opened.iter_batches(batch_size=512, columns=[name]):
            for text in batch.column(0).to_pylist():
                number += 1
                if isinstance(text, str):
                    yield f"{path}:{number}", text
                else:
                    self.bad.append(f"{path}:{number}: no text in {name}")


def passages(text: str, most: int = PASSAGE) -> list[str]:
    """``text`` in parts of at most ``most`` characters, ended where a paragraph, a line or a sentence does."""
    parts = []
    while len(text) > most:
        ends = (text.rfind(mark, most // 2, most) + len(mark) for mark in ("\n\n", "\n", ". ", " "))
        end = next((end for end in ends if end > most // 2), most)
        parts.append(text[:end].strip())
        text = text[end:].strip()
    return [part for part in [*parts, text] if len(part) >= LEAST] or parts[:1]


def _whole(path: Path) -> str:
    if path.stat().st_size > MOST_FILE:
        remedy = "split it, or make it JSON lines"
        raise UserError(f"is larger than {MOST_FILE >> 20} MB", where=str(path), remedy=remedy)
    raw = path.read_bytes()
    if b"\0" in raw[:4096]:
        raise UserError("is no text", where=str(path))
    return raw.decode("utf-8-sig", "replace")


def _parquet_file(path: Path) -> Any:
    try:
        from pyarrow import ArrowException, parquet
    except ImportError:
        raise UserError("Parquet needs pyarrow", where=str(path), remedy="pip install pyarrow") from None
    open_file: Callable[[Path], Any] = parquet.ParquetFile
    try:
        return open_file(path)
    except (ArrowException, OSError) as error:
        said = " ".join(str(error).split())[:120]
        raise UserError(f"is no Parquet file: {said}", where=str(path)) from error


def _no_field(where: str, wanted: str | None, there: Sequence[str]) -> UserError:
    found = ", ".join(there[:12])
    missing = f"has no text in {wanted}" if wanted else "has no text where it is looked for"
    return UserError(missing, where=where, remedy=f"name one with --field; there are {found or 'none'}")
