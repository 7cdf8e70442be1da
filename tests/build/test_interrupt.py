"""ctrl+c: the job saves and ends, the status is 130, and the same command goes on."""

from __future__ import annotations

from pathlib import Path

from studio.train import read_metrics, runs
from tests.build.making import Commands, interrupt, until

RECIPE = ("--epochs", "20", "--json")


def test_ctrl_c_while_training_saves_and_the_same_command_goes_on_from_there(tmp_path: Path) -> None:
    studio = Commands(tmp_path)
    assert studio.run("generate").status == 0
    process = studio.begin("train", *RECIPE)
    until(lambda: len(studio.events("train", "step_logged")) >= 2, process)
    ended = interrupt(process)
    assert ended.status == 130 and "interrupted" in ended.json["error"]["message"] and "Traceback" not in ended.err
    assert studio.jobs("train")[0].view().state == "stopped"
    saved = studio.events("train", "checkpoint_saved")[-1]["step"]
    assert saved >= 2

    again = studio.run("train", *RECIPE)
    assert again.status == 0, again.err
    assert studio.events("train", "train_started")[-1]["resumed_from"] == saved
    steps = again.json["finished"]["steps"]
    assert steps > saved and not again.json["finished"]["stopped"]
    [run] = runs(studio.workspace)
    done = [one.step for one in read_metrics(studio.workspace.runs_dir / run.plan.run_id)]
    assert done == list(range(1, steps + 1)), "no step is missing, none was kept twice"
