"""Records of a file of people, as a stream: JSON, JSON lines, CSV, plain text and Parquet, whatever is in them.

A record is a dict, or a text where the file has nothing else. One that cannot be read is a :class:`Bad` with its place
and the reason, and what follows is still read; where the rest cannot be, :class:`studio.errors.UserError` is raised.
No more than a line, an item or a batch of rows is held at once.
"""

from __future__ import annotations

import codecs
import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from typing import IO, Any

from studio.chatml import Frozen
from studio.errors import UserError, disk_error

LONGEST = 1024 * 1024
"""Bytes of a line, characters of an item: a person has a thousand."""
_CHUNK = 256 * 1024
_ROWS = 1000
_SPACE = " \t\r\n\v\f"
"""What a line without anything else is empty with."""
Record = dict[str, Any] | str


class Bad(Frozen):
    """What cannot be read as a person: ``line 17``, ``item 3`` or ``row 5``, and why."""

    place: str
    why: str

    def __str__(self) -> str:
        return f"{self.place}: {self.why}"


Placed = tuple[str, Record | Bad]


def records(path: Path) -> Iterator[Placed]:
    """Everything in ``path`` in its order, by the ending of its name: .json .jsonl .ndjson .csv .tsv .txt .parquet."""
    suffix = path.suffix.lower()
    reader = {".parquet": _parquet, ".csv": _csv, ".tsv": _csv, ".txt": _plain, ".json": _json}.get(suffix, _lines)
    if reader is _lines and suffix not in (".jsonl", ".ndjson"):
        known = ".json .jsonl .ndjson .csv .tsv .txt or .parquet"
        raise UserError(f"a name that ends in {suffix or 'nothing'}", where=str(path), remedy=f"expected {known}")
    try:
        if path.exists() and not path.is_file():
            found = "a folder" if path.is_dir() else "a pipe or a device"
            raise UserError(f"expected a file, found {found}", where=str(path), remedy="name one file of people")
        yield from reader(path)
    except OSError as error:
        raise disk_error(error, path, doing="cannot be read") from None


@dataclass(frozen=True)
class Part:
    """A stretch of a file that can be read without the rest: bytes of JSON lines, or one row group of Parquet."""

    path: Path
    start: int
    """Its first byte, or the number of its row group."""
    end: int
    first: int
    """Records before it."""
    lines: int
    """Lines before it, or rows."""


def parts(path: Path, size: int) -> Iterator[Part]:
    """``path`` in parts of some ``size`` bytes each, or its row groups. Raises :class:`UserError` for other formats.

    JSON lines are read once to find where each begins: bounded, and at the speed of the disk.
    """
    if path.suffix.lower() == ".parquet":
        with parquet_file(path) as file:
            before = 0
            for group in range(file.num_row_groups):
                yield Part(path, group, group + 1, before, before)
                before += file.metadata.row_group(group).num_rows
        return
    if path.suffix.lower() not in (".jsonl", ".ndjson"):
        raise UserError("only JSON lines and Parquet can be read in parts", where=str(path))
    with _opened(path) as file:
        start = first = lines = count = 0
        for number, line in bounded_lines(file):
            count += line is None or not _blank(line, number)
            if (end := file.tell()) - start >= size:
                yield Part(path, start, end, first, lines)
                start, first, lines = end, count, number
        if file.tell() > start:
            yield Part(path, start, file.tell(), first, lines)


def records_of(part: Part) -> Iterator[Placed]:
    """Everything in one part, as :func:`records`."""
    if part.path.suffix.lower() == ".parquet":
        yield from _parquet(part.path, [part.start], part.lines)
        return
    with _opened(part.path) as file:
        file.seek(part.start)
        yield from _parsed(_decoded(bounded_lines(file, part.lines, part.end)))


def raw_lines(path: Path) -> Iterator[bytes]:
    """The lines of a file of lines as they are, without those that are empty; one for each of :func:`records`."""
    with _opened(path) as file:
        for number, line in bounded_lines(file):
            if line is None:
                raise UserError(f"line {number}: longer than {LONGEST // 1024} KiB", where=str(path))
            if not _blank(line, number):
                yield (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).rstrip(b"\r\n") + b"\n"


