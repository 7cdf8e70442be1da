"""TRL's trainer, set up for one plan on one placement: the order of its data, and how a micro batch is laid out.

On a CPU a micro batch is one row without padding: attention stays within each sequence, logits are made where words
are taught. Both save what a dense mask and a prompt would cost, a third of the time; the loss is the same.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import AttentionInterface, AttentionMaskInterface, Trainer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import sdpa_mask
from transformers.trainer_pt_utils import get_length_grouped_indices
from trl import SFTConfig, SFTTrainer

from studio.train.types import TrainPlan
from studio.train.worker.encoding import IGNORED, Encoded
from studio.train.worker.loading import Loaded
from studio.train.worker.placement import Placement
from studio.train.worker.progress import Progress

SMALL_VOCABULARY = 32_768
"""Up to this size all logits are kept; computing the loss in chunks saves memory and takes a tenth longer."""
MOST_LOGITS = 1 << 27
"""Where logits are made at taught positions only, so many of them (512 MB) are kept, whatever the vocabulary."""
PADDING_FREE_TOKENS = 8192
"""Up to so many tokens at once one dense block-diagonal mask is cheaper on a CPU than computing on padding."""
BY_SEQUENCE = "sdpa_by_sequence"


class LengthGrouped(Sampler[int]):
    """Indices such that a batch holds sequences of like length, in another order each epoch.

    The order follows from the seed and the epoch alone. That of the sampler that transformers would take follows
    from all that was drawn before: a process that goes on with a run would deal its data anew.
    """

    def __init__(self, lengths: Sequence[int], batch_size: int, seed: int) -> None:
        self._lengths, self._batch_size, self._seed, self._epoch = list(lengths), batch_size, seed, 0

    def set_epoch(self, epoch: int) -> None:  # by the trainer, before each epoch
        self._epoch = epoch

    def __iter__(self) -> Iterator[int]:
        generator = torch.Generator().manual_seed(self._seed + self._epoch)
        return iter(get_length_grouped_indices(self._lengths, self._batch_size, generator=generator))

    def __len__(self) -> int:
        return len(self._lengths)


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


def attention_by_sequence(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    position_ids: torch.Tensor | None = None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """As ``sdpa``, each sequence with its own block of the mask. Queries are (1, heads, tokens, head size).

    A sequence begins where ``position_ids`` (1, tokens) is 0. Without these, or without a mask, it is ``sdpa``.
    """
    if attention_mask is None or position_ids is None or position_ids.shape != (1, query.shape[2]):
        return sdpa_attention_forward(module, query, key, value, attention_mask, **options)
    bounds = [*(position_ids[0] == 0).nonzero().flatten().tolist(), query.shape[2]]
    spans = list(pairwise(bounds))
    sizes = [end - begin for begin, end in spans]
    parts = zip(spans, query.split(sizes, 2), key.split(sizes, 2), value.split(sizes, 2), strict=True)
    found = [
        sdpa_attention_forward(module, q, k, v, attention_mask[:, :, begin:end, begin:end], **options)[0]
        for (begin, end), q, k, v in parts
    ]
    return torch.cat(found, dim=1), None


AttentionInterface.register(BY_SEQUENCE, attention_by_sequence)
AttentionMaskInterface.register(BY_SEQUENCE, sdpa_mask)


def taught_only(collate: Callable[[Any], dict[str, torch.Tensor]]) -> Callable[[Any], dict[str, torch.Tensor]]:
    """A collator of one flat row that asks for no more logits than the loss needs, and aligns the labels with them."""

    def collated(rows: Any) -> dict[str, torch.Tensor]:
        batch = collate(rows)
        following = batch["labels"][:, 1:]
        taught = (following[0] != IGNORED).nonzero().flatten()
        return {**batch, "logits_to_keep": taught, "shift_labels": following[:, taught]}

    return collated


def lay_flat(trainer: Any) -> None:
    """Set up a padding-free trainer and its model; what the model is not made for is left as it is."""
    model = trainer.model.get_base_model()
    if model.config._attn_implementation == "sdpa":
        model.set_attn_implementation(BY_SEQUENCE)
    chooses = "logits_to_keep" in inspect.signature(model.forward).parameters
    if chooses and model.loss_type == "ForCausalLM" and trainer.args.loss_type == "nll":
        trainer.data_collator = taught_only(trainer.data_collator)


def make_trainer(
    plan: TrainPlan,
    loaded: Loaded,
    data: Sequence[Encoded],
    placement: Placement,
    progress: Progress,
    checkpoints: Path,
) -> SFTTrainer:
    """A trainer that takes exactly ``plan.steps`` optimiser steps over ``data``, which is tokenised and masked."""
    recipe, vocabulary = plan.recipe, loaded.model.config.get_text_config().vocab_size
    longest = max(len(one.input_ids) for one in data)
    taught = sum(sorted(one.taught for one in data)[-recipe.micro_batch :])  # the most of a micro batch
    # The order follows from the whole batch: a run may be gone on with in other micro batches.
    short = placement.on_cpu and longest * recipe.batch_size <= PADDING_FREE_TOKENS
    padding_free = placement.on_cpu and longest * recipe.micro_batch <= PADDING_FREE_TOKENS
    few_logits = vocabulary <= SMALL_VOCABULARY or (padding_free and taught * vocabulary <= MOST_LOGITS)
    config = SFTConfig(
        **arguments(plan, placement, checkpoints),
        loss_type="nll" if few_logits else "chunked_nll",
        padding_free=padding_free,
    )
    trainer = (LeanTrainer if short else GroupingTrainer)(
        model=loaded.model,
        args=config,
        train_dataset=Dataset.from_list([{"input_ids": one.input_ids, "labels": one.labels} for one in data]),
        processing_class=loaded.tokenizer,
        callbacks=[progress],
    )
    if padding_free and loaded.backend == "peft":
        lay_flat(trainer)
    keep_scalable(loaded, placement)
    return trainer


def arguments(plan: TrainPlan, placement: Placement, checkpoints: Path) -> dict[str, Any]:
    """What the configurations of all of TRL's trainers share, by their names."""
    recipe = plan.recipe
    return {
        "output_dir": str(checkpoints),
        "max_steps": plan.steps,
        "per_device_train_batch_size": recipe.micro_batch,
        "gradient_accumulation_steps": recipe.batch_size // recipe.micro_batch,
        "learning_rate": recipe.learning_rate,
        "lr_scheduler_type": recipe.scheduler,
        "warmup_steps": round(recipe.warmup_ratio * plan.steps),
        "seed": recipe.seed,
        "logging_steps": 1,
        "logging_nan_inf_filter": False,
        "save_strategy": "no",  # Progress saves, by the clock
        "save_total_limit": 2,
        "max_length": None,  # the data is cut already
        "dataloader_pin_memory": not placement.on_cpu,
        "gradient_checkpointing": not placement.on_cpu,  # on a CPU it costs 70 % more time and saves what is plentiful
        "report_to": recipe.log_to or "none",
        **({"project": "persona-studio", "trackio_space_id": None} if recipe.log_to == "trackio" else {}),
        "run_name": plan.run_id,
        "disable_tqdm": True,
        "use_cpu": placement.on_cpu,
        "bf16": placement.dtype == torch.bfloat16,
        "fp16": placement.dtype == torch.float16,
    }


def keep_scalable(loaded: Loaded, placement: Placement) -> None:
    """TRL puts the adapter of a 4-bit base model in bfloat16, whose gradients float16's loss scaling cannot take."""
    if placement.dtype == torch.float16:
        for parameter in loaded.model.parameters():
            if parameter.requires_grad:
                parameter.data = parameter.data.float()
