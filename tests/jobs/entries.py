"""Entries of jobs for the tests of this room."""

from __future__ import annotations

import asyncio
import importlib
import os
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any, Literal

from studio.chatml import Frozen
from studio.errors import UserError
from studio.jobs import JobContext


class Counted(Frozen):
    kind: Literal["counted"] = "counted"
    number: int


class CountParams(Frozen):
    """``hold_at``: the number after which it waits for the file ``go`` in the job's folder."""

    to: int = 3
    pause: float = 0.0
    hold_at: int | None = None


async def count(params: dict[str, Any], context: JobContext) -> None:
    """Counts on from where an earlier attempt ended, one number an event, until told to stop."""
    asked = CountParams.model_validate(params)
    kept = context.folder / "kept"
    number = int(kept.read_text()) if kept.exists() else 0
    ends = time.monotonic() + 120
    while number < asked.to and not context.stop_requested:
        if number == asked.hold_at and not (context.folder / "go").exists():
            assert time.monotonic() < ends, "a test that failed leaves nobody behind for long"
            await asyncio.sleep(0.01)
            continue
        number += 1
        kept.write_text(str(number))
        context.emit(Counted(number=number))
        await asyncio.sleep(asked.pause)


def wait_for_stop(params: dict[str, Any], context: JobContext) -> None:
    stopped: list[str] = []
    context.on_stop(lambda: stopped.append("called"))
    context.emit(Counted(number=0))
    while not stopped:
        time.sleep(0.01)
    Path(context.folder / "saved").touch()


def fail_by_the_user(params: dict[str, Any], context: JobContext) -> None:
    raise UserError("no such file", where="spec.yaml", remedy="name another")


def fail_by_us(params: dict[str, Any], context: JobContext) -> None:
    print("about to divide")
    raise ZeroDivisionError("division by zero")


async def wait_for_stop_in_a_loop(params: dict[str, Any], context: JobContext) -> None:
    stopped = asyncio.Event()
    context.on_stop(stopped.set)
    context.emit(Counted(number=0))
    await stopped.wait()
    context.emit(Counted(number=1))


def fork_a_child(params: dict[str, Any], context: JobContext) -> None:
    """Leaves a forked child that outlives it."""
    pid = os.fork()
    if pid == 0:
        time.sleep(60)
        os._exit(0)
    (context.folder / "child").write_text(str(pid))
    context.emit(Counted(number=pid))
    wait_for_stop(params, context)


def linger(params: dict[str, Any], context: JobContext) -> None:
    """Says its last word, and stays for a while because of a thread."""
    threading.Thread(target=time.sleep, args=(1.5,)).start()


def write_where_it_works(params: dict[str, Any], context: JobContext) -> None:
    with Path("here").open("a") as file:
        file.write("x")


def leave_by_itself(params: dict[str, Any], context: JobContext) -> None:
    sys.exit("had enough")


def leave_a_child(params: dict[str, Any], context: JobContext) -> None:
    """Leaves a child that outlives it and is given every open file that a child can be given."""
    code = "import time; time.sleep(60)"
    child = subprocess.Popen([sys.executable, "-c", code], start_new_session=True, close_fds=False)
    (context.folder / "child").write_text(str(child.pid))


def need_what_is_missing(params: dict[str, Any], context: JobContext) -> None:
    importlib.import_module("no_such_library")
