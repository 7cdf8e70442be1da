"""A blend is the weighted sum of adapters: one adapter that does what they would do together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM

from studio.errors import UserError
from studio.train.base import adapter_hash
from studio.train.blend import blend_parts
from studio.train.run import ADAPTER
from studio.train.types import BlendPart, TrainPlan
from studio.train.worker.progress import Control
from studio.train.worker.run import train
from tests.train.signals import trained

SILENT = Control(lambda event: None)


def deltas(base: str, adapter: Path) -> dict[str, torch.Tensor]:
    """What an adapter adds to each weight of the base model."""
    plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32).state_dict()
    model: Any = PeftModel.from_pretrained(AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32), adapter)
    merged = model.merge_and_unload().state_dict()
    return {name: merged[name] - plain[name] for name in plain if "_proj" in name}


def blended(parts: list[tuple[TrainPlan, Path]], weights: tuple[float, ...], rank: int) -> TrainPlan:
    plan = parts[0][0]
    blend = tuple(
        BlendPart(run_id=f"run-{number}", path=str(adapter), hash=adapter_hash(adapter), weight=weight)
        for number, ((_, adapter), weight) in enumerate(zip(parts, weights, strict=True))
    )
    recipe = plan.recipe.model_copy(update={"rank": rank})
    more = {"objective": "blend", "blend": blend, "recipe": recipe, "steps": 0, "sft_path": plan.data_path}
    return plan.model_copy(update=more)


def test_what_it_adds_is_the_weighted_sum_of_what_the_others_add(tmp_path: Path) -> None:
    one, other = trained(tmp_path / "a"), trained(tmp_path / "b", seed=1, epochs=1, rank=2)
    finished = train(blended([one, other], (1.0, 0.25), 6), tmp_path / "run", SILENT)
    first, second = (deltas(one[0].base_path, part[1]) for part in (one, other))
    found = deltas(one[0].base_path, tmp_path / "run" / ADAPTER)
    for name, delta in found.items():
        expected = first[name] + 0.25 * second[name]
        assert torch.allclose(delta, expected, atol=2e-2 * float(expected.abs().max())), name
    assert finished.note == "1 x run-0 + 0.25 x run-1" and finished.steps == 0
    assert finished.sft_loss == finished.loss and 0 < finished.loss < 5.7
    assert not [path for path in (tmp_path / "run" / ADAPTER).iterdir() if path.is_dir()], "it loads alone"

    small = train(blended([one, other], (1.0, 0.25), 4), tmp_path / "small", SILENT)
    assert small.adapter_mb < finished.adapter_mb
    near = deltas(one[0].base_path, tmp_path / "small" / ADAPTER)
    lost = sum(float((near[name] - found[name]).norm() ** 2) for name in found)
    assert 0 < lost < 0.2 * sum(float(delta.norm() ** 2) for delta in found.values())

    late = blended([one, other], (1.0, 1.0), 6)
    (other[1] / "adapter_config.json").write_text("{}")
    with pytest.raises(UserError, match="adapter of run-1 is gone or has changed"):
        train(late, tmp_path / "late", SILENT)


def test_runs_and_weights_are_read_from_the_command_line() -> None:
    assert blend_parts(["run-a:0.5", "run-b"]) == [("run-a", 0.5), ("run-b", 1.0)]
    for wrong in (":1", "run-a:much", "run-a:nan", "run-a:0"):
        with pytest.raises(UserError, match="not a run and its weight"):
            blend_parts([wrong])
