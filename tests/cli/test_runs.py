"""``studio runs``: a run by its name wherever one matters, its deletion, and two of them compared."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.evaluate import evaluations, looks, save
from studio.evaluate.looks import looked
from studio.jobs import Job
from studio.jobs.record import JobRequest
from studio.machine.lock import acquire
from studio.train import name_run
from studio.train.run import write_run
from tests.cli.making import Studio, one_line
from tests.evaluate.making import NOON, label
from tests.package.making import Made, evaluation_of


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    one = Made(tmp_path)
    other = one.workspace.runs_dir / "run-2"
    plan = one.run.plan.model_copy(update={"run_id": "run-2", "steps": 12})
    (other / "adapter").mkdir(parents=True)
    finished = one.run.finished and one.run.finished.model_copy(update={"run_id": "run-2"})
    write_run(other, one.run.model_copy(update={"plan": plan, "finished": finished}))
    yield one
    one.workspace.close()


@pytest.fixture
def studio(made: Made, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Studio:
    return Studio(tmp_path, capfd, made.loaded.path)


def of(studio: Studio, *words: str) -> tuple[object, ...]:
    return ("runs", *words, "--spec", studio.spec, "--workspace", studio.root)


def test_runs_are_listed_with_what_they_came_to_and_shown_by_name(studio: Studio, made: Made) -> None:
    assert studio(*of(studio, "name", "run-1", "before")).out == "run-1 is before\n"
    assert studio(*of(studio, "note", "before", "a \x1b[31mfirst\x1b[0m try")).status == 0
    told = studio("runs", "list", studio.spec, "--workspace", studio.root)
    assert any(line.startswith("run-1            before") and "1/3 gates" in line for line in told.lines)
    assert any("not evaluated" in line for line in told.lines)
    assert "first" in told.out and "\x1b" not in told.out and max(map(len, told.lines)) <= 80
    rows = {row["id"]: row for row in studio("runs", "list", studio.spec, "--workspace", studio.root, "--json").json}
    assert rows["run-1"]["name"] == "before" and rows["run-1"]["bytes"] > 0 and rows["run-2"]["verdict"] == ""
    shown = studio(*of(studio, "show", "BEFORE"))
    assert shown.lines[0] == "run      run-1" and any("verdict on all 3 probes" in line for line in shown.lines)
    assert studio(*of(studio, "show", "before", "--json")).json["evaluation"]["id"] == "run-1-e1"


def test_a_name_is_taken_wherever_a_run_is_named(studio: Studio, made: Made) -> None:
    name_run(made.workspace, made.run, "before")
    for command in (["package", "pack"], ["chat", "-m", "hello"], ["evaluate"], ["judge", "label"]):
        head, tail = (command[:1], command[1:]) if command[0] == "chat" else (command, [])
        told = studio(*head, studio.spec, "--workspace", studio.root, "--run", "nobody", *tail)
        assert told.status == 2 and "no such run" in told.err, command
    told = studio(
        "judge",
        "label",
        studio.spec,
        "--workspace",
        studio.root,
        "--run",
        "before",
        "--export",
        studio.root / "x.jsonl",
    )
    assert "no such run" not in told.err


def test_a_bad_name_is_refused_in_a_line(studio: Studio) -> None:
    assert one_line(studio(*of(studio, "name", "run-1", "two words")))
    assert one_line(studio(*of(studio, "show", "run")))


def test_what_depends_on_a_run_keeps_it_until_it_is_forced(studio: Studio, made: Made) -> None:
    made.workspace.labels.add(label(made.evaluation.results[0]))
    seen = looked(made.workspace, [row.probe for row in made.evaluation.results], "run-1", "f", locked=True)
    told = studio(*of(studio, "delete", "run-1"))
    assert one_line(told)
    assert "evaluated (not approved) and labelled by people (1 replies, 0 pairs)" in told.err and "--force" in told.err
    assert (made.workspace.runs_dir / "run-1").is_dir()
    done = studio(*of(studio, "delete", "run-1", "--force", "--json"))
    assert done.status == 0 and done.json["run_id"] == "run-1" and done.json["bytes"] > 0
    assert not (made.workspace.runs_dir / "run-1").exists() and evaluations(made.workspace) == []
    assert made.workspace.labels.of_run("run-1"), "people's work is kept"
    assert looks(made.workspace) == (seen,), "what was looked at stays looked at"


def test_a_run_of_which_nothing_depends_goes_at_once_and_says_what_it_freed(studio: Studio, made: Made) -> None:
    told = studio(*of(studio, "delete", "run-2"))
    assert told.status == 0 and told.out.startswith("deleted run-2: ") and told.out.endswith(" MB freed\n")


def test_a_terminal_is_asked_first(studio: Studio, made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: False)
    told = studio(*of(studio, "delete", "run-2"))
    assert told.status == 2 and "nothing was deleted" in told.err and (made.workspace.runs_dir / "run-2").is_dir()
    assert studio(*of(studio, "delete", "run-2", "--yes")).status == 0


def test_a_job_that_works_with_a_run_protects_it(studio: Studio, made: Made) -> None:
    job = Job(made.workspace.jobs_dir / "20260101-120000-evaluate-ab12")
    job.folder.mkdir()
    asked = JobRequest(id=job.id, stage="evaluate", entry="x:y", params={"run_id": "run-2"}, created=NOON)
    job.paths.request.write_text(asked.model_dump_json())
    lock = acquire(job.paths.lock, 1)
    assert lock is not None
    told = studio(*of(studio, "delete", "run-2", "--force", "--yes"))
    assert one_line(told) and "evaluate works with run-2" in told.err and "studio jobs stop" in told.err
    assert (made.workspace.runs_dir / "run-2").is_dir()
    os.close(lock)


def test_two_runs_are_compared_in_words_as_json_and_as_a_picture(studio: Studio, made: Made, tmp_path: Path) -> None:
    save(made.workspace, evaluation_of(run_id="run-2", id="run-2-e1", spec_hash=made.loaded.hash))
    picture = tmp_path / "loss.svg"
    told = studio(*of(studio, "compare", "run-1", "run-2", "--plot", picture.as_posix()))
    assert told.status == 0 and told.lines[:2] == ["a  run-1", "b  run-2"]
    assert "gates" in told.lines and max(map(len, told.lines[:-1])) <= 80
    assert any(line.startswith("steps") and line.endswith("9  ->  12") for line in told.lines)
    assert picture.read_text().startswith("<svg ")
    found = studio(*of(studio, "compare", "run-1", "run-2", "--probes", "open", "--json")).json
    assert found["second"]["id"] == "run-2" and found["paired"] == 2 and json.dumps(found)
