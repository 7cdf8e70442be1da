"""What the terminal lends: the user's own editor, with the window out of the way, and its clipboard."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from textual.app import SuspendNotSupported

from studio.errors import UserError
from studio.files import write_atomic
from studio.text.inert import inert
from studio.tui.live.threads import disk_errors

if TYPE_CHECKING:
    from studio.tui.studio import Studio

FALLBACKS = ("nano", "vim", "vi")


def editor_command() -> list[str]:
    """$VISUAL, $EDITOR or an editor that is there. Raises UserError where there is none."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    try:
        command = shlex.split(named) if named else [name for name in FALLBACKS if shutil.which(name)][:1]
    except ValueError as error:
        raise UserError(f"EDITOR is no command: {named}", remedy=f"set it anew: {error}") from None
    if not command or not shutil.which(command[0]):
        raise UserError(f"no such editor: {command[0]}" if command else "no editor found", remedy="set EDITOR")
    return command


def edit_file(app: Studio, path: Path) -> bool:
    """Edit a file; True unless there was no way to."""
    try:
        command = editor_command()
        with app.suspend():
            subprocess.run([*command, str(path)], check=False)
    except (UserError, OSError) as error:
        app.tell(error if isinstance(error, UserError) else str(error), "error")
        return False
    except SuspendNotSupported:
        app.tell("this terminal cannot be given to an editor", "error")
        return False
    return True


def edit_text(app: Studio, text: str, suffix: str = ".txt") -> str | None:
    """Edit a text in a file of its own; None where there was no way to."""
    try:
        with tempfile.TemporaryDirectory(prefix="studio-", ignore_cleanup_errors=True) as folder:
            path = Path(folder) / f"edit{suffix}"
            path.write_text(text, encoding="utf-8")
            return path.read_text(encoding="utf-8", errors="replace") if edit_file(app, path) else None
    except OSError as error:
        where = error.filename or tempfile.gettempdir()
        app.tell(UserError(f"no file to edit in: {error.strerror or error}", where=str(where)))
        return None


async def copy(app: Studio, text: str, what: str) -> None:
    """To the terminal's clipboard, which never answers, and to a file, which is there; says so. No control character
    goes with it: whoever pastes it may be in a shell. Raises UserError where the file cannot be written."""
    assert app.session is not None, "there is nothing to copy before a workspace is open"
    path = app.session.workspace.folder / "copied.txt"
    text = inert(text.replace("\r\n", "\n"))
    app.copy_to_clipboard(text)  # OSC 52
    with disk_errors("not written", path):
        await app.disk.write(write_atomic, path, f"{text}\n", mode=0o600)
    app.tell(f"{what}: sent to the terminal's clipboard, and written to {path}")
