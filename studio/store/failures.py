"""What SQLite could not do, told as what a person can do about it."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from studio.errors import UserError

_REMEDIES = {
    sqlite3.SQLITE_FULL: ("the disk is full", "make room and try again; what was saved so far is whole"),
    sqlite3.SQLITE_BUSY: ("locked by another program", "end what holds it open for writing, then try again"),
    sqlite3.SQLITE_LOCKED: ("locked by another program", "end what holds it open for writing, then try again"),
    sqlite3.SQLITE_READONLY: ("not writable", "look at the owner and permissions of the file and its folder"),
    sqlite3.SQLITE_CANTOPEN: ("cannot be opened", "look at the owner and permissions of the file and its folder"),
    sqlite3.SQLITE_PERM: ("not allowed", "look at the owner and permissions of the file and its folder"),
    sqlite3.SQLITE_IOERR: ("the disk failed to read or write", "look at the disk (dmesg, df), then try again"),
    sqlite3.SQLITE_CORRUPT: (
        "the file is damaged",
        "put a copy of it in its place, or recover it: sqlite3 examples.db .recover | sqlite3 new.db",
    ),
    sqlite3.SQLITE_NOTADB: (
        "not a database of the studio",
        "put a copy of it in its place, or move it away to begin anew",
    ),
}


def explained(error: sqlite3.Error, path: Path) -> UserError | None:
    """The error for the user; None where it is ours. Extended result codes count as their primary one."""
    told = _REMEDIES.get((getattr(error, "sqlite_errorcode", None) or 0) & 0xFF)
    return UserError(told[0], where=str(path), remedy=told[1]) if told else None
