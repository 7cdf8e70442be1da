"""How batches are put together must not change what is learnt."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from transformers import Gemma3TextConfig, Phi3Config, PreTrainedConfig, Qwen3MoeConfig, set_seed

from studio.train.types import TrainPlan
from studio.train.worker import trainer as trainer_module
from studio.train.worker.data import read_conversations
from studio.train.worker.encoding import Encoder, encode_all
from studio.train.worker.loading import load
from studio.train.worker.placement import Placement
from studio.train.worker.progress import Control, MetricsLog, Progress
from studio.train.worker.trainer import make_trainer
from tests.tiny_model import SIZES
from tests.train.making import make_base, make_plan

CPU = Placement("cpu", torch.float32)


def first_loss(plan: TrainPlan, folder: Path) -> tuple[float, bool]:
    """Loss of the first batch, and whether it went without padding."""
    set_seed(0)
    loaded = load(plan.base_path, plan.recipe, CPU)
    rows = list(read_conversations(Path(plan.data_path)))
    data, _ = encode_all(Encoder(loaded.tokenizer, 256), rows)
    progress = Progress(MetricsLog(folder, 0), plan.steps, Control(lambda event: None))
    trainer = make_trainer(plan, loaded, data, CPU, progress, folder)
    batch = trainer.data_collator([dict(row) for row in list(trainer.train_dataset)[:4]])
    with torch.no_grad():
        return float(loaded.model(**batch, use_cache=False).loss), "attention_mask" not in batch


NEAR = Gemma3TextConfig(**SIZES, head_dim=8, sliding_window=6)
EXPERTS = Qwen3MoeConfig(**SIZES, head_dim=8, moe_intermediate_size=16, num_experts=4, num_experts_per_tok=2)


@pytest.mark.parametrize(
    "config", [None, NEAR, EXPERTS, Phi3Config(**SIZES)], ids=lambda one: type(one).__name__ if one else "Llama"
)
def test_sequences_in_one_row_without_padding_do_not_see_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, config: PreTrainedConfig | None
) -> None:
    plan = make_plan(tmp_path, base_path=make_base(tmp_path / "base", config) if config else None)
    loss, flattened = first_loss(plan, tmp_path)
    monkeypatch.setattr(trainer_module, "PADDING_FREE_TOKENS", 0)
    padded_loss, padded_flattened = first_loss(plan, tmp_path)
    assert flattened and not padded_flattened
    assert loss == pytest.approx(padded_loss, rel=1e-5)


def test_no_more_logits_are_made_than_there_are_words_taught(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    loaded = load(plan.base_path, plan.recipe, CPU)
    data, _ = encode_all(Encoder(loaded.tokenizer, 256), list(read_conversations(Path(plan.data_path))))
    progress = Progress(MetricsLog(tmp_path, 0), plan.steps, Control(lambda event: None))
    trainer = make_trainer(plan, loaded, data, CPU, progress, tmp_path)
    batch = trainer.data_collator([dict(row) for row in list(trainer.train_dataset)[:4]])
    logits = loaded.model(**batch, use_cache=False).logits
    assert logits.shape[:2] == (1, sum(one.taught for one in data[:4]))


def test_an_adapter_learns_in_32_bits_where_losses_are_scaled(tmp_path: Path) -> None:
    """As on a GPU without bfloat16, with a base model in four bits."""
    plan, placement = make_plan(tmp_path), Placement("cpu", torch.float16)
    loaded = load(plan.base_path, plan.recipe, placement)
    loaded.model.is_loaded_in_4bit = True
    data, _ = encode_all(Encoder(loaded.tokenizer, 256), list(read_conversations(Path(plan.data_path))))
    progress = Progress(MetricsLog(tmp_path, 0), plan.steps, Control(lambda event: None))
    make_trainer(plan, loaded, data, placement, progress, tmp_path)
    assert {one.dtype for one in loaded.model.parameters() if one.requires_grad} == {torch.float32}


def test_the_model_is_trained_without_a_cache(tmp_path: Path) -> None:
    assert load(make_plan(tmp_path).base_path, make_plan(tmp_path).recipe, CPU).model.config.use_cache is False
