"""Errors that are the user's to mend: each names the place and the remedy, and is shown without a traceback."""

from __future__ import annotations


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
