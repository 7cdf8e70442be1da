"""What the window keeps from one start to the next: where each screen was, other keys, a spec that was not saved."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from studio.chatml import Frozen
from studio.errors import UserError
from studio.files import write_atomic
from studio.tui.live.threads import disk_errors

if TYPE_CHECKING:
    from studio.store import StudioFile

Value = str | int | bool | None


class ScreenState(Frozen):
    """Table ``screen``, by stage: a cursor, a filter, a view."""

    stage: str
    values: dict[str, Value] = {}


class KeyMap(Frozen):
    """Table ``settings``, id ``keys``: action id -> keys, as in :mod:`studio.tui.keys`."""

    keys: dict[str, str] = {}


class Memory:
    """Read once at the start; written off the UI thread when a screen is left."""

    def __init__(self, file: StudioFile) -> None:
        self._file = file
        self._states: dict[str, dict[str, Value]] = {}
        self.keymap: dict[str, str] = {}
        self.problem: UserError | None = None
        """What could not be read; the window opens without it."""
        try:
            self.keymap = (file.get("settings", "keys", KeyMap) or KeyMap()).keys
            self._states = {state.stage: state.values for state in file.all("screen", ScreenState)}
        except UserError as error:
            self.problem = error

    def of(self, stage: str) -> dict[str, Value]:
        return dict(self._states.get(stage, {}))

    def changed(self, stage: str, values: dict[str, Value]) -> bool:
        return values != self._states.get(stage, {})

    def keep(self, stage: str, values: dict[str, Value]) -> None:
        """Writes the disk."""
        self._file.put("screen", stage, ScreenState(stage=stage, values=values))
        self._states[stage] = values


class Draft(Frozen):
    """``changed`` says whether the file was written since."""

    text: str
    at: datetime
    """In the time of here."""
    changed: bool = False

    @property
    def told(self) -> str:
        since = " The file was changed since." if self.changed else ""
        return f"A draft from {self.at:%m-%d %H:%M} was not saved.{since}"


def draft_path(root: Path, path: Path) -> Path:
    """Where the draft of the file at ``path`` lies; ``root`` is the folder of the workspaces."""
    mark = hashlib.sha256(str(path.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:12]
    return root / f".draft-{mark}"


def keep_draft(root: Path, path: Path, text: str) -> None:
    """Writes the disk. Raises UserError."""
    kept = draft_path(root, path)
    with disk_errors("the draft is not kept", kept):
        write_atomic(kept, text, mode=0o600)


def find_draft(root: Path, path: Path) -> Draft | None:
    """Reads the disk; None too where it cannot be read."""
    kept = draft_path(root, path)
    try:
        text, when = kept.read_bytes().decode(), kept.stat().st_mtime
        changed = path.exists() and path.stat().st_mtime > when
    except (OSError, UnicodeDecodeError):
        return None
    return Draft(text=text, at=datetime.fromtimestamp(when).astimezone(), changed=changed)


def drop_draft(root: Path, path: Path) -> None:
    """Writes the disk. Raises UserError."""
    kept = draft_path(root, path)
    with disk_errors("the draft cannot be removed", kept):
        kept.unlink(missing_ok=True)
