"""TRL's trainer, set up for one plan on one placement."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from transformers import Trainer
from trl import SFTConfig, SFTTrainer

from studio.train.types import TrainPlan
from studio.train.worker.encoding import Encoded
from studio.train.worker.flat import lay_flat
from studio.train.worker.loading import Loaded
from studio.train.worker.order import LengthGrouped
from studio.train.worker.placement import Placement
from studio.train.worker.progress import Progress

SMALL_VOCABULARY = 32_768
"""Up to this size all logits are kept; computing the loss in chunks saves memory and takes a tenth longer."""
MOST_LOGITS = 1 << 27
"""Where logits are made at taught positions only, so many of them (512 MB) are kept, whatever the vocabulary."""
PADDING_FREE_TOKENS = 8192
"""Up to so many tokens at once one dense block-diagonal mask is cheaper on a CPU than computing on padding."""


class LeanTrainer(SFTTrainer):
    """Without TRL's entropy and accuracy of every step, which nobody looks at: on a CPU a twentieth of the time."""

    def compute_loss(
        self, model: Any, inputs: dict[str, Any], return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        inputs["use_cache"] = False
        if self.aux_loss_enabled:  # of a mixture of experts: its routers learn too
            inputs["output_router_logits"] = True
        return Trainer.compute_loss(self, model, inputs, return_outputs, num_items_in_batch)


class GroupingTrainer(SFTTrainer):
    """Takes its data with sequences of like length together, which leaves little padding."""

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> LengthGrouped:
        rows = self.train_dataset if train_dataset is None else train_dataset
        batch = self.args.train_batch_size * self.args.gradient_accumulation_steps
        return LengthGrouped([len(ids) for ids in rows["input_ids"]], batch, self.args.seed)


def make_trainer(
    plan: TrainPlan,
    loaded: Loaded,
    data: Sequence[Encoded],
    placement: Placement,
    progress: Progress,
    checkpoints: Path,
) -> SFTTrainer:
    """A trainer that takes exactly ``plan.steps`` optimiser steps over ``data``, which is tokenised and masked."""
    rows = Dataset.from_list([{"input_ids": one.input_ids, "labels": one.labels} for one in data])
    longest = max(len(one.input_ids) for one in data)
    # The order follows from the whole batch: a run may be gone on with in other micro batches.
    short = placement.on_cpu and longest * plan.recipe.batch_size <= PADDING_FREE_TOKENS
    taught = sum(sorted(one.taught for one in data)[-plan.recipe.micro_batch :])
    trainer = (LeanTrainer if short else GroupingTrainer)(
        model=loaded.model,
        args=_config(plan, loaded, longest, taught, placement, checkpoints),
        train_dataset=rows,
        processing_class=loaded.tokenizer,
        callbacks=[progress],
    )
    if trainer.args.padding_free and loaded.backend == "peft":
        lay_flat(trainer)
    if placement.dtype == torch.float16:
        _in_32_bits(loaded.model)
    return trainer


def _in_32_bits(model: Any) -> None:
    """TRL puts the adapter of a 4-bit base model in bfloat16, whose gradients float16's loss scaling cannot take."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()


def _config(
    plan: TrainPlan, loaded: Loaded, longest: int, taught: int, placement: Placement, checkpoints: Path
) -> SFTConfig:
    """``longest`` is of a conversation, ``taught`` the most of a micro batch, both in tokens."""
    recipe, vocabulary = plan.recipe, loaded.model.config.get_text_config().vocab_size
    padding_free = placement.on_cpu and longest * recipe.micro_batch <= PADDING_FREE_TOKENS
    few_logits = vocabulary <= SMALL_VOCABULARY or (padding_free and taught * vocabulary <= MOST_LOGITS)
    return SFTConfig(
        output_dir=str(checkpoints),
        max_steps=plan.steps,
        per_device_train_batch_size=recipe.micro_batch,
        gradient_accumulation_steps=recipe.batch_size // recipe.micro_batch,
        learning_rate=recipe.learning_rate,
        lr_scheduler_type=recipe.scheduler,
        warmup_steps=round(recipe.warmup_ratio * plan.steps),
        seed=recipe.seed,
        logging_steps=1,
        logging_nan_inf_filter=False,
        save_strategy="no",  # Progress saves, by the clock
        save_total_limit=2,
        max_length=None,  # the data is cut already
        dataloader_pin_memory=not placement.on_cpu,
        gradient_checkpointing=not placement.on_cpu,  # on a CPU it costs 70 % more time and saves what is plentiful
        report_to="none",
        disable_tqdm=True,
        loss_type="nll" if few_logits else "chunked_nll",
        padding_free=padding_free,
        **_numbers(placement),
    )


def _numbers(placement: Placement) -> dict[str, Any]:
    dtype = placement.dtype
    return {"use_cpu": placement.on_cpu, "bf16": dtype == torch.bfloat16, "fp16": dtype == torch.float16}
