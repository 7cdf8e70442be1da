"""Which checkpoint a run goes on from."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

_NAME = re.compile(r"checkpoint-(\d+)")
_STATE = "trainer_state.json"


def newest_checkpoint(folder: Path) -> tuple[Path, int] | None:
    """The newest complete checkpoint and its step; None where there is none.

    transformers writes ``trainer_state.json`` last: a checkpoint is complete if and only if that file parses and
    names the step of its folder. Incomplete ones are removed, so that they are not counted among those kept.
    """
    found: list[tuple[int, Path]] = []
    for path in folder.glob("checkpoint-*"):
        match = _NAME.fullmatch(path.name)
        if match and _complete(path, int(match[1])):
            found.append((int(match[1]), path))
        else:
            shutil.rmtree(path, ignore_errors=True)
    if not found:
        return None
    step, path = max(found)
    return path, step


def _complete(path: Path, step: int) -> bool:
    try:
        state = json.loads((path / _STATE).read_text())
    except (OSError, ValueError):
        return False
    return isinstance(state, dict) and state.get("global_step") == step
