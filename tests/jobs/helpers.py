"""Starting jobs and waiting on what becomes of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from studio.jobs import Job, start
from tests.jobs.entries import Counted, CountParams


def begin(folder: Path, entry: str, params: CountParams | None = None, stage: str = "count") -> Job:
    return start(folder, stage, f"tests.jobs.entries:{entry}", params or CountParams())


def until(condition: Callable[[], object], seconds: float = 20) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "never came true"
        time.sleep(0.01)


def numbers(job: Job) -> list[int]:
    return [Counted.model_validate(event.data).number for event in job.events()[0]]
