"""Copying: to the terminal's clipboard, which never answers, and to a file, which is there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.errors import UserError
from studio.files import write_atomic

if TYPE_CHECKING:
    from studio.tui.app import StudioApp

FILE = "copied.txt"


async def copy(app: StudioApp, text: str, what: str) -> None:
    """Do both, and say so. Raises UserError where the file cannot be written."""
    assert app.session is not None, "there is nothing to copy before a workspace is open"
    path = app.session.workspace.folder / FILE
    app.copy_to_clipboard(text)  # OSC 52
    try:
        await app.disk.write(write_atomic, path, f"{text}\n")
    except OSError as error:
        raise UserError(f"not written: {error.strerror or error}", where=str(path)) from None
    app.tell(f"{what}: sent to the terminal's clipboard, and written to {path}")
