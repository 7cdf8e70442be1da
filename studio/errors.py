"""Errors that are the user's to mend: each names the place and the remedy, and is shown without a traceback."""

from __future__ import annotations

import errno


class UserError(Exception):
    """Bad input or a missing thing. ``str(error)`` is one line fit for a terminal.

    ``message`` says what is wrong, ``remedy`` what to do next, ``where`` the place (``file:line: key``).
    """

    def __init__(self, message: str, *, remedy: str = "", where: str = "") -> None:
        self.message, self.remedy, self.where = message, remedy, where
        super().__init__(message)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.message}" + (f" ({self.remedy})" if self.remedy else "")


FULL = "the disk is full"
MAKE_ROOM = "make room and try again; what was saved so far is whole"
_FULL = (errno.ENOSPC, errno.EDQUOT)
_READ_ONLY = "the place is read-only; copy it to a disk that can be written, or name another"


def disk_error(error: OSError, where: object, *, doing: str = "not written", remedy: str = "") -> UserError:
    """What a disk refused, for the user: a full one is told in the same words wherever it is met."""
    if error.errno in _FULL:
        return UserError(FULL, where=str(where), remedy=MAKE_ROOM)
    if error.errno == errno.EROFS:
        return UserError(f"{doing}: read-only", where=str(where), remedy=_READ_ONLY)
    remedy = remedy or "look at the owner and permissions of the file and its folder"
    return UserError(f"{doing}: {error.strerror or error}", where=str(where), remedy=remedy)
