"""Measuring the bank's diversity off the UI thread, alone or beside another bank, and the picture of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.bank.chart import svg
from studio.bank.diversity import Diversity, compare, diversity
from studio.bank.formats import read_people
from studio.embed import Embedder, disk_embedder
from studio.errors import UserError
from studio.files import write_atomic
from studio.store import PeopleFilter
from studio.store.crowd import Crowd
from studio.store.records import Person
from studio.tui.live.work import Progress

if TYPE_CHECKING:
    from studio.embed.model import Vectors

Banks = tuple[tuple[str, Diversity], ...]
_TOLD, _BATCH = 500, 32


@dataclass(frozen=True)
class Wanted:
    """What is measured. ``mark`` changes with the bank, ``changed`` with the file of the other one."""

    filter: PeopleFilter
    mark: tuple[int, int, str]
    against: Path | None = None
    changed: int = 0


def wanted_now(crowd: Crowd, filter: PeopleFilter, against: Path | None) -> Wanted:
    """Reads the disk. Raises UserError where the other file is gone."""
    try:
        changed = against.stat().st_mtime_ns if against else 0
    except OSError as error:
        raise UserError(f"cannot be read: {error.strerror}", where=str(against)) from None
    return Wanted(filter, crowd.mark(), against, changed)


def measure(crowd: Crowd, name: str, wanted: Wanted, progress: Progress) -> Banks:
    """Takes a second, and minutes where thousands are to be embedded for the first time. Raises UserError where nobody
    is in one of them."""
    whole = crowd.count(wanted.filter)
    people: list[Person] = []
    for person in crowd.each(wanted.filter):
        people.append(person)
        if len(people) % _TOLD == 0:
            progress(len(people), whole, "reading people")
    if not people:
        raise UserError("nobody is there to measure", where=name, remedy="s makes people, i imports them")
    embedder = Told(disk_embedder(), progress)
    if wanted.against is None:
        return ((name, diversity(people, embedder)),)
    others: list[Person] = []
    for person in read_people(wanted.against):
        others.append(person)
        if len(others) % _TOLD == 0:
            progress(len(others), 0, f"reading {wanted.against.name}")
    if not others:
        raise UserError("nobody is in it", where=str(wanted.against))
    one, other = compare(people, others, embedder)
    return ((name, one), (wanted.against.name, other))


class Told:
    """An embedder that tells how far it is."""

    def __init__(self, embedder: Embedder, progress: Progress) -> None:
        self._embedder, self._progress = embedder, progress

    @property
    def version(self) -> str:
        return self._embedder.version

    def embed(self, texts: Sequence[str]) -> Vectors:
        import numpy as np

        found: list[Any] = []
        for start in range(0, len(texts), _BATCH):
            self._progress(start, len(texts), "measuring people")
            found.append(self._embedder.embed(texts[start : start + _BATCH]))
        return np.concatenate(found) if found else self._embedder.embed(texts)


def write_picture(banks: Banks, path: Path) -> Path:
    """The same as SVG. Raises UserError where it cannot be written."""
    try:
        write_atomic(path, svg(banks))
    except OSError as error:
        raise UserError(f"cannot be written: {error.strerror or error}", where=str(path)) from None
    return path
