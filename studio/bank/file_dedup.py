"""De-duplication of a whole file of people: in two stages, or by their words alone at any size, on Daft.

Who stays is written as they were, who goes with a reason and a twin. Files are read and written as streams.
"""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from studio.bank.formats import Shape, people_of_part, read_people, shape_of
from studio.bank.person import Person
from studio.bank.quality import Intake, Reason, Removal, essence
from studio.bank.records import Bad, Part, parquet_file, parts, raw_lines, records
from studio.chatml import Frozen
from studio.dedup import ALIKE, STRICT
from studio.embed import Embedder
from studio.errors import UserError, disk_error
from studio.files import replacing

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CHUNK = 1024
"""People between two words of progress."""
PART = 4 << 20
"""Bytes of JSON lines that are one part of the work at scale: some 10,000 people."""
_GROUP = 64 << 20
"""Bytes of a row group that is written, before compression."""


class Deduplicated(Frozen):
    people: int
    kept: int
    removed: int
    reasons: dict[Reason, int]
    seconds: float
    candidates: int = 0
    """Pairs that were compared, at scale."""
    crowds: int = 0
    """Keys that too many shared to compare all of them, at scale: a twin may have been missed there."""


def dedup_people(
    people: Sequence[Person],
    embedder: Embedder | None,
    *,
    strict: bool = False,
    quality: bool = False,
    language: str | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> tuple[list[Removal | None], Deduplicated]:
    """What becomes of each, in their order; None is kept. Of two that are alike the first stays.

    Without ``embedder`` their words alone are compared. ``quality`` also removes by the heuristic filter.
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


def dedup_at_scale(
    path: Path,
    fields: Sequence[str] = (),
    *,
    strict: bool = False,
    ray: str | None = None,
    told: Callable[[str], None] = lambda _: None,
) -> tuple[NDArray[np.bool_], Iterable[Removal], Deduplicated]:
    """Who is kept by their words, in the order of JSON lines or Parquet of any size; who goes; and the counts.

    Of two that are alike the first stays, as in :func:`dedup_people` without its second stage, for which a million
    people would take hours. ``ray`` as in :func:`studio.dedup.scale.near_duplicates`; ``told`` is what is done.
    """
    import numpy as np

    from studio.dedup.scale import near_duplicates

    began = time.monotonic()
    shape = shape_of(path, fields)
    cut = list(parts(path.absolute(), PART))
    told("1 part" if len(cut) == 1 else f"{len(cut)} parts")
    read = partial(_essences, shape=shape, fields=tuple(fields))
    found = near_duplicates(cut, read, STRICT if strict else ALIKE, ray=ray, told=told)
    if len(found.unreadable):
        _refuse(path, cut, int(found.unreadable[0]), shape, fields)
    kept = np.ones(found.records, np.bool_)
    kept[found.gone] = False
    removals = (
        Removal(id=str(who + 1), reason="words", twin=str(twin + 1), similarity=round(alike, 4))
        for who, twin, alike in zip(found.gone.tolist(), found.twins.tolist(), found.similarity.tolist(), strict=True)
    )
    counts = Deduplicated(
        people=found.records,
        kept=found.records - len(found.gone),
        removed=len(found.gone),
        reasons={"words": len(found.gone)} if len(found.gone) else {},
        seconds=time.monotonic() - began,
        candidates=found.candidates,
        crowds=found.crowds,
    )
    return kept, removals, counts


def _essences(part: Part, shape: Shape, fields: Sequence[str]) -> Iterator[tuple[int, str | None]]:
    for number, (_, person) in enumerate(people_of_part(part, shape, fields), part.first):
        yield number, None if isinstance(person, Bad) else essence(person)


def _refuse(path: Path, cut: Sequence[Part], number: int, shape: Shape, fields: Sequence[str]) -> None:
    """Tell what is wrong with one record."""
    part = next(part for part in reversed(cut) if part.first <= number)
    for at, (_, person) in enumerate(people_of_part(part, shape, fields), part.first):
        if at == number and isinstance(person, Bad):
            raise UserError(person.why, where=f"{path}: {person.place}")


def read_all(path: Path, fields: Sequence[str] = ()) -> list[Person]:
    """Everybody in a file. Raises :class:`UserError` where there is nobody, too."""
    people = list(read_people(path, fields))
    if not people:
        raise UserError("nobody is in it", where=str(path))
    return people


def write_kept(path: Path, out: Path, kept: Sequence[bool] | NDArray[np.bool_]) -> None:
    """The records of ``path`` that are ``kept``, by their order, with all their fields, in the same format.

    The file is there when it is complete. Raises :class:`UserError` where it cannot be written.
    """
    if out.suffix.lower() != path.suffix.lower():
        raise UserError(
            f"a name that ends in {out.suffix or 'nothing'}", where=str(out), remedy=f"expected {path.suffix}"
        )
    try:
        with replacing(out) as file:
            _WRITERS.get(path.suffix.lower(), _lines)(path, file, kept)
    except OSError as error:
        raise disk_error(error, out) from error


def write_removed(out: Path, removals: Iterable[Removal | None]) -> None:
    """JSON lines, one for each who went: its record's number, reason, twin's number, similarity and text."""
    try:
        with replacing(out) as file:
            for removal in removals:
                if removal is not None:
                    file.write(removal.model_dump_json().encode() + b"\n")
    except OSError as error:
        raise disk_error(error, out) from error


def _stay(path: Path, kept: Sequence[bool] | NDArray[np.bool_]) -> Iterator[Any]:
    return (record for keep, (_, record) in zip(kept, records(path), strict=True) if keep)


def _lines(path: Path, file: IO[bytes], kept: Sequence[bool] | NDArray[np.bool_]) -> None:
    file.writelines(line for keep, line in zip(kept, raw_lines(path), strict=True) if keep)


def _list(path: Path, file: IO[bytes], kept: Sequence[bool] | NDArray[np.bool_]) -> None:
    file.write(b"[")
    for number, record in enumerate(_stay(path, kept)):
        file.write((",\n" if number else "\n").encode() + json.dumps(record, ensure_ascii=False, indent=2).encode())
    file.write(b"\n]\n")


def _table(path: Path, file: IO[bytes], kept: Sequence[bool] | NDArray[np.bool_]) -> None:
    import io

    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer: csv.DictWriter[str] | None = None
    for record in _stay(path, kept):
        if writer is None:
            writer = csv.DictWriter(text, list(record), delimiter="\t" if path.suffix.lower() == ".tsv" else ",")
            writer.writeheader()
        writer.writerow(record)
    text.detach()


def _parquet(path: Path, file: IO[bytes], kept: Sequence[bool] | NDArray[np.bool_]) -> None:
    import pyarrow
    from pyarrow import parquet

    start, held, size = 0, list[Any](), 0
    with parquet_file(path) as source, parquet.ParquetWriter(file, source.schema_arrow) as writer:
        for batch in source.iter_batches(batch_size=CHUNK):
            held.append(batch.filter(pyarrow.array(kept[start : start + batch.num_rows])))
            start, size = start + batch.num_rows, size + held[-1].nbytes
            if size >= _GROUP:
                writer.write_table(pyarrow.Table.from_batches(held), row_group_size=1 << 30)
                held, size = [], 0
        writer.write_table(pyarrow.Table.from_batches(held, source.schema_arrow), row_group_size=1 << 30)


_WRITERS = {".json": _list, ".csv": _table, ".tsv": _table, ".parquet": _parquet}
