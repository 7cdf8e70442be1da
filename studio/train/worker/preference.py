"""Preference learning: TRL's DPO and KTO trainers on replies that are tokenised and masked as SFT has them.

TRL would render and tokenise the data by itself: what it is given here goes past that, so that a pinned template, its
mask and the one token that ends a reply are the same in all three trainers. The reference is the adapter that the run
starts from: TRL keeps a frozen copy of it, named ``ref``, on the same base model.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from datasets import Dataset
from pydantic import ValidationError
from trl import DPOConfig, DPOTrainer, KTOConfig, KTOTrainer

from studio.chatml import Frozen, Messages
from studio.errors import UserError
from studio.train.types import PreferenceRecipe, TrainPlan
from studio.train.worker.encoding import Encoder
from studio.train.worker.loading import TRAINED, Loaded
from studio.train.worker.placement import Placement
from studio.train.worker.progress import Progress
from studio.train.worker.trainer import arguments, keep_scalable

Row = dict[str, Any]
"""Of pairs: ``prompt_ids``, ``chosen_ids``, ``rejected_ids``. Of labelled replies: ``prompt_ids``, ``completion_ids``,
``label``."""


class Pair(Frozen):
    """A line of the data of DPO, in TRL's conversational form; ``chosen`` and ``rejected`` are one turn each."""

    prompt: Messages
    chosen: Messages
    rejected: Messages


class Labelled(Frozen):
    """A line of the data of KTO; ``label`` is whether the completion, one turn, is desirable."""

    prompt: Messages
    completion: Messages
    label: bool


def read_rows(plan: TrainPlan) -> list[Pair | Labelled]:
    """Raises :class:`UserError` naming the line that is neither."""
    path, kind = Path(plan.data_path), Pair if plan.objective == "dpo" else Labelled
    found: list[Any] = []
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except FileNotFoundError:
        raise UserError("the training data is gone", where=str(path), remedy="start the training again") from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                found.append(kind.model_validate(json.loads(line)))
            except (ValueError, ValidationError):
                raise UserError("not a line of preferences", where=f"{path}:{number}") from None
    return found


def encode_rows(encoder: Encoder, rows: Iterable[Pair | Labelled], max_length: int) -> tuple[list[Row], int]:
    """Token ids of each, and how many were left out: a reply that is over ``max_length`` with its prompt, or a pair
    whose replies the template puts after different prompts."""
    found: list[Row] = []
    left_out = 0
    for row in rows:
        replies = (row.chosen, row.rejected) if isinstance(row, Pair) else (row.completion,)
        encoded = [encoder.reply((*row.prompt, *reply)) for reply in replies]
        prompts = [prompt for prompt, _ in encoded]
        if any(prompt != prompts[0] or not ids or len(prompt) + len(ids) > max_length for prompt, ids in encoded):
            left_out += 1
        elif isinstance(row, Pair):
            found.append({"prompt_ids": prompts[0], "chosen_ids": encoded[0][1], "rejected_ids": encoded[1][1]})
        else:
            found.append({"prompt_ids": prompts[0], "completion_ids": encoded[0][1], "label": row.label})
    return found, left_out


class TokenisedDPOTrainer(DPOTrainer):
    """Takes rows of token ids as they are."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any, **__: Any) -> Dataset:
        return dataset


class TokenisedKTOTrainer(KTOTrainer):
    """Takes rows of token ids as they are, in their order."""

    def _prepare_dataset(self, dataset: Dataset, *_: Any, **__: Any) -> Dataset:
        return dataset


def make_preference_trainer(
    plan: TrainPlan, loaded: Loaded, rows: Sequence[Row], placement: Placement, progress: Progress, checkpoints: Path
) -> Any:
    """A trainer of ``plan.steps`` optimiser steps over ``rows``, whose model has the adapter that it starts from."""
    settings = plan.preference or PreferenceRecipe()
    shared = arguments(plan, placement, checkpoints)
    options = {"model": loaded.model, "processing_class": loaded.tokenizer, "callbacks": [progress]}
    trainer: Any
    if plan.objective == "dpo":
        losses: dict[str, Any] = {"loss_type": ["sigmoid"]}
        if settings.sft_weight:
            losses = {"loss_type": ["sigmoid", "sft"], "loss_weights": [1.0, settings.sft_weight]}
        trainer = TokenisedDPOTrainer(
            args=DPOConfig(**shared, **losses, beta=settings.beta),
            train_dataset=Dataset.from_list(list(rows)),
            **options,
        )
    else:
        config = KTOConfig(
            **shared,
            beta=settings.beta,
            desirable_weight=settings.desirable_weight,
            undesirable_weight=settings.undesirable_weight,
            train_sampling_strategy="sequential",  # a row's KL completion is its neighbour's
        )
        data = Dataset.from_list(with_kl(interleaved(rows, plan.recipe.seed), plan.recipe.micro_batch))
        trainer = TokenisedKTOTrainer(args=config, train_dataset=data, **options)
    # A checkpoint that held the reference too would be loaded without the adapter that is trained.
    loaded.model.save_pretrained = partial(loaded.model.save_pretrained, selected_adapters=[TRAINED])
    keep_scalable(loaded, placement)
    return trainer


def interleaved(rows: Sequence[Row], seed: int) -> list[Row]:
    """Desirable and undesirable replies spread evenly, each in an order by the seed: every batch has its share of both.

    The order is one for all epochs: KTO's rows are taken one after the other.
    """
    placed: list[tuple[float, int, Row]] = []
    for number, label in enumerate((True, False)):
        part = [row for row in rows if row["label"] is label]
        random.Random(seed + number).shuffle(part)
        placed += [((at + 0.5) / len(part), number, row) for at, row in enumerate(part)]
    return [row for *_, row in sorted(placed, key=lambda one: one[:2])]


def with_kl(rows: Sequence[Row], at_once: int) -> list[Row]:
    """Each row with the completion of the row before it in its micro batch, the first with that of the last (TRL's own
    order), by which KTO estimates how far the model has moved as a whole."""
    found: list[Row] = []
    for start in range(0, len(rows), at_once):
        part = rows[start : start + at_once]
        found += [{**row, "KL_completion_ids": part[at - 1]["completion_ids"]} for at, row in enumerate(part)]
    return found
