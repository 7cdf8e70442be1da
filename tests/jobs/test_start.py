"""Starting and resuming: what goes wrong on the way costs no job, and touches none that is not its own."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from datetime import UTC, datetime, tzinfo
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.jobs import AlreadyRunning, Job, active, list_jobs, resume
from studio.machine.lock import acquire
from tests.full_disk import on_small_disk
from tests.jobs.entries import CountParams
from tests.jobs.helpers import begin, until

STARTING = sys.modules["studio.jobs.start"]  # the package has a function of this name
START_WITH_LITTLE_ROOM = """
import shutil, sys
from pathlib import Path
from studio.errors import UserError
from tests.full_disk import fill
from tests.jobs.helpers import begin

disk = Path(sys.argv[1])
for pages in range(12):
    fill(disk, pages * 4096)
    try:
        view = begin(disk / "jobs", "count").wait(60)
        print(view.state, view.error or "")
    except UserError as error:
        print("refused", error)
    (disk / "filler").unlink()
    shutil.rmtree(disk / "jobs")
"""


def held(folder: Path) -> Job:
    """A job that waits until it is ended."""
    job = begin(folder, "count", CountParams(hold_at=1))
    until(lambda: job.view().state == "running")
    return job


def test_a_stop_that_comes_while_a_job_is_being_resumed_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = held(tmp_path)
    job.kill()
    until(lambda: not job.alive)

    def acquired(path: Path, patience_s: float) -> int | None:
        lock = acquire(path, patience_s)
        if path == job.paths.lock:
            Job(job.folder).stop()  # from another window, as soon as the job looks alive
        return lock

    monkeypatch.setattr(STARTING, "acquire", acquired)
    resume(job)
    assert job.wait(20).state == "stopped"


def test_a_job_that_is_being_resumed_is_not_taken_for_the_process_that_has_its_old_pid(tmp_path: Path) -> None:
    job = begin(tmp_path, "count")
    job.wait(20)
    stranger = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"], start_new_session=True)
    try:
        job.paths.lock.write_text(f"{stranger.pid}\n")
        lock = acquire(job.paths.lock, 10)
        assert lock is not None
        job.kill()
        job.stop()
        with pytest.raises(subprocess.TimeoutExpired):
            stranger.wait(0.3)
        os.close(lock)
    finally:
        stranger.kill()
        stranger.wait()


def test_a_job_whose_pid_cannot_be_noted_runs_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int, _pid: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(STARTING, "write_pid", full)
    assert begin(tmp_path, "count").wait(20).state == "finished"


def test_a_job_that_lives_keeps_its_folder_though_its_start_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_handle: int, _pid: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(STARTING, "write_pid", interrupted)
    with pytest.raises(KeyboardInterrupt):
        begin(tmp_path, "count", CountParams(hold_at=1))
    (job,) = list_jobs(tmp_path)
    assert active(tmp_path, "count") == job
    with pytest.raises(AlreadyRunning):
        begin(tmp_path, "count")
    (job.folder / "go").touch()
    assert job.wait(20).state == "finished"


def test_a_job_of_the_same_moment_and_name_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Frozen(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = UTC) -> Frozen:
            return cls(2026, 1, 1, tzinfo=tz)

    monkeypatch.setattr(STARTING, "datetime", Frozen)
    monkeypatch.setattr(STARTING.secrets, "token_hex", lambda _: "abcd")
    job = begin(tmp_path, "count")
    job.wait(20)
    with pytest.raises(UserError, match="could not be started"):
        begin(tmp_path, "count")
    assert Job(job.folder).view().state == "finished"


def test_a_name_that_is_not_utf8_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    class Named(CountParams):
        spec_path: str = "spec\udcff.yaml"

    with pytest.raises(UserError, match=r"^spec\ufffd.yaml: the name is not UTF-8"):
        begin(tmp_path / "jobs", "count", Named())
    assert not (tmp_path / "jobs").exists()


def test_with_next_to_no_room_a_job_is_refused_or_fails_with_a_word(tmp_path: Path) -> None:
    told = on_small_disk(START_WITH_LITTLE_ROOM, tmp_path, kib=512)
    ends = {line.split()[0] for line in told}
    assert ends <= {"refused", "failed", "finished"} and "refused" in ends and "finished" in ends
    assert all("disk is full" in line for line in told if not line.startswith("finished"))
