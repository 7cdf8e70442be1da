"""The serve worker: loads, proves, opens its socket, answers until it is stopped or nobody asks any more."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aiohttp import web

from studio.jobs import JobContext
from studio.machine.gpu import GpuWaitEnded, claimed
from studio.serve.access import alone, secure_folder, socket_path
from studio.serve.types import ServeParams, ServeReady
from studio.train.worker.main import wait_without_spinning

if TYPE_CHECKING:
    from studio.serve.worker.api import Api

_LOOK_S = 0.5
"""How often it looks whether anybody still uses it, and can reach it."""


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Entry of the job. Tells ServeReady once requests can come; has the GPU, where there is one, for as long."""
    with ExitStack() as gpu:
        claim = claimed(
            f"serving for {context.folder.parent.parent.name}", context.emit, lambda: context.stop_requested
        )
        try:
            await asyncio.to_thread(gpu.enter_context, claim)
        except GpuWaitEnded:
            return
        await _serve(ServeParams.model_validate(params, extra="ignore"), context)


async def _serve(asked: ServeParams, context: JobContext) -> None:
    began = time.monotonic()
    wait_without_spinning(os.environ)  # before the imports below bring in torch, which looks once
    from studio.serve.worker.api import Api
    from studio.serve.worker.batching import Batcher
    from studio.serve.worker.engine import Engine
    from studio.serve.worker.models import load
    from studio.serve.worker.request import asked_of
    from studio.train.worker.placement import choose_placement

    stop = asyncio.Event()
    context.on_stop(stop.set)
    served = await asyncio.to_thread(load, asked.base_path, asked.adapter_path, asked.method, asked.system_prompt)
    batcher = Batcher(Engine(served).run)
    api = Api(served.names, partial(asked_of, served), batcher)
    runner = api.runner()
    await runner.setup()
    socket = socket_path(context.folder.parent)
    try:
        await _listen(runner, socket)
        took = time.monotonic() - began
        context.emit(
            ServeReady(
                socket=str(socket),
                device=choose_placement().name,
                models=served.names,
                proof=served.proof,
                seconds=took,
            )
        )
        async for _ in _looks(context.folder, api, stop, asked.grace_s):
            if not socket.exists():  # a cleaner of temporary files took it
                await _listen(runner, socket)
    finally:
        await batcher.close()
        await runner.cleanup()
        socket.unlink(missing_ok=True)


async def _listen(runner: web.AppRunner, socket: Path) -> None:
    """Bind in a folder that nobody else can enter. The job's lock makes sure that a socket found there is dead."""
    secure_folder(socket.parent)
    socket.unlink(missing_ok=True)
    await web.UnixSite(runner, str(socket)).start()
    socket.chmod(0o600)


async def _looks(folder: Path, api: Api, stop: asyncio.Event, grace_s: float) -> AsyncIterator[None]:
    """Now and then, until ``grace_s`` after the last client left and the last request ended, or until ``stop``.

    From then on nobody can join: the lock is held until the process ends.
    """
    used = time.monotonic()
    while not stop.is_set():
        whole = alone(folder, patience_s=0)
        if whole is None or api.idle_s < _LOOK_S:
            used = time.monotonic()
        elif time.monotonic() - used >= grace_s:
            return
        if whole is not None:
            os.close(whole)
        yield
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_S):
                await stop.wait()
