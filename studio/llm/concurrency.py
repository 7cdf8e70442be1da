"""Concurrency: how many chains of author and judge are under way at once, and what becomes of them at a stop.

``auto`` follows what the endpoints are known to bear. While a job runs its folder takes another number: the file
``concurrency`` there holds one, or ``auto``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Coroutine
from pathlib import Path
from typing import Any, TypeVar

from studio.errors import UserError
from studio.files import write_atomic
from studio.llm.endpoint import window

TICK_S = 0.2
"""How often it looks around while nothing comes back."""
AT_FIRST = 16
"""Chains at once while nothing is known of any endpoint."""
MOST = 1024
CONTROL = "concurrency"
AUTO = "auto"

Result = TypeVar("Result")


def set_concurrency(job_folder: Path, chains: int | None) -> None:
    """Have a running job go on with so many chains at once; None is ``auto``."""
    write_atomic(job_folder / CONTROL, f"{AUTO if chains is None else max(1, min(MOST, chains))}\n")


def read_concurrency(text: str) -> int | None:
    """What a person wrote: a number, or ``auto``, which is None. Raises :class:`studio.errors.UserError`."""
    if text.strip() == AUTO:
        return None
    try:
        chains = int(text)
    except ValueError:
        chains = 0
    if not 1 <= chains <= MOST:
        remedy = f"write a number from 1 to {MOST}, or {AUTO}"
        raise UserError("no such concurrency", where="concurrency", remedy=remedy)
    return chains


class Concurrency:
    """How many chains may be under way now. ``asked`` is what the job was started with, None for ``auto``;
    ``job_folder`` is where it is told something else."""

    def __init__(self, asked: int | None = None, job_folder: Path | None = None) -> None:
        self._asked, self._file = asked, job_folder / CONTROL if job_folder is not None else None
        self._looked = 0.0

    def __call__(self) -> int:
        if self._file is not None and time.monotonic() - self._looked >= TICK_S:
            self._looked = time.monotonic()
            self._asked = self._told(self._file)
        if self._asked is not None:
            return self._asked
        known = window()
        # A few more than there are slots: while one chain hands over from author to judge another has its slot.
        return min(MOST, known + known // 8 + 1) if known else AT_FIRST

    def _told(self, file: Path) -> int | None:
        """What the file says; as before where there is none, or nothing that can be read."""
        try:
            told = file.read_text(encoding="ascii").strip()
            return None if told == AUTO else max(1, min(MOST, int(told)))
        except (OSError, ValueError):
            return self._asked


class Chains:
    """Many things under way at once, but never more than ``limit`` says.

    After ``stop`` nothing new begins, ``on_stop`` is called once, and what is under way comes back in its own time;
    after ``cancel`` it is cancelled. A failure (an exception in one of them, or :meth:`fail`) stops too, and is raised
    once all are back.
    """

    def __init__(
        self,
        limit: Callable[[], int],
        stop: Callable[[], bool],
        *,
        cancel: Callable[[], bool] = lambda: False,
        on_stop: Callable[[], None] = lambda: None,
    ) -> None:
        self._limit, self._stop, self._cancel, self._on_stop = limit, stop, cancel, on_stop
        self.under_way = 0
        self.stopping = False
        self.failure: Exception | None = None
        """The first that came."""

    @property
    def limit(self) -> int:
        return self._limit()

    def fail(self, error: Exception) -> None:
        """Begin nothing new, let what is under way come back, and have :meth:`results` raise ``error`` then."""
        self.failure = self.failure or error
        self._look()

    async def results(
        self, take: Callable[[], Coroutine[Any, Any, Result] | None]
    ) -> AsyncGenerator[Result | None, None]:
        """Results of what ``take`` hands out as they come; None at every look around.

        It ends when ``take`` has nothing while nothing is under way. Results that come back together are given in the
        order of their start, so that a run that never waits is the same every time.
        """
        tasks: dict[asyncio.Task[Result], int] = {}
        started = 0
        try:
            while True:
                self._look()
                limit = 0 if self.stopping else self._limit()
                try:
                    while len(tasks) < limit and (work := take()) is not None:
                        tasks[asyncio.ensure_future(work)] = started
                        started += 1
                except Exception as error:
                    self.fail(error)
                self.under_way = len(tasks)
                if not tasks or (self.stopping and self._cancel()):
                    break
                done, _ = await asyncio.wait(tasks, timeout=TICK_S, return_when=asyncio.FIRST_COMPLETED)
                for task in sorted(done, key=tasks.__getitem__):
                    del tasks[task]
                    self.under_way = len(tasks)
                    if isinstance(failed := task.exception(), Exception):
                        self.fail(failed)
                    else:
                        yield task.result()
                yield None
        finally:
            self.under_way = 0
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        if self.failure is not None:
            raise self.failure

    def _look(self) -> None:
        if not self.stopping and (self.failure is not None or self._stop()):
            self.stopping = True
            self._on_stop()
