"""Migrations of ``examples.db``: what each version adds to the one before. A new file takes the same steps."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path

from studio.errors import UserError
from studio.store.schema import FIRST, STEPS, TABLES, VERSION

RESTORE = "studio workspace restore keeps this file and salvages what is sound, or goes back to a backup"


def prepare(connection: sqlite3.Connection, *, keep: bool = True) -> int:
    """Make the tables in an empty file, and what is missing in one of an earlier version, in one transaction.

    Returns the version of the file. An earlier one is checked and copied before (``examples.v1.db``), unless told not
    to ``keep`` it. Raises :class:`UserError` where it is damaged: nothing is made of it then.
    """
    version = version_of(connection)
    if version >= VERSION:
        return version
    if version and keep:
        _keep_copy(connection, version)
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = version_of(connection)  # another process may have been faster
        scripts = ([] if version else [TABLES]) + [STEPS[step] for step in range(version or FIRST, VERSION)]
        for statement in (statement for script in scripts for statement in _statements(script)):
            connection.execute(statement)
        if scripts:
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have rolled it back already
            connection.execute("ROLLBACK")
        raise
    return version_of(connection)


def check_quickly(connection: sqlite3.Connection, path: Path) -> None:
    """Read every page, 1 ms a MiB. Raises :class:`UserError` where one is damaged."""
    (found,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if found != "ok":
        told = " ".join(found.replace("*** in database main ***", "").split())
        raise UserError(f"the file is damaged: {told}", where=str(path), remedy=RESTORE)


def version_of(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _keep_copy(connection: sqlite3.Connection, version: int) -> None:
    """A copy of the file as it was, beside it, before it is changed. One that is there already is left."""
    (name,) = connection.execute("SELECT file FROM pragma_database_list WHERE name = 'main'").fetchone()
    check_quickly(connection, Path(name))
    copy = Path(name).with_suffix(f".v{version}.db")
    if copy.exists():
        return
    partial = copy.with_suffix(f".{os.getpid()}.part")
    partial.unlink(missing_ok=True)
    try:
        connection.execute("VACUUM INTO ?", (str(partial),))
        partial.chmod(0o600)
        partial.replace(copy)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


def _statements(script: str) -> list[str]:
    """One by one: :meth:`sqlite3.Connection.executescript` would commit before it begins."""
    found, statement = [], ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            found.append(statement)
            statement = ""
    return found
