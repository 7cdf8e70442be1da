"""What a fake server can do wrong, one value a request."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Status:
    """Answer with this status instead, with an error in the OpenAI shape."""

    code: int
    message: str = "it failed"
    headers: dict[str, str] = field(default_factory=dict)
    error: dict[str, Any] = field(default_factory=dict)
    """More keys of the error: ``code``, ``param``, ``type``."""


@dataclass(frozen=True)
class Hang:
    """Never answer."""


@dataclass(frozen=True)
class Drop:
    """Close the connection without a word."""


@dataclass(frozen=True)
class Truncate:
    """Send only so many characters, with the finish reason ``length``."""

    characters: int


@dataclass(frozen=True)
class WhiteSpace:
    """Send the first characters and then blanks up to ``max_tokens``, with ``length``."""

    characters: int = 1


@dataclass(frozen=True)
class Cut:
    """End a stream after so many pieces: clean on the wire, but without a finish reason; or not clean at all."""

    pieces: int
    clean: bool = True


@dataclass(frozen=True)
class Raw:
    """Answer 200 with these bytes."""

    body: bytes
    content_type: str = "application/json"


@dataclass(frozen=True)
class Alive:
    """Keep a stream open with comments, every ``every`` seconds, and say nothing."""

    every: float = 0.01


Fault = Alive | Status | Hang | Drop | Truncate | WhiteSpace | Cut | Raw


def limited(retry_after: float | None = None, **error: Any) -> Status:
    """A 429."""
    headers = {} if retry_after is None else {"retry-after": str(retry_after)}
    return Status(429, "Rate limit reached", headers, error)
