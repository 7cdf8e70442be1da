"""What was already measured of an evaluation, so that one that was cut short goes on where it was."""

from __future__ import annotations

import os
from pathlib import Path

from pydantic import ValidationError

from studio.evaluate.types import ProbeResult


class ResultCache:
    """An append-only JSONL file of probe results, named by the evaluation's fingerprint."""

    def __init__(self, folder: Path, fingerprint: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{fingerprint[:16]}.jsonl"

    def load(self) -> dict[str, ProbeResult]:
        """Probe id -> result. A torn last line (the writer was killed) is left out."""
        if not self.path.exists():
            return {}
        found: dict[str, ProbeResult] = {}
        for line in self.path.read_text(encoding="utf-8").splitlines():
            try:
                result = ProbeResult.model_validate_json(line)
            except ValidationError:
                continue
            found[result.probe.id] = result
        return found

    def add(self, result: ProbeResult) -> None:
        """Durable when this returns."""
        torn = self.path.exists() and not self.path.read_bytes().endswith(b"\n") and self.path.stat().st_size > 0
        with self.path.open("a", encoding="utf-8") as file:
            file.write(("\n" if torn else "") + result.model_dump_json() + "\n")
            file.flush()
            os.fsync(file.fileno())
