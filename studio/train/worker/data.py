"""Data of a run as its trainer takes it: read, tokenised, masked, and what is left out counted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from studio.chatml import Message, Messages
from studio.errors import UserError
from studio.train.types import TrainPlan
from studio.train.worker.encoding import Encoded, Encoder, encode_all
from studio.train.worker.loading import Loaded
from studio.train.worker.placement import Placement
from studio.train.worker.progress import Progress
from studio.train.worker.trainer import make_trainer
from studio.train.worker.validation import cross_entropy, mean_loss, rows_of_a_validation

MOST_COMPARED = 32
"""Conversations by which the loss of a run that is not SFT's is compared: some seconds of SmolLM2 on two cores."""


@dataclass(frozen=True)
class Prepared:
    """Data as its trainer takes it; ``count`` is how many examples, pairs or labelled replies there are.

    ``validation`` has the rows of the other side, and ``weights`` how much each counts.
    """

    count: int
    notes: tuple[str, ...]
    trainer: Callable[[TrainPlan, Loaded, Placement, Progress, Path], Any]
    dropped: int = 0
    validation: tuple[dict[str, Any], ...] = ()
    weights: tuple[int, ...] = ()

    def loss(self, trainer: Any, at_once: int) -> float:
        return mean_loss(trainer, self.validation, self.weights, at_once)


def prepared(plan: TrainPlan, loaded: Loaded) -> Prepared:
    """What a run trains on, tokenised and masked. Raises :class:`UserError` where nothing of it can be learned."""
    encoder = Encoder(loaded.tokenizer, plan.recipe.max_length)
    if plan.objective != "sft":
        from studio.train.worker.preference import encode_rows, make_preference_trainer, read_rows

        rows, left_out = encode_rows(encoder, read_rows(plan), plan.recipe.max_length)
        if not rows:
            raise UserError("no reply is within max_length", where=plan.data_path, remedy="raise max_length")
        why = (f"left out, over max_length with its prompt: {left_out}",) if left_out else ()
        return Prepared(
            len(rows), why, lambda plan, loaded, *more: make_preference_trainer(plan, loaded, rows, *more), left_out
        )
    data, useless = sft_rows(plan, encoder)
    held_back: list[Encoded] = []
    if plan.validation_path and plan.recipe.validations:
        held_back, _ = encode_all(encoder, read_conversations(Path(plan.validation_path)))
        held_back = held_back[: rows_of_a_validation(len(held_back), len(data), plan.recipe)]
    return Prepared(
        len(data),
        tuple(_notes(data, useless)),
        lambda plan, loaded, *more: make_trainer(plan, loaded, data, *more),
        dropped=useless + sum(one.dropped for one in data),
        validation=tuple({"input_ids": one.input_ids, "labels": one.labels} for one in held_back),
        weights=tuple(one.taught for one in held_back),
    )


def sft_loss(plan: TrainPlan, loaded: Loaded) -> float | None:
    """Of a run that is not SFT's: its cross-entropy on what SFT learned before; None where that is not at hand."""
    if not plan.sft_path or not Path(plan.sft_path).is_file():
        return None
    encoder = Encoder(loaded.tokenizer, plan.recipe.max_length)
    rows, _ = encode_all(encoder, islice(read_conversations(Path(plan.sft_path)), MOST_COMPARED))
    return cross_entropy(loaded.model, rows) if rows else None


def sft_rows(plan: TrainPlan, encoder: Encoder) -> tuple[list[Encoded], int]:
    """Conversations that teach something, and how many do not. Raises :class:`UserError` where none does."""
    data, useless = encode_all(encoder, list(read_conversations(Path(plan.data_path))))
    if not data:
        remedy = "accept examples in triage, or raise max_length"
        raise UserError("no conversation has a reply to learn", where=plan.data_path, remedy=remedy)
    return data, useless


def read_conversations(path: Path) -> Iterator[Messages]:
    """ChatML JSONL: one ``{"messages": [...]}`` a line. Raises :class:`UserError` naming the line."""
    try:
        lines = path.read_text(encoding="utf-8").split("\n")  # not splitlines: replies may hold other line ends
    except FileNotFoundError:
        raise UserError("the training data is gone", where=str(path), remedy="export it again in triage") from None
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield tuple(Message.model_validate(one) for one in json.loads(line)["messages"])
        except (ValueError, KeyError, TypeError, ValidationError):
            raise UserError("not a ChatML conversation", where=f"{path}:{number}") from None


def _notes(data: Sequence[Encoded], useless: int) -> Iterator[str]:
    if useless:
        yield f"left out, no reply within max_length: {useless}"
    if over := sum(one.dropped for one in data):
        yield f"replies over max_length that are not learned: {over}"
    if others := sum(not one.as_served for one in data):
        yield f"{others} of {len(data)} replies follow another prompt than serving sends: a quirk of the chat template"
