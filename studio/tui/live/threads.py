"""Work off the UI thread: the disk's, and what may take minutes, for which a window that closes does not wait."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import ParamSpec, TypeVar

from studio.errors import disk_error

P = ParamSpec("P")
T = TypeVar("T")


class Disk:
    """Two threads. What is awaited has happened: a write that came back is durable."""

    def __init__(self) -> None:
        self._reads = ThreadPoolExecutor(1, thread_name_prefix="reads")
        self._writes = ThreadPoolExecutor(1, thread_name_prefix="writes")

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run(self._reads, function, *args, **kwargs)

    async def write(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        return await _run(self._writes, function, *args, **kwargs)

    async def drain(self) -> None:
        """Wait until every write that was asked for so far is done."""
        await self.write(lambda: None)

    def close(self) -> None:
        """Finish the writes, drop the reads."""
        self._reads.shutdown(wait=False, cancel_futures=True)
        self._writes.shutdown(wait=True)


async def _run(pool: ThreadPoolExecutor, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    return await asyncio.get_running_loop().run_in_executor(pool, lambda: function(*args, **kwargs))


@contextmanager
def disk_errors(what: str, path: Path) -> Iterator[None]:
    """What the system refuses, as a UserError: ``not written: permission denied``."""
    try:
        yield
    except OSError as error:
        raise disk_error(error, path, doing=what) from None


async def detached(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What ``function`` gives or raises, such as loading a model or asking a hub, from a daemon thread: the interpreter
    and ``asyncio.run`` wait for the threads of ``asyncio.to_thread`` before they end, for this one they do not."""
    future: Future[T] = Future()

    def work() -> None:
        try:
            settle = partial(future.set_result, function(*args, **kwargs))
        except BaseException as error:
            settle = partial(future.set_exception, error)
        if future.set_running_or_notify_cancel():  # else nobody waits any more
            settle()

    threading.Thread(target=work, name="detached", daemon=True).start()
    return await asyncio.wrap_future(future)