def bounded_lines(file: IO[bytes], number: int = 0, end: int | None = None) -> Iterator[tuple[int, bytes | None]]:
    """Lines with their numbers, from ``number`` + 1, to the byte ``end``; None for one that is longer than
    :data:`LONGEST`, which is passed over."""
    while (end is None or file.tell() < end) and (line := file.readline(LONGEST + 1)):
        number += 1
        if len(line) <= LONGEST:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = file.readline(_CHUNK)
        yield number, None


def _blank(line: bytes, number: int) -> bool:
    return not (line.removeprefix(codecs.BOM_UTF8) if number == 1 else line).strip()


@contextmanager
def _opened(path: Path) -> Iterator[BufferedReader]:
    """A file of UTF-8. Raises :class:`UserError` for another encoding, and for what is no text at all."""
    with path.open("rb") as file:
        head = file.peek(4096)[:4096]
        if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or _every_other(head):
            raise UserError("expected UTF-8, found UTF-16", where=str(path), remedy=f"iconv -f UTF-16 -t UTF-8 {path}")
        if head.count(0) > len(head) // 8:
            raise UserError("expected text, found NUL bytes", where=str(path), remedy="is it another format, or cut?")
        yield file


def _every_other(head: bytes) -> bool:
    """Whether half of it is zero, as of Latin letters in UTF-16 without a mark."""
    few, many = sorted((head[::2].count(0), head[1::2].count(0)))
    return many > len(head) // 3 and few < len(head) // 12 + 1


def _decoded(lines: Iterable[tuple[int, bytes | None]]) -> Iterator[tuple[int, str | Bad]]:
    for number, line in lines:
        place = f"line {number}"
        if line is None:
            yield number, Bad(place=place, why=f"longer than {LONGEST // 1024} KiB")
        elif b"\0" in line:
            yield number, Bad(place=place, why="holds a NUL byte")
        else:
            try:
                yield number, line.decode("utf-8-sig" if number == 1 else "utf-8")
            except UnicodeDecodeError:
                yield number, Bad(place=place, why="expected UTF-8")


def _text_lines(path: Path) -> Iterator[tuple[int, str | Bad]]:
    with _opened(path) as file:
        yield from _decoded(bounded_lines(file))


def _plain(path: Path) -> Iterator[Placed]:
    for number, line in _text_lines(path):
        if isinstance(line, Bad) or line.strip(_SPACE):
            yield f"line {number}", line if isinstance(line, Bad) else line.strip()


def _lines(path: Path) -> Iterator[Placed]:
    yield from _parsed(_text_lines(path))


def _parsed(lines: Iterable[tuple[int, str | Bad]]) -> Iterator[Placed]:
    for number, line in lines:
        place = f"line {number}"
        if isinstance(line, Bad):
            yield place, line
        elif line.strip(_SPACE):
            yield place, _object(place, line)


def _object(place: str, text: str) -> Record | Bad:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        return Bad(place=place, why=f"no JSON: {getattr(error, 'msg', '') or 'nested too deep or a number too long'}")
    return value if isinstance(value, dict) else Bad(place=place, why=f"expected an object, found {_kind(value)}")


def _json(path: Path) -> Iterator[Placed]:
    """A list of objects, or objects line by line under the wrong name."""
    with _opened(path) as file:
        begin = file.read(4096).lstrip(codecs.BOM_UTF8).lstrip()[:1]
    if begin == b"{":
        yield from _objects(path)
    elif begin == b"[":
        yield from _items(path)
    else:
        found = "nothing" if not begin else "something else"
        raise UserError(f"expected a JSON list of people, found {found}", where=str(path))


def _objects(path: Path) -> Iterator[Placed]:
    found = _lines(path)
    place, first = next(found)
    if not isinstance(first, dict):  # an object over several lines holds the list, or is no JSON at all
        raise UserError("expected a JSON list of people, or an object a line, found one object", where=str(path))
    inside = sorted(
        key for key, value in first.items() if isinstance(value, list) and value and isinstance(value[0], dict)
    )
    if inside and "name" not in first:
        raise UserError(
            f"expected a JSON list of people, found an object with a list in {inside[0]!r}", where=str(path)
        )
    yield place, first
    yield from found


