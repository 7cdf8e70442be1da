"""CUDA devices, found without torch, and their locks: one user of a GPU at a time on the whole machine, by UUID.

Training, serving and proofs each take the lock of the GPU that they run on and wait for it. The kernel gives it back
when its holder dies.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

from studio.chatml import Frozen
from studio.errors import UserError
from studio.machine.lock import take
from studio.text.inert import inert_line

VISIBLE = "CUDA_VISIBLE_DEVICES"
_LOOK_S = 0.5
_PLAIN = os.O_NOFOLLOW | os.O_NONBLOCK
"""The folder is everybody's: no link is followed, and nothing that would block is waited for."""


class Gpu(Frozen):
    """One CUDA device as ``nvidia-smi`` names it; memory in GiB."""

    uuid: str = ""
    name: str
    memory_gib: float
    free_gib: float


class GpuAwaited(Frozen):
    """A job waits for a GPU: ``text`` says whose. Empty once it has it."""

    kind: Literal["gpu_awaited"] = "gpu_awaited"
    text: str


class GpuWaitEnded(Exception):  # noqa: N818 - a stop, not a fault
    """The wait for a GPU was asked to stop."""


def find_gpus(visible: str | None = None) -> tuple[Gpu, ...]:
    """The CUDA devices that ``visible`` (``CUDA_VISIBLE_DEVICES``) leaves; none where ``nvidia-smi`` is missing, fails
    or hangs."""
    query = ["nvidia-smi", "--query-gpu=uuid,name,memory.total,memory.free", "--format=csv,noheader,nounits"]
    try:
        answer = subprocess.run(query, capture_output=True, text=True, timeout=5, check=True)
    except (OSError, subprocess.SubprocessError):
        return ()
    found = [gpu for line in answer.stdout.splitlines() if (gpu := _gpu(line))]
    if visible is None or visible.startswith("MIG-"):  # a part of a GPU, which is not listed
        return tuple(found)
    return tuple(_visible(found, visible))


def torch_has_cuda() -> bool:
    """Whether torch is installed in a build for CUDA (or ROCm); it is looked up, not imported."""
    spec = find_spec("torch")
    if spec is None or spec.origin is None:
        return False
    try:
        built_for = (Path(spec.origin).parent / "version.py").read_text(encoding="utf-8")
    except OSError:
        return False
    return re.search(r"^(cuda|hip)\b[^=\n]*= *['\"]", built_for, re.MULTILINE) is not None


@contextmanager
def claimed(
    purpose: str,
    tell: Callable[[GpuAwaited], None] = lambda _: None,
    stop: Callable[[], bool] = lambda: False,
    environ: Mapping[str, str] = os.environ,
) -> Iterator[None]:
    """Hold the GPU that programs use first, waiting for as long as another holds it; nothing where there is none.

    ``tell`` hears whom it waits for, once for each. Raises :class:`GpuWaitEnded` when ``stop`` says so meanwhile.
    """
    lock = _lock(environ)
    if lock is None:
        yield
        return
    try:
        handle = _opened(lock)
    except OSError as error:
        raise UserError(f"cannot be opened: {error.strerror}", where=str(lock), remedy="remove it") from error
    try:
        told = ""
        while not take(handle):
            holder = _holder(lock) or "another process"
            if holder != told:
                tell(GpuAwaited(text=f"waiting for the GPU: {holder} has it"))
                told = holder
            if stop():
                raise GpuWaitEnded
            time.sleep(_LOOK_S)
        with suppress(OSError):  # another user's file: held all the same, and told without a name
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{purpose} (pid {os.getpid()})\n".encode(), 0)
        if told:
            tell(GpuAwaited(text=""))
        yield
    finally:
        os.close(handle)


def holder_of(gpu: Gpu) -> str | None:
    """Who has it, such as ``training of wren (pid 123)``; None where it is free."""
    lock = _lock_of(gpu.uuid)
    try:
        handle = os.open(lock, os.O_RDONLY | _PLAIN)
    except OSError:
        return None
    try:
        return None if take(handle, shared=True) else _holder(lock) or "another process"
    finally:
        os.close(handle)


def _lock(environ: Mapping[str, str]) -> Path | None:
    visible = environ.get(VISIBLE)
    if not torch_has_cuda():
        return None
    if visible is not None and visible.startswith("MIG-"):
        return _lock_of(visible.split(",")[0])
    gpus = find_gpus(visible)
    return _lock_of(gpus[0].uuid) if gpus else None


def _lock_of(uuid: str) -> Path:
    """Where all users of the machine find it."""
    place = Path("/tmp") if os.access("/tmp", os.W_OK) else Path(tempfile.gettempdir())
    return place / f"persona-studio-{re.sub(r'[^A-Za-z0-9-]', '_', uuid)}.lock"


def _opened(lock: Path) -> int:
    """Reading is enough to lock: the file may be another user's, in a folder where such are not written."""
    with suppress(FileExistsError):
        handle = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        with suppress(OSError):
            os.fchmod(handle, 0o666)
        return handle
    try:
        return os.open(lock, os.O_RDWR | _PLAIN)
    except PermissionError:
        return os.open(lock, os.O_RDONLY | _PLAIN)


def _holder(lock: Path) -> str:
    try:
        return inert_line(lock.read_text(encoding="utf-8", errors="replace")[:200].strip())
    except OSError:
        return ""


def _gpu(line: str) -> Gpu | None:
    try:
        uuid, rest = line.split(",", 1)
        name, total, free = rest.rsplit(",", 2)
        memory, left = round(float(total) / 1024, 1), round(float(free) / 1024, 1)
    except ValueError:
        return None  # a driver that answers in other words
    return Gpu(uuid=uuid.strip(), name=name.strip(), memory_gib=memory, free_gib=left)


def _visible(found: Sequence[Gpu], visible: str) -> Iterator[Gpu]:
    """By index or by how the UUID begins, in the order given; what follows one that is not there is not seen."""
    for name in (part.strip() for part in visible.split(",")):
        chosen = [gpu for at, gpu in enumerate(found) if name and (name == str(at) or gpu.uuid.startswith(name))]
        if len(chosen) != 1:
            return
        yield chosen[0]
