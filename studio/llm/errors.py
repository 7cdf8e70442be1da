"""What can go wrong with a model, told apart by what to do about it."""

from __future__ import annotations

from typing import Literal

from studio.errors import UserError

Kind = Literal["auth", "limit", "timeout", "connection", "refused", "malformed", "server", "too_little"]


class ModelError(UserError):
    """A call that failed for good. ``kind`` tells the remedy; ``str`` is one line for a person.

    ``too_little`` is the offline author's: the spec gives it too little to write from.
    """

    def __init__(self, kind: Kind, message: str, *, status: int | None = None) -> None:
        self.kind, self.status = kind, status
        super().__init__(message)
