"""Checking, backing up and restoring a workspace. Nothing here needs the workspace to be sound.

What is in the place of a restored ``examples.db`` is kept beside it (``examples.damaged-TIME.db``). Processes that have
the old file open are told that it was replaced at their next write.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.chatml import Frozen
from studio.errors import UserError, disk_error
from studio.store.database import explained
from studio.store.documents import MOVED
from studio.store.migrations import version_of
from studio.store.schema import VERSION
from studio.store.studiofile import StudioFile
from studio.store.workspace import EXAMPLES, SETTINGS, check_begun

_MOST_PROBLEMS = 20
_DERIVED = {
    "the states of examples": "SELECT (SELECT count(*) FROM examples) <> (SELECT count(*) FROM standings)",
    "the index of words": "SELECT (SELECT count(*) FROM search) <> (SELECT count(*) FROM standings)",
    "the counts by status": (
        "SELECT coalesce((SELECT sum(n) FROM tallies), 0) <> (SELECT count(*) FROM standings)"
        " OR EXISTS (SELECT spec_hash, category, scenario, status, decision IS NOT NULL, count(*) FROM standings"
        " GROUP BY 1, 2, 3, 4, 5 EXCEPT SELECT * FROM tallies)"
    ),
    "the counts by reason": (
        "SELECT EXISTS (SELECT reason, count(*) FROM reasons GROUP BY 1 EXCEPT SELECT * FROM reason_tallies)"
    ),
}
"""What follows from the rest -> SQL that is not 0 where it does not."""


class Check(Frozen):
    """What a workspace is worth as it lies on the disk."""

    version: int = 0
    examples: int = 0
    problems: tuple[str, ...] = ()
    """What is damaged, each in a line; empty where all is sound."""


class Restored(Frozen):
    """``kept`` is where the file went that was there before; None where there was none."""

    examples: int
    kept: Path | None
    lost: dict[str, int] = {}
    """Rows that could not be read, by table."""


def check(folder: Path) -> Check:
    """Read everything, and name what is damaged. Writes nothing."""
    problems: list[str] = []
    try:
        check_begun(folder)
        StudioFile(folder / SETTINGS).tables()
    except UserError as error:
        problems.append(f"{error.where}: {error.message}")
    if problems and problems[0].startswith(f"{folder}:"):
        return Check(problems=tuple(problems))
    if not (folder / EXAMPLES).exists():
        raise UserError("no workspace here yet", where=str(folder), remedy="studio generate begins one")
    version = examples = 0
    try:
        with closing(reading(folder / EXAMPLES)) as connection:
            version = version_of(connection)
            if version > VERSION:
                problems.append(f"{EXAMPLES}: made by a newer version of the studio ({version})")
            found = [line for (line,) in connection.execute(f"PRAGMA integrity_check({_MOST_PROBLEMS})")]
            problems += [f"{EXAMPLES}: {line}" for line in found if line != "ok"]
            problems += [
                f"{EXAMPLES}: a row of {table} belongs to nothing"
                for table, *_ in connection.execute("PRAGMA foreign_key_check").fetchmany(_MOST_PROBLEMS)
            ]
            (examples,) = connection.execute("SELECT count(*) FROM examples").fetchone()
            if version == VERSION:
                wrong = (name for name, asked in _DERIVED.items() if connection.execute(asked).fetchone()[0])
                problems += [f"{EXAMPLES}: {name} do not follow from what is stored" for name in wrong]
    except sqlite3.DatabaseError as error:
        problems.append(f"{EXAMPLES}: {error}")
    return Check(version=version, examples=examples, problems=tuple(problems[:_MOST_PROBLEMS]))


def backup(folder: Path, target: Path | None = None) -> Path:
    """Copy ``examples.db`` and ``studio.json`` into a new folder, also while others write; where it lies.

    Raises :class:`UserError` where the disk is full, the file is damaged, or ``target`` is there already.
    """
    target = target or folder / "backups" / _stamp()
    partial = target.with_name(f".{target.name}.part")
    if target.exists():
        raise UserError("there is something already", where=str(target), remedy="name another folder")
    try:
        partial.mkdir(mode=0o700, parents=True)
        copy = partial / EXAMPLES
        with closing(reading(folder / EXAMPLES)) as connection:
            connection.execute("VACUUM INTO ?", (str(copy),))
        copy.chmod(0o600)
        if (settings := folder / SETTINGS).exists():
            shutil.copyfile(settings, partial / SETTINGS)
            (partial / SETTINGS).chmod(0o600)
        for path in (*partial.iterdir(), partial):
            _flush(path)
        partial.rename(target)
    except (sqlite3.DatabaseError, OSError) as error:
        shutil.rmtree(partial, ignore_errors=True)
        raise told(error, folder / EXAMPLES) from error
    return target


def restore(folder: Path, source: Path) -> Restored:
    """Put a backup (its folder, or a copy of ``examples.db``) in the place of what is there, which is kept.

    One of a version that kept votes and evaluations in ``studio.json`` gets them back from the copy that was made of
    that. Raises :class:`UserError` where the backup is damaged or of a newer studio; nothing is changed then.
    """
    file = source / EXAMPLES if source.is_dir() else source
    new = folder / f".{EXAMPLES}.new"
    try:
        with closing(reading(file)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise UserError(f"the backup is damaged: {found}", where=str(file), remedy="choose another one")
            version = version_of(connection)
            if version > VERSION:
                raise UserError("made by a newer version of the studio", where=str(file), remedy="update the studio")
            (examples,) = connection.execute("SELECT count(*) FROM examples").fetchone()
            new.unlink(missing_ok=True)
            connection.execute("VACUUM INTO ?", (str(new),))
        kept = swap(folder, new)
        if version < VERSION:
            _give_back(folder, file.with_name(SETTINGS if source.is_dir() else "studio.v2.json"))
        return Restored(examples=examples, kept=kept)
    except (sqlite3.DatabaseError, OSError) as error:
        new.unlink(missing_ok=True)
        raise told(error, file) from error


def reading(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, also where nothing can be written beside the file."""
    if not path.is_file():
        raise UserError("there is no such file", where=str(path), remedy="studio workspace check says what is there")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, isolation_level=None)
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True, isolation_level=None)
    return connection


