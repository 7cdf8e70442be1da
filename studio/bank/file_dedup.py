"""De-duplication of a whole file of people, in two stages: who stays is written as they were, who goes with a twin."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from studio.bank.formats import read_people
from studio.bank.person import Person
from studio.bank.quality import Intake, Reason, Removal
from studio.bank.records import records
from studio.chatml import Frozen
from studio.embed import Embedder
from studio.errors import UserError
from studio.files import replacing

CHUNK = 1024
"""People between two words of progress."""


class Deduplicated(Frozen):
    people: int
    kept: int
    removed: int
    reasons: dict[Reason, int]
    seconds: float


def dedup_people(
    people: Sequence[Person],
    embedder: Embedder,
    *,
    strict: bool = False,
    quality: bool = False,
    language: str | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[list[Removal | None], Deduplicated]:
    """What becomes of each, in their order; None is kept. Of two that are alike the first stays.

    ``quality`` also removes by the heuristic filter, which otherwise is left out but for those without any word.
    """
    began = time.monotonic()
    intake = Intake(embedder, strict=strict, language=language, whole=False, heuristics=quality)
    found: list[Removal | None] = []
    for start in range(0, len(people), CHUNK):
        numbered = [
            person.model_copy(update={"id": f"{number}"})
            for number, person in enumerate(people[start : start + CHUNK], start + 1)
        ]
        found += intake.sift(numbered)
        progress(len(found))
    removed = len(found) - found.count(None)
    return found, Deduplicated(
        people=len(people),
        kept=found.count(None),
        removed=removed,
        reasons=dict(intake.reasons),
        seconds=time.monotonic() - began,
    )


def read_all(path: Path, fields: Sequence[str] = ()) -> list[Person]:
    """Everybody in a file. Raises :class:`UserError` where there is nobody, too."""
    people = list(read_people(path, fields))
    if not people:
        raise UserError("nobody is in it", where=str(path))
    return people


def write_kept(path: Path, out: Path, kept: Sequence[bool]) -> None:
    """The records of ``path`` that are ``kept``, by their order, with all their fields, in the same format.

    The file is there when it is complete. Raises :class:`UserError` where it cannot be written.
    """
    if out.suffix.lower() != path.suffix.lower():
        raise UserError(
            f"a name that ends in {out.suffix or 'nothing'}", where=str(out), remedy=f"expected {path.suffix}"
        )
    stays = (record for keep, (_, record) in zip(kept, records(path), strict=True) if keep)
    try:
        with replacing(out) as file:
            _WRITERS.get(path.suffix.lower(), _lines)(path, file, kept, stays)
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror or error}", where=str(out)) from error


def write_removed(out: Path, removals: Sequence[Removal | None]) -> None:
    """JSON lines, one for each who went: its record's number, reason, twin's number, similarity and text."""
    try:
        with replacing(out) as file:
            for removal in removals:
                if removal is not None:
                    file.write(removal.model_dump_json().encode() + b"\n")
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror or error}", where=str(out)) from error


def _lines(path: Path, file: IO[bytes], kept: Sequence[bool], stays: Iterator[Any]) -> None:
    for record in stays:
        said = record if isinstance(record, str) else json.dumps(record, ensure_ascii=False)
        file.write(said.encode("utf-8", "replace") + b"\n")


def _list(path: Path, file: IO[bytes], kept: Sequence[bool], stays: Iterator[Any]) -> None:
    file.write(b"[")
    for number, record in enumerate(stays):
        file.write((",\n" if number else "\n").encode() + json.dumps(record, ensure_ascii=False, indent=2).encode())
    file.write(b"\n]\n")


def _table(path: Path, file: IO[bytes], kept: Sequence[bool], stays: Iterator[Any]) -> None:
    import io

    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer: csv.DictWriter[str] | None = None
    for record in stays:
        if writer is None:
            writer = csv.DictWriter(text, list(record), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
            writer.writeheader()
        writer.writerow(record)
    text.detach()


def _parquet(path: Path, file: IO[bytes], kept: Sequence[bool], stays: Iterator[Any]) -> None:
    import pyarrow
    from pyarrow import parquet

    source, start = parquet.ParquetFile(path), 0
    with parquet.ParquetWriter(file, source.schema_arrow) as writer:
        for batch in source.iter_batches(batch_size=CHUNK):
            writer.write_batch(batch.filter(pyarrow.array(kept[start : start + batch.num_rows])))
            start += batch.num_rows


_WRITERS = {".json": _list, ".csv": _table, ".tsv": _table, ".parquet": _parquet}
