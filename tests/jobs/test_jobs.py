"""Jobs as processes: started, watched, stopped, killed, resumed."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from studio.jobs import AlreadyRunning, Job, active, broken_jobs, follow, list_jobs, prunable, remove, resume
from studio.machine.lock import is_held
from tests.jobs.entries import CountParams
from tests.jobs.helpers import begin, numbers, until


def test_a_job_runs_in_its_own_process_and_tells_what_happened(tmp_path: Path) -> None:
    job = begin(tmp_path, "count")
    assert job.view().state in ("starting", "running", "finished")
    assert job.wait(20).state == "finished"
    assert numbers(job) == [1, 2, 3]
    view = job.view()
    assert view.pid != os.getpid()
    assert view.started is not None and view.ended is not None and view.started <= view.ended


def test_events_are_read_on_from_an_offset(tmp_path: Path) -> None:
    job = begin(tmp_path, "count")
    job.wait(20)
    first, offset = job.events()
    assert job.events(offset) == ([], offset)
    assert len(first) == 3


async def test_following_ends_with_the_job_and_misses_nothing(tmp_path: Path) -> None:
    job = begin(tmp_path, "count", CountParams(to=5, pause=0.05))
    assert [event.data["number"] async for event in follow(job, poll=0.01)] == [1, 2, 3, 4, 5]


def test_a_stop_is_asked_for_and_what_was_done_is_kept(tmp_path: Path) -> None:
    job = begin(tmp_path, "wait_for_stop")
    until(lambda: job.view().state == "running")
    job.stop()
    assert job.wait(20).state == "stopped"
    assert (job.folder / "saved").exists()


def test_a_killed_job_is_dead_at_once_and_goes_on_when_resumed(tmp_path: Path) -> None:
    job = begin(tmp_path, "count", CountParams(to=6, hold_at=2))
    until(lambda: len(numbers(job)) == 2)
    job.kill()
    until(lambda: not job.alive)
    assert job.view().state == "dead"
    done = numbers(job)
    (job.folder / "go").touch()
    again = resume(job)
    assert again.wait(20).state == "finished"
    assert again.id == job.id
    assert sorted(set(numbers(job))) == [1, 2, 3, 4, 5, 6]
    assert len(numbers(job)) <= 7, "at most the one event that the kill cut short is told again"
    assert numbers(job)[: len(done)] == done


def test_a_starting_job_never_looks_dead(tmp_path: Path) -> None:
    job = begin(tmp_path, "count", CountParams(to=2, pause=0.2))
    seen = set()
    while (state := job.view().state) != "finished":
        seen.add(state)
    assert seen <= {"starting", "running"}


def test_a_pid_that_was_used_again_does_not_look_like_the_job(tmp_path: Path) -> None:
    job = begin(tmp_path, "count", CountParams(hold_at=1))
    until(lambda: job.view().state == "running")
    job.kill()
    until(lambda: not job.alive)
    (job.folder / "lock").write_text(str(os.getpid()))
    assert job.view().state == "dead"
    job.stop()
    job.kill()  # would end this test


def test_a_users_mistake_is_one_line_and_ours_leaves_its_traceback_in_the_log(tmp_path: Path) -> None:
    mistaken = begin(tmp_path, "fail_by_the_user", stage="one").wait(20)
    assert (mistaken.state, mistaken.error) == ("failed", "spec.yaml: no such file (name another)")
    job = begin(tmp_path, "fail_by_us", stage="two")
    assert job.wait(20).error == "ZeroDivisionError: division by zero"
    assert "about to divide" in job.log_tail()
    assert "Traceback" in job.log_tail()


def test_a_stage_has_one_living_job_and_other_stages_their_own(tmp_path: Path) -> None:
    job = begin(tmp_path, "wait_for_stop")
    other = begin(tmp_path, "wait_for_stop", stage="other")
    with pytest.raises(AlreadyRunning) as refused:
        begin(tmp_path, "count")
    assert refused.value.job.id == job.id
    found = active(tmp_path, "count")
    assert found is not None and found.id == job.id
    for each in (job, other):
        until(lambda each=each: each.view().state == "running")  # type: ignore[misc]
        each.stop()
        each.wait(20)
    assert active(tmp_path, "count") is None


def test_of_two_windows_that_start_at_once_one_is_refused(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from studio.jobs import start; "
        "from tests.jobs.entries import CountParams; "
        "start(Path(sys.argv[1]), 'count', 'tests.jobs.entries:count', CountParams(hold_at=1))"
    )
    windows = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stderr=subprocess.DEVNULL) for _ in range(4)
    ]
    assert sorted(window.wait(30) for window in windows) == [0, 1, 1, 1]
    (job,) = list_jobs(tmp_path)
    job.kill()


def test_a_job_outlives_whoever_started_it_and_a_hangup(tmp_path: Path) -> None:
    code = (
        "import sys, os; from pathlib import Path; from studio.jobs import start; "
        "from tests.jobs.entries import CountParams; "
        "start(Path(sys.argv[1]), 'count', 'tests.jobs.entries:count', CountParams(to=8, hold_at=1)); os._exit(1)"
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    (job,) = list_jobs(tmp_path)
    until(lambda: len(numbers(job)) >= 1)
    pid = job.view().pid
    assert pid is not None
    os.kill(pid, signal.SIGHUP)
    (job.folder / "go").touch()
    assert job.wait(20).state == "finished"
    assert numbers(job) == list(range(1, 9))


def test_a_torn_last_line_is_passed_over_and_cut_off_on_resume(tmp_path: Path) -> None:
    job = begin(tmp_path, "count", CountParams(to=2))
    job.wait(20)
    with (job.folder / "events.jsonl").open("a") as file:
        file.write('{"at": "2026-')
    assert numbers(job) == [1, 2]
    (job.folder / "kept").write_text("1")
    resume(job).wait(20)
    assert numbers(job) == [1, 2, 2]


def test_jobs_are_listed_newest_first_and_strangers_are_passed_over(tmp_path: Path) -> None:
    first = begin(tmp_path, "count")
    first.wait(20)
    second = begin(tmp_path, "count")
    second.wait(20)
    (tmp_path / "not-a-job").mkdir()
    assert [job.id for job in list_jobs(tmp_path)] == [second.id, first.id]
    assert list_jobs(tmp_path, "other") == []
    assert list_jobs(tmp_path / "missing") == []


def test_nothing_that_a_job_starts_keeps_it_looking_alive(tmp_path: Path) -> None:
    job = begin(tmp_path, "leave_a_child")
    try:
        assert job.wait(20).state == "finished"
        until(lambda: not is_held(job.paths.lock))
    finally:
        os.kill(int((job.folder / "child").read_text()), signal.SIGKILL)


def test_a_folder_that_cannot_be_read_is_named_and_hides_no_other(tmp_path: Path) -> None:
    whole = begin(tmp_path, "count")
    whole.wait(20)
    for name in ("a-folder", "b-torn", "c-link", "d-gone"):
        (tmp_path / name).mkdir()
    (tmp_path / "a-folder" / "job.json").mkdir()
    (tmp_path / "b-torn" / "job.json").write_text('{"id": ')
    (tmp_path / "c-link" / "job.json").symlink_to(tmp_path / "c-link" / "job.json")
    (tmp_path / "d-gone" / "state.json").write_text("{}")
    assert [job.id for job in list_jobs(tmp_path)] == [whole.id]
    told = {one.folder.name: one.reason for one in broken_jobs(tmp_path)}
    assert list(told) == ["a-folder", "b-torn", "c-link", "d-gone"]
    assert "Is a directory" in told["a-folder"] and "no job here" in told["d-gone"]
    assert "not a job of this version" in told["b-torn"] and "Too many levels" in told["c-link"]


def test_what_else_is_broken_in_a_jobs_folder_does_not_keep_it_from_being_seen(tmp_path: Path) -> None:
    job = begin(tmp_path, "count")
    job.wait(20)
    for path in (job.paths.status, job.paths.events, job.paths.lock, job.paths.log):
        path.unlink()
        path.mkdir()
    assert job.view().state == "dead"
    assert job.events() == ([], 0) and job.log_tail() == ""


def test_a_record_of_a_later_version_is_read(tmp_path: Path) -> None:
    job = begin(tmp_path, "count")
    job.wait(20)
    for path in (job.paths.request, job.paths.status):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"later": 1}))
    assert Job(job.folder).view().state == "finished"


def test_old_jobs_are_pruned_but_for_the_newest_of_a_stage_and_the_living(tmp_path: Path) -> None:
    old, new = begin(tmp_path, "count"), None
    old.wait(20)
    new = begin(tmp_path, "count")
    new.wait(20)
    held = begin(tmp_path, "count", CountParams(to=3, hold_at=1), stage="other")
    try:
        assert prunable(tmp_path, days=1) == []
        assert prunable(tmp_path, days=0) == [old]
        remove(old)
        assert list_jobs(tmp_path, "count") == [new]
    finally:
        held.kill()
        held.wait(20)
