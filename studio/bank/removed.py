"""Who was removed: kept in a file before they go, put back from it, and looked up by whom they were too like."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from pydantic import ValidationError

from studio.bank.person import Person
from studio.bank.quality import Removal
from studio.errors import UserError, disk_error
from studio.files import replacing
from studio.jobs.events import read_events
from studio.store import ExampleStore

FOLDER = "people/removed"
"""In the workspace: JSON lines, numbered, one a removal of several; ``.undone`` once they were put back."""


class Alike(NamedTuple):
    """Somebody who was removed for being like somebody else."""

    text: str
    reason: str
    similarity: float | None


def remove_twins(
    store: ExampleStore, workspace: Path, people: Sequence[Person], removals: Sequence[Removal | None]
) -> tuple[int, Path]:
    """Forget those of ``people`` who have a removal, but for those whom an example names; how many, and the file that
    has them all, each with reason, twin and similarity. It is on the disk before anybody goes.

    Raises :class:`studio.errors.UserError` where it cannot be written; nobody is removed then.
    """
    folder = workspace / FOLDER
    gone = [(one, removal) for one, removal in zip(people, removals, strict=True) if removal is not None]
    path = folder / f"{len(_files(folder)) + 1:04}.jsonl"
    try:
        with replacing(path) as file:
            for person, removal in gone:
                twin = people[int(removal.twin) - 1].id if removal.twin else ""
                why = {"reason": removal.reason, "detail": removal.detail, "similarity": removal.similarity}
                record = person.model_dump(mode="json") | {"removed": why | {"twin": twin, "text": removal.text}}
                file.write(json.dumps(record, ensure_ascii=False).encode("utf-8", "replace") + b"\n")
    except OSError as error:
        raise disk_error(error, path, doing="not written, so nobody was removed") from None
    return store.remove_people([person.id for person, _ in gone]), path


def put_back(store: ExampleStore, workspace: Path) -> int | None:
    """Keep again those who were removed last; how many, or None where nobody was."""
    left = [path for path in _files(workspace / FOLDER) if path.suffix == ".jsonl"]
    if not left:
        return None
    path = left[-1]
    try:
        found = [Person.model_validate_json(line, extra="ignore") for line in path.read_bytes().splitlines()]
        added = store.add_people(found)
        path.rename(path.with_suffix(".undone"))
    except OSError as error:
        raise disk_error(error, path, doing="not put back") from None
    except ValidationError:
        raise UserError("not a file of people who were removed", where=str(path)) from None
    return added


class Removals:
    """Who was removed from a workspace, by the id of whom they were like: of the journals of runs and of
    :func:`remove_twins`. What was read is not read again."""

    def __init__(self, workspace: Path) -> None:
        self._folder = workspace / "people"
        self._ends: dict[Path, int] = {}
        self._found: dict[Path, dict[str, list[Alike]]] = {}

    def of(self, person_id: str) -> tuple[Alike, ...]:
        """Those like somebody. Reads the disk; what cannot be read has nobody."""
        journals, kept = sorted(self._folder.glob("*.jsonl")), sorted((self._folder / "removed").glob("*.jsonl"))
        for path in (*journals, *kept):
            try:
                if path.stat().st_size != self._ends.get(path):
                    self._read(path, journal=path in journals)
            except OSError:
                continue
        return tuple(one for path in (*journals, *kept) for one in self._found.get(path, {}).get(person_id, ()))

    def _read(self, path: Path, *, journal: bool) -> None:
        found = self._found.setdefault(path, {})
        if journal:
            events, self._ends[path] = read_events(path, self._ends.get(path, 0))
            told: list[object] = [event.data.get("removal") for event in events if event.kind == "settled"]
        else:
            told, self._ends[path] = [*_removed(path)], path.stat().st_size
        for why in told:
            if isinstance(why, dict) and (twin := why.get("twin")):
                alike = Alike(str(why.get("text", "")), str(why.get("reason", "")), why.get("similarity"))
                found.setdefault(str(twin), []).append(alike)


def _removed(path: Path) -> Iterator[object]:
    for line in path.read_bytes().splitlines():
        try:
            yield json.loads(line).get("removed")
        except (ValueError, AttributeError):
            continue


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*") if path.suffix in (".jsonl", ".undone"))
