"""Clients of a worker: what to serve, having a worker that serves exactly that (the one that runs, or a new one), and
asking it."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Self

from studio.errors import UserError
from studio.jobs import AlreadyRunning, Job, active, follow, start
from studio.llm import ModelSettings, OpenAIModel
from studio.serve.access import alone, join
from studio.serve.types import ServeParams, ServeReady
from studio.train import Run, base_of, resolve_base
from studio.train.smollm2 import Tell

STAGE = "serve"
ENTRY = "studio.serve.worker.main:main"
_STOP_S = 15.0
_ANSWER_S = 5.0
"""A worker that was ready and cannot be reached for so long will not be: it opens a socket that was lost again."""
_RETRY_S = 0.05
_PATIENCE_S = 3600.0
"""A reply may wait for the batches before its own, so whatever is asked at once has time."""


@dataclass(frozen=True)
class Server:
    """A worker that is ready. Closing this, or dying, leaves it; some time after the last one left it ends."""

    job: Job
    ready: ServeReady
    lease: IO[bytes]

    def close(self) -> None:
        self.lease.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def run_params(run: Run) -> ServeParams:
    """Its base model, loaded as it was trained on, its adapter and its system prompt.

    May ask the hub for a base model that is no longer on this machine. Raises :class:`UserError` where it cannot be
    had, or the run has no adapter.
    """
    if run.finished is None:
        raise UserError(f"run {run.plan.run_id} has no adapter yet", remedy="train it to its end: studio train SPEC")
    return ServeParams(
        base_path=base_of(run.plan),
        adapter_path=run.finished.adapter_path,
        method=run.plan.recipe.method,
        system_prompt=run.plan.system_prompt,
    )


def model_params(model: str, tell: Tell | None = None) -> ServeParams:
    """A chat model without any adapter, to write or judge: ``smollm2``, a hub id or a folder. It is asked as ``base``.

    May prepare or look for the model, which blocks; ``tell`` hears of it. Raises :class:`UserError` where it cannot be
    had.
    """
    return ServeParams(base_path=resolve_base(model, tell))


async def ensure(jobs_dir: Path, params: ServeParams) -> Server:
    """A living worker for ``params``, ready to be asked, that stays until the server is closed.

    One that serves the same is used again; one that serves something else is ended first, unless somebody uses it.
    Waits for as long as the worker loads. Raises :class:`UserError` where it cannot be loaded, or another is in use.
    """
    while True:
        server = await _joined(await _found(jobs_dir, params))
        if server is not None:
            return server
        await asyncio.sleep(_RETRY_S)  # it ended, or is ending, while it was looked at


def end_unused(jobs_dir: Path) -> bool:
    """End the worker unless somebody uses it, so that its memory is free; whether there is none now. Blocks."""
    job = active(jobs_dir, STAGE)
    if job is not None:
        whole = alone(job.folder)
        if whole is None:
            return False
        try:
            _end(job)
        finally:
            os.close(whole)
    return True


def serves(job: Job, params: ServeParams) -> bool:
    """Whether the worker was started for the same parts, and the adapter is still the one that it loaded."""
    request = job.view().request
    same = request.params == params.model_dump(mode="json")
    if not same or params.adapter_path is None:
        return same
    try:
        written = (Path(params.adapter_path) / "adapter_model.safetensors").stat().st_mtime
    except FileNotFoundError:
        return False
    return written <= request.created.timestamp()


async def _found(jobs_dir: Path, params: ServeParams) -> Job:
    """The worker that runs, if it serves what is wanted; else a new one, in its place."""
    job = active(jobs_dir, STAGE)
    if job is not None and not serves(job, params):
        if not await asyncio.to_thread(end_unused, jobs_dir):
            remedy = f"wait until they have left, or: studio jobs stop {job.id}"
            raise UserError("the model's worker serves something else, and others use it", where=job.id, remedy=remedy)
        job = None
    try:
        return job or start(jobs_dir, STAGE, ENTRY, params)
    except AlreadyRunning as found:  # somebody else was faster
        return found.job if serves(found.job, params) else await _found(jobs_dir, params)


async def _joined(job: Job) -> Server | None:
    """The worker in use, once it is ready; None where it was ending already, or cannot be reached and was ended."""
    lease = join(job.folder)
    if lease is None:
        return None
    with ExitStack() as held:
        held.enter_context(lease)
        if job.view().state in ("starting", "running"):
            ready = await _ready(job)
            if await _answers(job, ready.socket):
                held.pop_all()
                return Server(job, ready, lease)
            await asyncio.to_thread(_end, job)
    return None


async def _ready(job: Job) -> ServeReady:
    """The worker's word that it is ready. Raises :class:`UserError` where it ends before."""
    async for event in follow(job):
        if event.kind == "serve_ready":
            return ServeReady.model_validate(event.data, extra="ignore")
    error = job.view().error or "the model's worker was stopped"
    raise UserError(error, where=str(job.folder / "log.txt"))


async def _answers(job: Job, socket: str) -> bool:
    """Whether it can be reached before it ends."""
    deadline = time.monotonic() + _ANSWER_S
    while job.view().state == "running" and time.monotonic() < deadline:
        try:
            _, writer = await asyncio.open_unix_connection(socket)
        except OSError:
            await asyncio.sleep(_RETRY_S)
        else:
            writer.close()
            return True
    return False


def _end(job: Job) -> None:
    """Stop a worker, and kill it where it does not listen."""
    job.stop()
    deadline = time.monotonic() + _STOP_S
    while job.alive:
        if time.monotonic() > deadline:
            job.kill()
        time.sleep(_RETRY_S)


def open_model(ready: ServeReady, name: str) -> OpenAIModel:
    """A client for one of the worker's models, ``base`` or ``tuned``. Close it when done."""
    return OpenAIModel(served_settings(ready, name), name)


def served_settings(ready: ServeReady, name: str) -> ModelSettings:
    """Where one of the worker's models is asked; safe to hand to another process of the same user."""
    return ModelSettings(
        endpoint="http://studio/v1",  # the host is a name only: the socket is dialled in its place
        uds=ready.socket,
        model=name,
        max_concurrent=128,
        read_timeout=_PATIENCE_S,
        total_timeout=_PATIENCE_S,
        patience_minutes=0.1,  # a worker that is gone does not come back by itself
    )
