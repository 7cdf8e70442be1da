"""What was already measured of an evaluation, so that one that was cut short goes on where it was."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel, ValidationError

Kept = TypeVar("Kept", bound=BaseModel)


class Cache(Generic[Kept]):
    """An append-only JSONL file of values, named by the fingerprint of all that decides them."""

    def __init__(self, path: Path, model: type[Kept]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path, self._model = path, model

    def load(self) -> list[Kept]:
        """All of them, oldest first. A torn last line (the writer was killed) is left out."""
        if not self.path.exists():
            return []
        found = []
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                found.append(self._model.model_validate_json(line))
            except ValidationError:
                continue
        return found

    def add(self, value: Kept) -> None:
        """Durable when this returns."""
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n") and self.path.stat().st_size > 0
        with self.path.open("a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + value.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())
