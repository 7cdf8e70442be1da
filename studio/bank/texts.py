"""Texts to infer people from: plain files, folders, JSON and JSON lines, CSV and columns of Parquet, as passages.

Files are read as streams. A line that cannot be used is named with its reason and passed over; nothing in a text is
ever taken for an instruction.
"""

from __future__ import annotations

import codecs
import dataclasses
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from studio.bank.records import Bad, records
from studio.chatml import Frozen, well_formed
from studio.errors import UserError, disk_error

PASSAGE, LEAST = 4000, 40
"""Characters of a passage at most, and below which a text says nothing of anybody."""
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
            elif path.is_file():
                yield path
            else:
                found = "is a pipe or a device, and no file" if path.exists() else "is not there"
                raise UserError(found, where=str(path))

    def _texts(self, path: Path) -> Iterator[tuple[str, str]]:
        if path.suffix.lower() not in RECORDS:
            yield str(path), _whole(path)
            return
        for place, record in records(path):
            origin = f"{path}:{place.split()[-1]}"
            if isinstance(record, Bad):
                self.bad.append(f"{origin}: {record.why}")
            elif isinstance(record, str):
                yield origin, record
            else:
                yield origin, self._picked(origin, record)

    def _picked(self, origin: str, record: dict[str, Any]) -> str:
        names = (self.column,) if self.column else FIELDS
        name = next((one for one in names if one in record), None)
        if name is None:
            there = ", ".join(map(str, [*record][:12])) or "none"
            missing = f"has no field {self.column}" if self.column else "has no text where it is looked for"
            raise UserError(missing, where=origin, remedy=f"name one with --field; there are {there}")
        return record[name] if isinstance(record[name], str) else ""


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
    try:
        if path.stat().st_size > MOST_FILE:
            remedy = "split it, or make it JSON lines"
            raise UserError(f"is larger than {MOST_FILE >> 20} MB", where=str(path), remedy=remedy)
        raw = path.read_bytes()
    except OSError as error:
        raise disk_error(error, path, doing="cannot be read") from error
    if raw.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise UserError("expected UTF-8, found UTF-16", where=str(path), remedy=f"iconv -f UTF-16 -t UTF-8 {path}")
    if b"\0" in raw[:4096]:
        raise UserError("is no text", where=str(path), remedy="name a file of text")
    return raw.decode("utf-8-sig", "replace")
