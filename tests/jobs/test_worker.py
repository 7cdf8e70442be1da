"""The worker: how it is asked to stop, what it leaves behind, and who can keep it alive."""

from __future__ import annotations

import errno
import io
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.jobs import Job, active, list_jobs, resume, start, worker
from studio.jobs.record import Status, read_status, write_status
from tests.jobs.entries import CountParams
from tests.jobs.helpers import begin, numbers, until


def test_a_stop_that_comes_before_the_worker_listens_is_not_lost(tmp_path: Path) -> None:
    job = begin(tmp_path, "count", CountParams(to=1000, pause=0.05))
    job.stop()
    assert job.view().state in ("stopping", "stopped")
    assert job.wait(20).state == "stopped"
    assert len(numbers(job)) < 1000


def test_a_stop_reaches_an_event_loop_that_waits(tmp_path: Path) -> None:
    job = begin(tmp_path, "wait_for_stop_in_a_loop")
    until(lambda: numbers(job))
    job.stop()
    assert job.wait(20).state == "stopped"
    assert numbers(job) == [0, 1]


def test_sigterm_from_anybody_is_a_stop_and_shows_as_one(tmp_path: Path) -> None:
    job = begin(tmp_path, "wait_for_stop")
    until(lambda: numbers(job))
    pid = job.view().pid
    assert pid is not None
    os.kill(pid, signal.SIGTERM)
    seen = {job.view().state}
    until(lambda: seen.add(job.view().state) or "stopped" in seen)  # type: ignore[func-returns-value]
    assert seen <= {"running", "stopping", "stopped"}


def test_a_stopped_job_goes_on_when_it_is_resumed(tmp_path: Path) -> None:
    job = begin(tmp_path, "count", CountParams(to=6, hold_at=1))
    until(lambda: numbers(job))
    job.stop()
    stopped = job.wait(20)
    assert stopped.state == "stopped" and stopped.ended is not None
    (job.folder / "go").touch()
    assert resume(job).view().state in ("starting", "running")
    assert job.wait(20).state == "finished"
    assert numbers(job) == [1, 2, 3, 4, 5, 6]


def test_stopping_or_killing_what_has_ended_changes_nothing(tmp_path: Path) -> None:
    job = begin(tmp_path, "count")
    ended = job.wait(20)
    job.stop()
    job.kill()
    assert job.view() == ended


def test_a_forked_child_does_not_make_a_killed_job_look_alive(tmp_path: Path) -> None:
    job = begin(tmp_path, "fork_a_child")
    until(lambda: len(numbers(job)) == 2)
    (child, _) = numbers(job)
    pid = job.view().pid
    assert pid is not None
    try:
        os.kill(pid, signal.SIGKILL)  # the worker alone, as the OOM killer would
        until(lambda: not job.alive)
        assert job.view().state == "dead"
        os.kill(child, 0)  # it is still there
    finally:
        os.kill(child, signal.SIGKILL)


def test_killing_a_job_takes_its_children_with_it(tmp_path: Path) -> None:
    job = begin(tmp_path, "fork_a_child")
    until(lambda: len(numbers(job)) == 2)
    (child, _) = numbers(job)
    job.kill()
    until(lambda: not job.alive)
    until(lambda: not Path(f"/proc/{child}").exists() or "(zombie)" in Path(f"/proc/{child}/status").read_text())


def test_a_worker_that_lingers_after_its_last_word_holds_nobody_up(tmp_path: Path) -> None:
    job = begin(tmp_path, "linger")
    until(lambda: job.view().state == "finished")
    assert active(tmp_path, "count") is None
    resume(job)  # waits for it to leave
    assert job.wait(20).state == "finished"


def test_a_job_whose_starter_died_before_the_worker_came_can_be_resumed(tmp_path: Path) -> None:
    job = begin(tmp_path, "count")
    job.wait(20)
    for name in ("state.json", "lock", "events.jsonl", "log.txt"):
        (job.folder / name).unlink()
    (job.folder / "kept").unlink()
    left = Job(job.folder)
    assert left.view().state == "dead"
    assert left.events() == ([], 0) and left.log_tail() == ""
    assert resume(left).wait(20).state == "finished"


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ("tests.jobs.entries:missing", "AttributeError"),
        ("tests.jobs.nowhere:main", "ModuleNotFoundError"),
        ("tests.jobs.entries:leave_by_itself", "SystemExit: had enough"),
    ],
)
def test_whatever_ends_the_work_early_is_a_failure_with_one_line(tmp_path: Path, entry: str, error: str) -> None:
    view = start(tmp_path, "one", entry, CountParams()).wait(20)
    assert view.state == "failed"
    assert view.error is not None and view.error.startswith(error) and "\n" not in view.error


