"""What was kept of an evaluation, and what is left of one that was damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.chatml import Frozen
from studio.evaluate import JudgeInfo, evaluation_of, evaluations, restate, restated
from studio.evaluate.metrics import reply_digest
from studio.evaluate.report import FILE
from studio.store import RunLabel
from tests.evaluate.making import NOON
from tests.package.making import Made


class Older(Frozen):
    id: str
    judge: str


def test_an_evaluation_is_read_back_whole(tmp_path: Path) -> None:
    made = Made(tmp_path)
    assert evaluation_of(made.workspace, "run-1") == made.evaluation
    made.workspace.close()


def test_labels_are_told_in_the_report_without_asking_anybody_and_kept(tmp_path: Path) -> None:
    made = Made(tmp_path)
    found = restate(made.evaluation)
    assert found.tuned.overall is not None and found.tuned.overall.labels == 0
    assert restated(made.workspace, found) == found
    row = found.results[0]
    label = RunLabel(
        run_id="run-1",
        probe_id=row.probe.id,
        side="tuned",
        digest=reply_digest(row, "tuned"),
        labels={"calm": 0},
        at=NOON,
    )
    made.workspace.labels.add(label)
    now = restated(made.workspace, found)
    assert now.tuned.traits["calm"].value == 0 and now.tuned.labels == 1 and now.id != found.id
    assert evaluation_of(made.workspace, "run-1") == now
    assert {one.id for one in evaluations(made.workspace)} == {made.evaluation.id, now.id}
    other = restated(made.workspace, now, JudgeInfo(name="gpt-5-mini", agreement={"calm": 0.1}))
    assert other.judge.agreement == {"calm": 0.1} and other.results == found.results
    made.workspace.close()


def test_an_evaluation_in_an_older_shape_is_passed_over(tmp_path: Path) -> None:
    made = Made(tmp_path)
    made.workspace.documents.put("evaluations", "old", Older(id="old", judge="rules judge"))
    assert [one.id for one in evaluations(made.workspace)] == ["run-1-e1"]
    made.workspace.close()


@pytest.mark.parametrize("text", ["", "{", "{}", '{"id": "of another version"}', "\x00"])
def test_a_damaged_one_is_none_so_that_the_run_is_evaluated_anew(tmp_path: Path, text: str) -> None:
    made = Made(tmp_path)
    (made.workspace.runs_dir / "run-1" / FILE).write_text(text)
    assert evaluation_of(made.workspace, "run-1") is None
    made.workspace.close()