def swap(folder: Path, new: Path) -> Path | None:
    """Put ``new`` in the place of ``examples.db``, and keep that; where. A kill in between leaves both."""
    path = folder / EXAMPLES
    logs = [path.with_name(f"{path.name}-{part}") for part in ("wal", "shm")]
    new.chmod(0o600)
    _flush(new)
    kept = None
    if path.exists() and path.stat().st_size:
        kept = path.with_name(f"examples.damaged-{_stamp()}.db")
        shutil.copy2(path, kept)
        if logs[0].exists() and logs[0].stat().st_size:
            shutil.copy2(logs[0], kept.with_name(f"{kept.name}-wal"))
        _flush(kept)
    for log in logs:  # before the new file is there: it would be given the old one's log
        log.unlink(missing_ok=True)
    new.replace(path)
    _flush(folder)
    return kept


def _give_back(folder: Path, copy: Path) -> None:
    """Tables of a former ``studio.json`` that were moved out of it since; they are moved again when it is opened."""
    former = StudioFile(copy).tables() if copy.exists() else {}

    def change(tables: dict[str, dict[str, Any]]) -> None:
        for kind in (*MOVED, "settings"):
            tables[kind] = former.get(kind, {}) | tables.get(kind, {})

    StudioFile(folder / SETTINGS).change(change)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _stamp() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]


def told(error: sqlite3.DatabaseError | OSError, path: Path) -> UserError:
    """What went wrong with a file, for the user."""
    if isinstance(error, OSError):
        return disk_error(error, error.filename or path)
    return explained(error, path) or UserError(str(error), where=str(path), remedy="studio workspace check says more")
