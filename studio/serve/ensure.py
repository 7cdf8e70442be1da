"""Having a worker that serves exactly what is wanted: the one that runs, or a new one."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from studio.errors import UserError
from studio.jobs import AlreadyRunning, Job, active, follow, start
from studio.serve.types import ServeParams, ServeReady

STAGE = "serve"
ENTRY = "studio.serve.worker.main:main"
_STOP_S = 15.0
_RETRY_S = 0.05
_WEIGHTS = "adapter_model.safetensors"


async def ensure(jobs_dir: Path, params: ServeParams, timeout: float = 120) -> tuple[Job, ServeReady]:  # noqa: ASYNC109
    """A living worker for ``params``, ready to be asked.

    One that serves the same is used again; one that serves something else is stopped first. Raises
    :class:`UserError` where it cannot be loaded, or is not ready after ``timeout`` seconds.
    """
    try:
        async with asyncio.timeout(timeout):
            while True:
                job = active(jobs_dir, STAGE)
                if job is not None and not serves(job, params):
                    await _end(job)
                    job = None
                try:
                    job = job or start(jobs_dir, STAGE, ENTRY, params)
                except AlreadyRunning:  # somebody else was faster: look at theirs
                    await asyncio.sleep(_RETRY_S)
                    continue
                ready = await _ready(job)
                if ready is not None and await _answers(ready.socket):
                    return job, ready
                await asyncio.sleep(_RETRY_S)  # it ended in good order while it was looked at
    except TimeoutError:
        remedy = f"see the log in {jobs_dir}, or give it more time"
        raise UserError(
            f"the model was not ready after {timeout:.0f} s", where=params.base_path, remedy=remedy
        ) from None


def serves(job: Job, params: ServeParams) -> bool:
    """Whether the worker was started for the same parts, and the adapter is still the one that it loaded."""
    request = job.view().request
    if ServeParams.model_validate(request.params) != params:
        return False
    if params.adapter_path is None:
        return True
    try:
        written = (Path(params.adapter_path) / _WEIGHTS).stat().st_mtime
    except FileNotFoundError:
        return False
    return written <= request.created.timestamp()


async def _ready(job: Job) -> ServeReady | None:
    """The worker's word that it is ready; None where it ended in good order before or after it."""
    async for event in follow(job):
        if event.kind == "serve_ready":
            return ServeReady.model_validate(event.data)
    view = job.view()
    if view.state in ("failed", "dead"):
        raise UserError(view.error or "the model's worker died", where=str(job.folder / "log.txt"))
    return None


async def _answers(socket: str) -> bool:
    try:
        _, writer = await asyncio.open_unix_connection(socket)
    except OSError:
        return False
    writer.close()
    return True


async def _end(job: Job) -> None:
    """Stop a worker, and kill it where it does not listen."""
    job.stop()
    deadline = time.monotonic() + _STOP_S
    while job.alive:
        if time.monotonic() > deadline:
            job.kill()
        await asyncio.sleep(_RETRY_S)
