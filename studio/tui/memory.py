"""What the window remembers from one start to the next, in studio.json: where each screen was, and other keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.chatml import Frozen
from studio.errors import UserError

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
