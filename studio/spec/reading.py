"""Reading a text file that a person wrote, with a plain word for everything that can be wrong with it."""

from __future__ import annotations

import stat
from pathlib import Path

MAX_SPEC_BYTES = 1_048_576
"""A spec is written by hand; the largest sensible one is a tenth of this."""


class UnreadableError(Exception):
    """The file cannot be read as text. ``str()`` says why; ``line`` is where, 1-based."""

    def __init__(self, message: str, line: int = 1) -> None:
        self.line = line
        super().__init__(message)


def read_text(path: Path, limit: int = MAX_SPEC_BYTES) -> str:
    """The text of a regular UTF-8 file of at most ``limit`` bytes, without a byte order mark.

    Raises UnreadableError: a missing file, a folder, a device or pipe (never opened), too many bytes, another encoding.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UnreadableError("expected a file, found a folder")
        if not stat.S_ISREG(mode):
            raise UnreadableError("expected a regular file, found a device, pipe or socket")
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except FileNotFoundError:
        raise UnreadableError("no such file") from None
    except (OSError, ValueError) as error:
        raise UnreadableError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > limit:
        raise UnreadableError(f"expected at most {limit // 1024} KiB")
    return decode(raw)


def decode(raw: bytes) -> str:
    """UTF-8 text; raises UnreadableError with the line of the first byte that is not."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableError(f"expected UTF-8 text, found the byte 0x{raw[error.start]:02x}", line) from None
