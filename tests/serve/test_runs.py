"""What is served of a training run."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.errors import UserError
from studio.serve import run_params
from studio.train.types import Recipe
from tests.package.making import run_of


def test_a_run_is_served_as_it_was_trained(tmp_path: Path) -> None:
    run = run_of(tmp_path / "adapter", base="/home/someone/base", base_path=str(tmp_path))
    plan = run.plan.model_copy(update={"recipe": Recipe(method="qlora"), "system_prompt": "Be kind."})
    params = run_params(run.model_copy(update={"plan": plan}))
    assert (params.method, params.system_prompt) == ("qlora", "Be kind.")
    assert params.base_path == str(tmp_path) and params.adapter_path == str(tmp_path / "adapter")


def test_a_run_that_is_not_finished_cannot_be_served(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no adapter yet"):
        run_params(run_of(tmp_path).model_copy(update={"finished": None}))
