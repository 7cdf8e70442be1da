"""The lock of a GPU: one user at a time on the whole machine."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from studio.errors import UserError
from studio.machine import gpu
from studio.machine.gpu import Gpu, GpuAwaited, GpuWaitEnded, claimed, find_gpus, holder_of


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gpu]:
    """A machine with one GPU, as the driver tells of it."""
    uuid = f"GPU-{uuid4()}"
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\necho '{uuid}, NVIDIA H200, 143771, 143000'\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(gpu, "torch_has_cuda", lambda: True)
    yield find_gpus()[0]
    gpu._lock_of(uuid).unlink(missing_ok=True)


HOLD = """
import sys
from studio.machine import gpu
gpu.torch_has_cuda = lambda: True
with gpu.claimed("training run-1"):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(card: Gpu) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds it."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=os.environ
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.communicate()


def test_a_free_gpu_is_taken_at_once_and_given_back(card: Gpu) -> None:
    told: list[GpuAwaited] = []
    with claimed("training run-2", told.append):
        assert holder_of(card) == f"training run-2 (pid {os.getpid()})"
    assert holder_of(card) is None and told == []


def test_whoever_comes_second_waits_and_is_told_for_whom(card: Gpu, other: subprocess.Popen[str]) -> None:
    told: list[str] = []

    def second() -> None:
        with claimed("chat", lambda event: told.append(event.text)):
            told.append("mine")

    thread = threading.Thread(target=second)
    thread.start()
    while not told:
        time.sleep(0.01)
    assert told == [f"waiting for the GPU: training run-1 (pid {other.pid}) has it"]
    other.kill()  # its death gives it back
    thread.join(20)
    assert told[1:] == ["", "mine"]


def test_a_wait_can_be_stopped(card: Gpu, other: subprocess.Popen[str]) -> None:
    with pytest.raises(GpuWaitEnded), claimed("chat", stop=lambda: True):
        pytest.fail("it is held")


def test_without_a_gpu_nothing_is_waited_for(card: Gpu, other: subprocess.Popen[str]) -> None:
    with claimed("chat", environ={gpu.VISIBLE: ""}):
        assert holder_of(card) == f"training run-1 (pid {other.pid})"


def test_a_lock_that_is_a_link_or_a_pipe_is_not_followed(card: Gpu, tmp_path: Path) -> None:
    lock = gpu._lock_of(card.uuid)
    (tmp_path / "mine").write_text("kept")
    lock.symlink_to(tmp_path / "mine")
    with pytest.raises(UserError, match="symbolic"), claimed("chat"):
        pytest.fail("it was followed")
    assert (tmp_path / "mine").read_text() == "kept"