def _items(path: Path) -> Iterator[Placed]:
    decoder, number = json.JSONDecoder(), 0
    with path.open(encoding="utf-8-sig") as file:
        try:
            text, at, ended = file.read(_CHUNK), 0, False
            at = text.index("[") + 1
            while True:
                while at < len(text) and text[at] in " \t\r\n,":
                    at += 1
                if at < len(text) and text[at] == "]":
                    if (text[at + 1 :] + file.read(_CHUNK)).strip():
                        raise UserError("something follows the list of people", where=str(path))
                    return
                try:
                    value, end = decoder.raw_decode(text, at)
                    if end == len(text) and not ended:
                        raise ValueError("a number may go on")
                except RecursionError:
                    raise UserError(f"item {number + 1} is nested too deep", where=str(path)) from None
                except ValueError as error:
                    if not ended and len(text) - at <= LONGEST:
                        more = file.read(_CHUNK)
                        text, at, ended = text[at:] + more, 0, not more
                        continue
                    why = f"item {number + 1} is longer than {LONGEST // 1024} KiB or no JSON"
                    if ended:
                        why = f"item {number + 1} is no JSON: {getattr(error, 'msg', error)}"
                    raise UserError(why, where=str(path)) from None
                number, at = number + 1, end
                place = f"item {number}"
                wrong = Bad(place=place, why=f"expected an object, found {_kind(value)}")
                yield place, value if isinstance(value, dict) else wrong
        except UnicodeDecodeError:
            raise UserError(f"expected UTF-8, behind item {number}", where=str(path)) from None


def _csv(path: Path) -> Iterator[Placed]:
    def lines() -> Iterator[str]:
        for _, line in _text_lines(path):
            if isinstance(line, Bad):
                raise UserError(str(line), where=str(path))
            yield line

    text = lines()
    head = next(text, "")
    delimiter = "\t" if path.suffix.lower() == ".tsv" else max(",;\t", key=head.count)
    columns = next(csv.reader([head], delimiter=delimiter), [])
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    while True:
        place = f"line {reader.line_num + 2}"
        try:
            row = next(reader, None)
        except csv.Error as error:
            raise UserError(f"{place}: no CSV: {error}", where=str(path)) from None
        if row is None:
            return
        if not row:
            continue
        if len(row) != len(columns):
            yield place, Bad(place=place, why=f"expected {len(columns)} columns, found {len(row)}")
        else:
            yield place, dict(zip(columns, row, strict=True))


def _parquet(path: Path, groups: Sequence[int] | None = None, number: int = 0) -> Iterator[Placed]:
    import pyarrow.compute as pc

    with parquet_file(path, lambda: number) as file:
        for batch in file.iter_batches(batch_size=_ROWS, row_groups=groups):
            longer = _longer(batch)
            rows = iter((batch.filter(pc.invert(longer)) if pc.any(longer).as_py() else batch).to_pylist())
            for too_long in longer.to_pylist():
                number += 1
                if too_long:
                    yield f"row {number}", Bad(place=f"row {number}", why=f"longer than {LONGEST // 1024} KiB")
                    continue
                row = next(rows)
                inner = row.get("json") if len(row) == 1 else None
                yield f"row {number}", inner if isinstance(inner, dict) else row


def _longer(batch: Any) -> Any:
    """Which rows hold a text of more than :data:`LONGEST` bytes: they are not made into objects at all."""
    import pyarrow as pa
    import pyarrow.compute as pc

    found = pa.array([False] * batch.num_rows)
    for column in batch.columns:
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            found = pc.or_(found, pc.fill_null(pc.greater(pc.binary_length(column), LONGEST), False))
    return found


@contextmanager
def parquet_file(path: Path, read: Callable[[], int] = lambda: 0) -> Iterator[Any]:
    """A ``pyarrow.parquet.ParquetFile``; what goes wrong with it is told with how many rows were ``read``."""
    from pyarrow import ArrowException, parquet  # 0.2 s

    try:
        with parquet.ParquetFile(path) as file:
            yield file
    except (ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        said = str(error).splitlines()[0] if str(error) else type(error).__name__
        where = f"behind row {read()}" if read() else "no Parquet file"
        remedy = "it is damaged, or was cut short: get it again"
        raise UserError(f"cannot be read, {where}: {said[:120]}", where=str(path), remedy=remedy) from None


def _kind(value: object) -> str:
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return kinds.get(type(value), "a number")
