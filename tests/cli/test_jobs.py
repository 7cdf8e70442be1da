"""``studio jobs``, and the job that ``studio bank`` leaves to it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.jobs import Job, start
from tests.build.entries import Params
from tests.build.making import Commands, interrupt, until
from tests.cli.making import Studio, one_line


@pytest.fixture
def held(studio: Studio) -> Iterator[list[Job]]:
    """A job that runs until it is stopped, and one that failed."""
    workspace = studio.workspace()
    never = Params(mark=str(studio.root / "mark"), hold=str(studio.root / "never"))
    jobs = [
        start(workspace.jobs_dir, "work", "tests.build.entries:work", never),
        start(workspace.jobs_dir, "more", "tests.build.entries:fail", never),
    ]
    workspace.close()
    jobs[1].wait(30)
    while not jobs[0].events()[0]:
        time.sleep(0.01)
    yield jobs
    for job in jobs:
        job.kill()


def jobs(studio: Studio, *arguments: object) -> list[str]:
    told = studio("jobs", *arguments, "--workspace", studio.root)
    assert told.status == 0, told.err
    return told.lines


def test_jobs_are_listed_with_their_state_and_what_went_wrong(studio: Studio, held: list[Job]) -> None:
    newest, running = jobs(studio, "list")
    assert newest.split()[:3] == [held[1].id, "failed", "harbour"] and "no such thing" in newest
    assert running.split() == [held[0].id, "running", "harbour"]
    assert [line.split()[0] for line in jobs(studio, "list", "--running")] == [held[0].id]
    shown = studio("jobs", "list", "--workspace", studio.root, "--json").json
    assert [(one["id"], one["stage"], one["persona"], one["state"]) for one in shown] == [
        (held[1].id, "more", "harbour", "failed"),
        (held[0].id, "work", "harbour", "running"),
    ]


def test_a_running_job_is_stopped_by_a_part_of_its_name(studio: Studio, held: list[Job]) -> None:
    assert jobs(studio, "stop", "work") == [f"stopped {held[0].id}"]
    assert Path(f"{studio.root / 'mark'}.saved").exists()
    told = studio("jobs", "stop", "work", "--workspace", studio.root)
    assert one_line(told) and "no running job work" in told.err


def test_a_job_that_ended_is_watched_to_its_end_and_its_log_shown(studio: Studio, held: list[Job]) -> None:
    told = studio("jobs", "watch", "more", "--workspace", studio.root)
    assert told.status == 2 and "no such thing" in told.err.splitlines()[-1] and "Traceback" not in told.err
    assert "done" not in told.err, "it failed"
    assert "no such thing" in jobs(studio, "log", held[1].id)[-1]


def test_what_is_not_there_or_is_several_is_told(studio: Studio, held: list[Job]) -> None:
    told = studio("jobs", "log", "nope", "--workspace", studio.root)
    assert one_line(told) and held[0].id in told.err
    assert studio("jobs", "list", "--workspace", studio.root / "none").out == ""
    assert not (studio.root / "none").exists(), "looking makes nothing"


def test_ctrl_c_while_a_bank_is_built_stops_its_job_and_no_other_bank_is_taken_for_it(tmp_path: Path) -> None:
    studio = Commands(tmp_path)
    process = studio.begin("bank compose", "-n", "100000")
    until(lambda: studio.events("bank", "people_added"), process)
    other = studio.run("bank compose", "-n", "5")
    assert other.status == 2 and f"studio jobs stop {studio.jobs('bank')[0].id}" in other.err
    ended = interrupt(process)
    assert ended.status == 130 and "Traceback" not in ended.err
    assert studio.jobs("bank")[0].view().state == "stopped"
    there = len(studio.workspace.examples.people())
    assert studio.run("bank compose", "-n", "5", "--json").json["people"] == max(there, 5)


def test_a_folder_that_cannot_be_read_is_listed_as_such(studio: Studio, held: list[Job]) -> None:
    broken = held[0].folder.parent / "20260101-000000-train-dead"
    broken.mkdir()
    (broken / "job.json").write_text("{")
    told = studio("jobs", "list", "--workspace", studio.root)
    assert told.status == 0 and len(told.lines) == 3
    assert told.lines[-1].split()[:3] == [broken.name, "unreadable", "harbour"] and "remove" in told.err


def test_a_job_that_does_not_stop_is_told_again_and_then_killed(
    studio: Studio, held: list[Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.cli.jobs.CANCEL_S", 0.1)
    stuck = start(held[0].folder.parent, "stuck", "tests.build.entries:save_slowly", Params(mark="", hold="/nowhere"))
    while not stuck.events()[0]:
        time.sleep(0.01)
    told = studio("jobs", "stop", "stuck", "--timeout", "0.1", "--workspace", studio.root)
    assert told.status == 0 and told.lines == [f"dead {stuck.id}"]
    assert "asked again" in told.err and "killed; it can be resumed" in told.err


def test_old_jobs_are_forgotten_on_request(studio: Studio, held: list[Job]) -> None:
    again = start(held[0].folder.parent, "more", "tests.build.entries:fail", Params(mark=""))
    again.wait(30)
    asked = ("jobs", "prune", "--days", "0", "--workspace", studio.root)
    assert jobs(studio, "prune") == ["no job to forget"]
    assert studio(*asked, "--dry-run").lines == [f"would forget {held[1].id}"]
    assert studio(*asked, "--json").json == {"pruned": [held[1].id], "dry_run": False}
    assert not held[1].folder.exists() and again.folder.exists()
