"""What is served of a training run."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.chatml import Frozen, user
from studio.errors import UserError
from studio.llm import ModelError, Request, Sampling
from studio.serve import BASE, ServeParams, end_unused, ensure, model_params, open_model, run_params
from studio.train.types import Recipe
from tests.package.making import run_of
from tests.tiny_model import tiny_base


class Answer(Frozen):
    name: str


def test_a_run_is_served_as_it_was_trained(tmp_path: Path) -> None:
    run = run_of(tmp_path / "adapter", base="/home/someone/base", base_path=str(tmp_path))
    plan = run.plan.model_copy(update={"recipe": Recipe(method="qlora"), "system_prompt": "Be kind."})
    params = run_params(run.model_copy(update={"plan": plan}))
    assert (params.method, params.system_prompt) == ("qlora", "Be kind.")
    assert params.base_path == str(tmp_path) and params.adapter_path == str(tmp_path / "adapter")


def test_a_run_that_is_not_finished_cannot_be_served(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no adapter yet"):
        run_params(run_of(tmp_path).model_copy(update={"finished": None}))


async def test_a_chat_model_without_any_adapter_is_served_to_write(tmp_path: Path) -> None:
    """What it writes is validated by whoever asks: a form is asked for, not enforced."""
    params = model_params(tiny_base())
    assert params == ServeParams(base_path=tiny_base())
    request = Request(purpose="author", messages=(user("Add water the plants to my list."),))
    with await ensure(tmp_path / "jobs", params) as server:
        model = open_model(server.ready, BASE)
        try:
            assert (await model.complete(request)).finish == "stop"
            cut = await model.complete(request.model_copy(update={"sampling": Sampling(max_tokens=3)}))
            assert cut.text and cut.finish == "length"
            with pytest.raises(ModelError) as raised:
                await model.structured(request, Answer)
            assert raised.value.kind == "malformed"
        finally:
            await model.close()
    assert end_unused(tmp_path / "jobs")
