"""The process of a job: ``python -m studio.jobs.worker FOLDER``."""

from __future__ import annotations

import asyncio
import importlib
import inspect
import os
import signal
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.errors import UserError
from studio.files import write_atomic
from studio.jobs import lock
from studio.jobs.context import JobContext
from studio.jobs.events import EventLog
from studio.jobs.folder import ENDING, EVENTS, LOCK, Ending
from studio.jobs.job import Job, now
from studio.jobs.starting import ATTEMPT_VARIABLE, LOCK_FD_VARIABLE


def main(folder: Path) -> int:
    """Run the job of ``folder`` to its end, and write its last word."""
    held = _lock(folder)
    if held is None:
        print("somebody else works on this job", file=sys.stderr)
        return 1
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # it outlives the terminal
    number = int(os.environ.pop(ATTEMPT_VARIABLE, "1"))
    log = EventLog(folder / EVENTS)
    context = JobContext(folder, log)
    signal.signal(signal.SIGTERM, lambda *_: context.request_stop())
    ending = _run(Job(folder), context, number)
    log.close()
    write_atomic(folder / ENDING, ending.model_dump_json() + "\n")
    return 0 if ending.state != "failed" else 1


def _lock(folder: Path) -> int | None:
    """The lock, inherited from whoever started this process, or taken here when it is started by hand."""
    inherited = os.environ.pop(LOCK_FD_VARIABLE, None)
    if inherited is None:
        return lock.take(folder / LOCK)
    os.set_inheritable(int(inherited), False)  # what this job starts must not keep it looking alive
    return int(inherited)


def _run(job: Job, context: JobContext, number: int) -> Ending:
    try:
        _call(_entry(job.request.entry), job.request.params, context)
    except UserError as error:
        return Ending(attempt=number, state="failed", error=str(error), at=now())
    except BaseException as error:
        traceback.print_exc()
        if context.stop_requested and isinstance(error, (KeyboardInterrupt, asyncio.CancelledError)):
            return Ending(attempt=number, state="stopped", at=now())
        return Ending(attempt=number, state="failed", error=_one_line(error), at=now())
    return Ending(attempt=number, state="stopped" if context.stop_requested else "finished", at=now())


def _entry(name: str) -> Callable[[dict[str, Any], JobContext], Any]:
    module, _, function = name.partition(":")
    found: Callable[[dict[str, Any], JobContext], Any] = getattr(importlib.import_module(module), function)
    return found


def _call(entry: Callable[[dict[str, Any], JobContext], Any], params: dict[str, Any], context: JobContext) -> None:
    result = entry(params, context)
    if inspect.iscoroutine(result):
        asyncio.run(result)


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())[:300]
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
