"""ctrl+c: the job saves and ends, the status is 130, and the same command goes on."""

from __future__ import annotations

from pathlib import Path

from studio.train import read_metrics, runs
from tests.build.making import Commands, interrupt, until


def test_ctrl_c_while_generating_keeps_everything_and_the_same_command_goes_on(tmp_path: Path) -> None:
    studio = Commands(tmp_path)
    process = studio.begin("generate", "--examples", "150")
    until(lambda: len(studio.rows()) >= 10, process)
    ended = interrupt(process)
    assert ended.status == 130 and ended.out == ""
    assert ended.err.splitlines()[-1] == "studio: interrupted; run the same command to go on"
    assert "Traceback" not in ended.err
    assert studio.jobs("generate")[0].view().state == "stopped", "it had saved when the command ended"
    rows = studio.rows()
    assert 10 <= len(rows) < 150

    again = studio.run("generate", "--examples", "150", "--json")
    assert again.status == 0, again.err
    after = studio.rows()
    assert all(after[name] == row for name, row in rows.items()) and again.json["examples"]["accepted"] == 150


def test_ctrl_c_while_training_saves_and_the_same_command_goes_on_from_there(tmp_path: Path) -> None:
    studio = Commands(tmp_path)
    assert studio.run("generate", "--examples", "24").status == 0
    process = studio.begin("train", "--json")
    until(lambda: len(studio.events("train", "step_logged")) >= 2, process)
    ended = interrupt(process)
    assert ended.status == 130 and "interrupted" in ended.json["error"]["message"] and "Traceback" not in ended.err
    assert studio.jobs("train")[0].view().state == "stopped"
    saved = studio.events("train", "checkpoint_saved")[-1]["step"]
    assert 2 <= saved < 24

    again = studio.run("train", "--json")
    assert again.status == 0, again.err
    assert studio.events("train", "train_started")[-1]["resumed_from"] == saved
    assert again.json["finished"]["steps"] == 24 and not again.json["finished"]["stopped"]
    [run] = runs(studio.workspace)
    steps = [one.step for one in read_metrics(studio.workspace.runs_dir / run.plan.run_id)]
    assert steps == list(range(1, 25)), "no step is missing, none was kept twice"
