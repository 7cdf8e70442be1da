"""The files in a job's folder."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class JobPaths:
    folder: Path

    @property
    def request(self) -> Path:
        return self.folder / "job.json"

    @property
    def status(self) -> Path:
        return self.folder / "state.json"

    @property
    def events(self) -> Path:
        return self.folder / "events.jsonl"

    @property
    def log(self) -> Path:
        return self.folder / "log.txt"

    @property
    def lock(self) -> Path:
        """Held by the worker for as long as it lives; holds its pid."""
        return self.folder / "lock"

    @property
    def stop(self) -> Path:
        """There once a stop was asked for."""
        return self.folder / "stop"

    @property
    def reserve(self) -> Path:
        """There while the worker runs: room for its last word."""
        return self.folder / "reserve"