def test_an_entry_that_is_none_is_our_mistake(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="module:function"):
        start(tmp_path, "one", "tests.jobs.entries", CountParams())


def test_a_folder_that_holds_no_job_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no job here"):
        Job(tmp_path / "none").view()
    (tmp_path / "job.json").write_text("{}")
    with pytest.raises(UserError, match="not a job"):
        Job(tmp_path).view()


def test_a_place_that_cannot_be_written_is_the_users_to_mend(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="could not be started"):
        start(tmp_path / "file" / "jobs", "one", "tests.jobs.entries:count", CountParams())


def test_a_start_that_fails_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(UserError, match="could not be started"):
        begin(tmp_path / "jobs", "count")
    assert list_jobs(tmp_path / "jobs") == []
    assert [path.name for path in (tmp_path / "jobs").iterdir()] == [".count.lock"]


def test_the_last_word_is_said_on_a_full_disk_in_the_room_kept_for_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = Job(tmp_path)
    job.paths.reserve.write_bytes(b"kept")

    def write(path: Path, status: Status) -> None:
        if job.paths.reserve.exists():
            raise OSError(errno.ENOSPC, "No space left on device")
        write_status(path, status)

    monkeypatch.setattr(worker, "write_status", write)
    worker.say_last(job, Status(phase="failed", error="the disk is full"))
    last = read_status(job.paths.status)
    assert last is not None and last.error == "the disk is full"


def test_a_worker_keeps_room_while_it_works_and_gives_it_back(tmp_path: Path) -> None:
    job = begin(tmp_path, "wait_for_stop")
    until(lambda: numbers(job))
    assert job.paths.reserve.stat().st_size > 4096
    job.stop()
    job.wait(20)
    assert not job.paths.reserve.exists()


def test_an_error_with_a_full_disk_under_the_log_is_still_told(monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(io.StringIO):
        def write(self, _: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(sys, "stderr", Full())
    assert worker.told(UserError("no such file")) == "no such file"
    assert worker.told(ValueError("two\nlines")) == "ValueError: two lines"


def test_the_worker_takes_no_module_from_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "random.py").write_text("raise RuntimeError('the wrong one')")
    (tmp_path / "asyncio.py").write_text("raise RuntimeError('the wrong one')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [str(Path(__file__).parents[2]), *(place for place in sys.path if place)])
    assert begin(tmp_path / "jobs", "count").wait(20).state == "finished"


def test_a_job_works_where_it_was_asked_for_also_when_it_is_resumed_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    job = begin(tmp_path / "jobs", "write_where_it_works")
    job.wait(20)
    monkeypatch.chdir("/")
    resume(job).wait(20)
    assert (tmp_path / "here").read_text() == "xx"


def test_a_worker_starts_without_what_its_entry_does_not_need() -> None:
    heavy = ("torch", "textual", "openai", "asyncio", "rich", "sqlite3", "tinydb")
    code = f"import sys; import studio.jobs.worker; print(sorted(set(sys.modules) & set({heavy!r})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_second_worker_of_the_same_job_is_turned_away(tmp_path: Path) -> None:
    job = begin(tmp_path, "wait_for_stop")
    until(lambda: numbers(job))
    second = subprocess.run(
        [sys.executable, "-m", "studio.jobs.worker", str(job.folder)], capture_output=True, text=True, check=False
    )
    assert second.returncode == 2 and "running already" in second.stderr
    job.stop()
    assert job.wait(20).state == "stopped"


def test_a_missing_library_is_named_with_the_way_to_install_it(tmp_path: Path) -> None:
    job = begin(tmp_path, "need_what_is_missing")
    assert job.wait(20).error == "no_such_library is not installed (pip install '.[train]')"
