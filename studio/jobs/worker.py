"""The process of a job: ``python -m studio.jobs.worker FOLDER``. It needs nobody; all it tells is in its folder."""

from __future__ import annotations

import argparse
import faulthandler
import importlib
import importlib.util
import inspect
import os
import signal
import sys
import threading
import traceback
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Any

from studio.errors import disk_error
from studio.jobs.context import JobContext
from studio.jobs.events import EventLog
from studio.jobs.job import Job
from studio.jobs.record import Phase, Status, keep_room, write_status
from studio.machine.lock import acquire, write_pid

_TEARDOWN_S = 10.0
"""After its last word a worker that hangs (a thread, a library's own clean-up) is ended."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m studio.jobs.worker")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--lock", type=int, help="the job's lock, already held and handed over as an open file")
    asked = parser.parse_args(arguments)
    job = Job(asked.folder)
    lock = asked.lock if asked.lock is not None else acquire(job.paths.lock, 1.0)
    if lock is None:
        sys.stderr.write(f"{job.folder}: the job is running already\n")
        return 2
    faulthandler.enable()
    phase = _run(job, lock)
    return 0 if phase in ("finished", "stopped") else 1


def _hold(lock: int) -> None:
    """Keep the lock to this very process: a child that outlived it would make it look alive."""
    os.set_inheritable(lock, False)
    os.register_at_fork(after_in_child=lambda: os.close(lock))
    write_pid(lock, os.getpid())


def _run(job: Job, lock: int) -> Phase:
    started = datetime.now(UTC)
    phase: Phase = "finished"
    error = None
    try:
        context = _begin(job, lock, started)
        _work(job, context)
        if context.stop_requested:
            phase = "stopped"
    except BaseException as problem:
        phase, error = "failed", told(problem)
    last = Status(phase=phase, pid=os.getpid(), error=error, started=started, ended=datetime.now(UTC))
    say_last(job, last)
    _leave_soon()
    return phase


def _begin(job: Job, lock: int, started: datetime) -> JobContext:
    """Be alive, and able to tell and to be told. Raises :class:`studio.errors.UserError` without room for that."""
    try:
        _hold(lock)
        context = JobContext(job.folder, EventLog(job.paths.events))
        _listen(job, context)
        keep_room(job.paths.reserve)  # made by the starter, but not for a worker that was started by hand
        write_status(job.paths.status, Status(phase="running", pid=os.getpid(), started=started))
    except OSError as error:
        raise disk_error(error, job.folder, doing="cannot begin") from error
    if job.paths.stop.exists():  # asked for while there was no handler
        context.request_stop()
    return context


def say_last(job: Job, last: Status) -> None:
    """Write how it ended; on a full disk into the room that was kept for it."""
    try:
        job.paths.reserve.unlink(missing_ok=True)
        write_status(job.paths.status, last)
    except OSError as error:
        told(error)  # what is left then is a free lock: dead


def _listen(job: Job, context: JobContext) -> None:
    def stop(_number: int, _frame: FrameType | None) -> None:
        with suppress(OSError):
            job.paths.stop.touch()
        context.request_stop()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _work(job: Job, context: JobContext) -> None:
    """Call the entry. What it told is on the disk afterwards, whatever became of it."""
    try:
        module, _, function = job.request.entry.partition(":")
        entry = getattr(importlib.import_module(module), function)
        done = entry(job.request.params, context)
        if inspect.iscoroutine(done):
            _drive(done, context)
    finally:
        with suppress(OSError):
            context.sync()


def _drive(work: Coroutine[Any, Any, None], context: JobContext) -> None:
    import asyncio

    async def attached() -> None:
        context.attach(asyncio.get_running_loop())
        await work

    asyncio.run(attached())


def told(error: BaseException) -> str:
    """Our own errors are one line for a person; any other is named, and its traceback goes to the log."""
    line = " ".join(str(error).split())
    ours = type(error).__module__.startswith("studio.")
    with suppress(OSError):  # the log may be on the full disk that ended the work
        if ours:
            sys.stderr.write(f"{line}\n")
        else:
            traceback.print_exception(error)
    if ours:
        return line or type(error).__name__
    if isinstance(error, ModuleNotFoundError) and error.name and not _installed(error.name):
        return f"{error.name} is not installed (pip install '.[train]')"
    return f"{type(error).__name__}: {line}" if line else type(error).__name__


def _installed(module: str) -> bool:
    """Whether the package that a module would be part of is there: then it is the module's name that is wrong."""
    return importlib.util.find_spec(module.partition(".")[0]) is not None


def _leave_soon() -> None:
    timer = threading.Timer(_TEARDOWN_S, os._exit, args=(0,))
    timer.daemon = True
    timer.start()


if __name__ == "__main__":
    sys.exit(main())
