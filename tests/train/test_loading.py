"""Choosing how a base model is loaded."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from transformers import set_seed

from studio.errors import UserError
from studio.train.base import POCKET_FOLDER
from studio.train.types import Recipe
from studio.train.worker import loading
from studio.train.worker.loading import choose_backend, load
from studio.train.worker.placement import Placement
from studio.train.worker.run import Control, train
from tests.train.making import make_plan

CPU, CUDA = Placement("cpu", torch.float32), Placement("cuda", torch.bfloat16)


def installed(*names: str) -> object:
    return lambda name: object() if name in names else None


def test_the_first_weights_of_an_adapter_follow_the_seed() -> None:
    def drawn(seed: int) -> torch.Tensor:
        set_seed(seed)
        model = load(str(POCKET_FOLDER), Recipe(rank=2), CPU).model
        return next(value for name, value in model.named_parameters() if "lora_A" in name).detach()

    assert torch.equal(drawn(1), drawn(1)) and not torch.equal(drawn(1), drawn(2))


def test_unsloth_is_used_on_a_gpu_where_it_is_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "find_spec", installed("unsloth"))
    assert choose_backend(Recipe(), CUDA) == "unsloth"
    assert choose_backend(Recipe(), CPU) == "peft"
    assert choose_backend(Recipe(backend="peft"), CUDA) == "peft"
    assert choose_backend(Recipe(backend="unsloth"), CPU) == "unsloth"
    monkeypatch.setattr(loading, "find_spec", installed())
    assert choose_backend(Recipe(), CUDA) == "peft"


def test_what_is_not_installed_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "find_spec", installed())
    with pytest.raises(UserError, match=r"unsloth is not installed .*\[gpu\]"):
        load(str(POCKET_FOLDER), Recipe(backend="unsloth"), CPU)
    with pytest.raises(UserError, match=r"qlora needs bitsandbytes .*\[gpu\]"):
        load(str(POCKET_FOLDER), Recipe(method="qlora"), CPU)


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="bitsandbytes is not installed")
def test_qlora_trains_on_four_bits(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, method="qlora", epochs=1)
    finished = train(plan, tmp_path / "run", Control(lambda event: None))
    assert finished.steps == plan.steps and Path(finished.adapter_path).is_dir()
