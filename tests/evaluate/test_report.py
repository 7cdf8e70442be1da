"""What was kept of an evaluation, and what is left of one that was damaged."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.evaluate import evaluation_of
from studio.evaluate.report import FILE
from tests.package.making import Made


def test_an_evaluation_is_read_back_whole(tmp_path: Path) -> None:
    made = Made(tmp_path)
    assert evaluation_of(made.workspace, "run-1") == made.evaluation
    made.workspace.close()


@pytest.mark.parametrize("text", ["", "{", "{}", '{"id": "of another version"}', "\x00"])
def test_a_damaged_one_is_none_so_that_the_run_is_evaluated_anew(tmp_path: Path, text: str) -> None:
    made = Made(tmp_path)
    (made.workspace.runs_dir / "run-1" / FILE).write_text(text)
    assert evaluation_of(made.workspace, "run-1") is None
    made.workspace.close()
