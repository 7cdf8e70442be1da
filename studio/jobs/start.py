"""Starting a job: never two of a stage at once, and never a moment in which a new one looks dead."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticSerializationError

from studio.chatml import well_formed
from studio.errors import UserError, disk_error
from studio.files import write_atomic
from studio.jobs.events import repair
from studio.jobs.job import Job, active
from studio.jobs.record import JobRequest, Status, keep_room, write_status
from studio.machine.durability import outliving
from studio.machine.lock import acquire, exclusive, is_held, write_pid
from studio.text.inert import REPLACEMENT

_TEARDOWN_S = 15.0
"""How long a worker that has said its last word may take to leave, before its job can be resumed."""


class AlreadyRunning(UserError):  # noqa: N818 - a state, not a fault
    """The stage has a living job: ``job``."""

    def __init__(self, job: Job) -> None:
        self.job = job
        super().__init__(f"{job.stage} is already running", remedy="watch it, or stop it first", where=job.id)


def start(jobs_dir: Path, stage: str, entry: str, params: BaseModel) -> Job:
    """Start ``entry`` (``module:function``) in a process of its own and return at once.

    Raises :class:`AlreadyRunning` where the stage has a living job, however many windows try at once, and
    :class:`UserError` where no process can be started, or ``params`` name a file whose name is not UTF-8.
    """
    module, _, function = entry.partition(":")
    if not module or not function.isidentifier():
        raise ValueError(f"an entry is module:function, not {entry!r}")
    created = datetime.now(UTC)
    job = Job(jobs_dir / f"{created:%Y%m%d-%H%M%S}-{stage}-{secrets.token_hex(2)}")
    asked = params.model_dump(mode="json")
    request = _written(
        JobRequest(id=job.id, stage=stage, entry=entry, params=asked, created=created, cwd=str(Path.cwd()))
    )
    with _stage(jobs_dir, stage):
        job.folder.mkdir()
        try:
            write_atomic(job.paths.request, request)
            _spawn(job)
        except BaseException:
            if not is_held(job.paths.lock):  # nothing runs in it
                shutil.rmtree(job.folder, ignore_errors=True)
            raise
    return job


def resume(job: Job) -> Job:
    """Start an ended job again: the same folder and request, events appended. Raises as :func:`start`."""
    with _stage(job.folder.parent, job.stage):
        _spawn(job)
    return job


def _written(request: JobRequest) -> str:
    try:
        return request.model_dump_json(indent=2) + "\n"
    except PydanticSerializationError as error:  # Linux takes any bytes for a name, JSON none but UTF-8
        names = (well_formed(name) for name in (*request.params.values(), request.cwd) if isinstance(name, str))
        where = next((name for name in names if REPLACEMENT in name), request.stage)
        raise UserError("the name is not UTF-8", where=where, remedy="give it another one") from error


@contextmanager
def _stage(jobs_dir: Path, stage: str) -> Iterator[None]:
    """Alone with the stage, and it has no living job."""
    try:
        jobs_dir.mkdir(parents=True, exist_ok=True)
        with exclusive(jobs_dir / f".{stage}.lock"):
            running = active(jobs_dir, stage)
            if running is not None:
                raise AlreadyRunning(running)
            yield
    except OSError as error:
        raise disk_error(error, jobs_dir, doing=f"{stage} could not be started") from error


def _spawn(job: Job) -> None:
    job.paths.stop.unlink(missing_ok=True)  # whoever sees the lock held may ask for a stop, and it counts
    lock = acquire(job.paths.lock, _TEARDOWN_S)
    if lock is None:
        raise AlreadyRunning(job)
    try:
        keep_room(job.paths.reserve)
        write_status(job.paths.status, Status(phase="starting"))
        repair(job.paths.events)
        process = _worker(job, lock)
        with suppress(OSError):  # it runs, and writes its pid itself
            write_pid(lock, process.pid)
    finally:
        os.close(lock)  # the worker holds it now, through its own copy


def _worker(job: Job, lock: int) -> subprocess.Popen[bytes]:
    # -P: a file in the working folder must not be taken for a module. The worker sees what its starter sees.
    path = os.pathsep.join(str(Path(place).absolute()) for place in sys.path)
    cwd = Path(job.request.cwd or ".")
    with job.paths.log.open("ab") as log:
        worker = [sys.executable, "-P", "-m", "studio.jobs.worker", str(job.folder.absolute()), "--lock", str(lock)]
        process = subprocess.Popen(
            [*outliving(), *worker],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=(lock,),
            cwd=cwd if cwd.is_dir() else job.folder,
            env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
        )
    threading.Thread(target=process.wait, name=f"reap {job.id}", daemon=True).start()
    return process
