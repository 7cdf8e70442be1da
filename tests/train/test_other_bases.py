"""Base models that are built otherwise than the tiny base model: as tiny, with its tokenizer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from transformers import Gemma3Config, GPT2Config, Phi3Config, PreTrainedConfig

from studio.errors import UserError
from studio.train.types import TrainEvent, TrainStarted
from studio.train.worker.progress import Control
from studio.train.worker.run import train
from tests.tiny_model import SIZES
from tests.train.making import make_base, make_plan

EYES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}


def started(tmp_path: Path, config: PreTrainedConfig, **recipe: Any) -> TrainStarted:
    """Trains to the end; what it told when it started."""
    heard: list[TrainEvent] = []
    plan = make_plan(tmp_path / "plan", base_path=make_base(tmp_path / "base", config), epochs=1, **recipe)
    finished = train(plan, tmp_path / "run", Control(heard.append))
    assert finished.steps == plan.steps and Path(finished.adapter_path).is_dir()
    assert isinstance(heard[0], TrainStarted) and finished.note == heard[0].note
    return heard[0]


@pytest.mark.parametrize("vocabulary", [320, 40_000])
def test_a_model_that_can_see_too_is_trained_on_text(tmp_path: Path, vocabulary: int) -> None:
    """Its config holds another for the text, as Gemma 3's does; with either way to compute the loss."""
    text = {**SIZES, "vocab_size": vocabulary, "head_dim": 8, "sliding_window": 64}
    eyes = {**EYES, "image_size": 28, "patch_size": 14}
    assert started(tmp_path, Gemma3Config(text_config=text, vision_config=eyes, mm_tokens_per_image=4)).note == ""


def test_projections_that_are_one_layer_are_adapted_as_one(tmp_path: Path) -> None:
    all_of_them, two = (
        started(tmp_path / str(len(targets)), Phi3Config(**SIZES), target_modules=targets)
        for targets in (("qkv_proj", "o_proj", "gate_up_proj", "down_proj"), ("o_proj", "down_proj"))
    )
    usual = started(tmp_path, Phi3Config(**SIZES))
    assert usual.note == "" and usual.trainable_parameters == all_of_them.trainable_parameters
    assert two.trainable_parameters < usual.trainable_parameters


def test_a_target_that_the_base_model_has_not_is_told(tmp_path: Path) -> None:
    note = started(tmp_path, Phi3Config(**SIZES), target_modules=("o_proj", "q_proj", "down_proj")).note
    assert note == "the base model has no q_proj: no adapter there"


def test_a_base_model_without_any_target_is_a_users_error(tmp_path: Path) -> None:
    config = GPT2Config(vocab_size=320, n_embd=32, n_layer=1, n_head=2, eos_token_id=2, bos_token_id=0)
    with pytest.raises(UserError, match=r"no layer to put the adapter on .*q_proj"):
        started(tmp_path, config)
