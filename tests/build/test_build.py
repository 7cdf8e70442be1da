"""The whole way from a spec to a package, killed in the middle: nothing is lost, nothing is done twice."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests import small_persona
from tests.build.making import MAIN, Commands, Ended, until

GATES = "  overall: 0\n  trait: 0\n  win_rate: 0\n  train_loss: null\n  latency_s: 600\n"
"""Such that none of them fails, and those that have too few probes or too poor a judge stay undecided."""
SHAPE: dict[str, set[str]] = {
    "": {"spec", "examples", "spending", "categories", "run", "evaluation", "gates", "package"},
    "spec": {"name", "hash"},
    "examples": {"generated", "accepted", "rejected"},
    "run": {"id", "steps", "loss", "seconds"},
    "package": {"path", "verified"},
}
SIDE = {"overall", "traits", "violations", "latency_s"}
FILES = {
    "adapter_config.json",
    "adapter_model.safetensors",
    "tokenizer.json",
    "tokenizer_config.json",
    "README.md",
    "PERSONA_SPEC.md",
    "evidence/EVALUATION_RESULTS.json",
    "examples/sample_interactions.jsonl",
}
LONG = """
from studio.train import planning
recipe = planning.with_recipe(planning.SMALL.recipe, {"epochs": 20})
planning.SMALL = planning.SMALL.model_copy(update={"recipe": recipe})
"""
"""So many steps that it can be killed in the middle of them."""
LIGHT = """
import sys
from studio.cli.main import run
status = run(sys.argv[1:])
sys.exit(99 if "torch" in sys.modules else status)
"""


def test_a_build_killed_while_training_goes_on_where_it_was(tmp_path: Path) -> None:
    studio = Commands(tmp_path, GATES)
    kill_while_training(studio)
    rows, saved = studio.rows(), len(studio.events("train", "checkpoint_saved"))
    assert len(rows) == small_persona.RECORDED and studio.jobs("train")[0].view().state == "dead"

    ended = studio.run("build", "--json", code=LONG + MAIN)
    summary = ended.json
    check_summary(studio, ended)
    assert studio.rows() == rows, "no example was lost, changed or made again"
    assert len(studio.jobs("generate")) == 1 and "generate  kept: " in ended.err
    assert len(studio.jobs("train")) == 1, "the same run went on"
    starts = studio.events("train", "train_started")
    assert [one["run_id"] for one in starts] == [summary["run"]["id"]] * 2
    assert (starts[1]["resumed_from"] > 0) == (saved > 0), "from its checkpoint, if it had one"
    check_package(studio, summary)

    jobs = {job.id for job in studio.jobs()}
    again = studio.run("build", "--json", code=LONG + LIGHT)
    assert (again.status, again.json) == (ended.status, summary), again.err
    assert {job.id for job in studio.jobs()} == jobs, "a third start does nothing"
    assert all(f"{stage:<9} kept: " in again.err for stage in ("generate", "train", "evaluate", "package"))


def kill_while_training(studio: Commands) -> None:
    process = studio.begin("build", "--json", code=LONG + MAIN)
    try:
        until(lambda: len(studio.events("train", "step_logged")) >= 2, process)
    finally:
        process.kill()
        process.communicate()
        for job in studio.jobs("train"):
            job.kill()
            job.wait(20)


def check_summary(studio: Commands, ended: Ended) -> None:
    """The last line of stdout is the object that is promised, and the status follows from its gates."""
    assert ended.out.count("\n") == 1
    summary, spec = ended.json, studio.loaded.spec
    for key, names in SHAPE.items():
        assert set(summary[key] if key else summary) == names
    assert summary["spec"] == {"name": "Wren", "hash": studio.loaded.hash}
    counts = summary["examples"]
    assert counts["generated"] == counts["accepted"] + counts["rejected"] == small_persona.RECORDED
    assert counts["accepted"] >= spec.success.examples
    assert set(summary["categories"]) == {name for name, category in spec.scenarios.items() if not category.holdout}
    assert all(
        set(one) == {"target", "accepted"} and one["accepted"] >= one["target"] > 0
        for one in summary["categories"].values()
    )
    check_evaluation(studio, summary["evaluation"])
    gates = summary["gates"]
    assert all(set(gate) == {"name", "target", "value", "status"} for gate in gates)
    statuses = {gate["name"]: gate["status"] for gate in gates}
    assert set(statuses.values()) == {"PASS", "UNDECIDED"}, "six probes do not show that no boundary is ever crossed"
    assert statuses["examples"] == "PASS" and statuses["violations"] == "UNDECIDED"
    assert ended.status == 3, "what is undecided is not passed"
    assert summary["run"]["steps"] == studio.events("train", "step_logged")[-1]["step"]


def check_evaluation(studio: Commands, evaluation: dict[str, Any]) -> None:
    """Base and tuned by trait, and who judged, with that judge's agreement."""
    assert set(evaluation) == {"judge", "verdict", "scope", "looks", "base", "tuned", "win_rate", "beats_prompt"}
    assert (evaluation["scope"], evaluation["looks"]) == ("all", 1), "nothing learned from any probe yet"
    assert evaluation["beats_prompt"] is None, "the persona's prompt is longer than the tiny model's context"
    traits = set(studio.loaded.spec.trait_names)
    judge = evaluation["judge"]
    assert judge["name"] == "learned judge" and set(judge["agreement"]) == traits
    assert all(-1 <= kappa <= 1 for kappa in judge["agreement"].values())
    assert evaluation["verdict"] == "trial: undecided", "the base is a stand-in for the spec's"
    for side in ("base", "tuned"):
        assert set(evaluation[side]) == SIDE and set(evaluation[side]["traits"]) == traits


def check_package(studio: Commands, summary: dict[str, Any]) -> None:
    folder = Path(summary["package"]["path"])
    assert summary["package"]["verified"] is True
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} >= FILES
    texts = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".safetensors"]
    assert [path.name for path in texts if str(studio.folder) in path.read_text(encoding="utf-8")] == []
    results = json.loads((folder / "evidence" / "EVALUATION_RESULTS.json").read_text())
    assert results["tuned"]["overall"]["value"] == summary["evaluation"]["tuned"]["overall"]
    card = (folder / "README.md").read_text()
    assert "UNDECIDED" in card and "learned judge" in card
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]
