"""Mask preview: rows as the collators of TRL's trainers give them to the model, cut where learning begins and ends.

A process of its own: a question on stdin, the answer on the last line of stdout, one line on stderr where it fails.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Any

from transformers import AutoTokenizer
from trl.trainer.dpo_trainer import DataCollatorForPreference
from trl.trainer.kto_trainer import DataCollatorForUnpairedPreference
from trl.trainer.sft_trainer import DataCollatorForLanguageModeling

from studio.errors import UserError
from studio.train.mask import MaskPreview, MaskQuestion, Piece
from studio.train.types import TrainPlan
from studio.train.worker.data import sft_rows
from studio.train.worker.encoding import IGNORED, Encoder, pin
from studio.train.worker.preference import encode_rows, read_rows


def preview(plan: TrainPlan, count: int) -> MaskPreview:
    tokenizer = AutoTokenizer.from_pretrained(plan.start_path or plan.base_path)
    if tokenizer.chat_template is None:
        raise UserError("the base model has no chat template", where=plan.base_path)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    pin(tokenizer, plan.system_prompt)
    encoder = Encoder(tokenizer, plan.recipe.max_length)
    if plan.objective == "sft":
        data, left_out = sft_rows(plan, encoder)
        rows = [{"input_ids": one.input_ids, "labels": one.labels} for one in data]
    else:
        rows, left_out = encode_rows(encoder, read_rows(plan), plan.recipe.max_length)
    batches = (_collator(plan, tokenizer.pad_token_id)([row]) for row in rows[:count])
    shown = tuple(tuple(_pieces(tokenizer, *one)) for batch in batches for one in _sequences(batch))
    return MaskPreview(rows=shown, examples=len(rows), left_out=left_out)


def _collator(plan: TrainPlan, pad: int) -> Any:
    if plan.objective == "sft":
        return DataCollatorForLanguageModeling(pad_token_id=pad)
    kind = DataCollatorForPreference if plan.objective == "dpo" else DataCollatorForUnpairedPreference
    return kind(pad_token_id=pad)


def _sequences(batch: dict[str, Any]) -> Iterator[tuple[list[int], list[bool]]]:
    """Token ids without padding, and whether each is learned."""
    learned = batch["labels"] != IGNORED if "labels" in batch else batch["completion_mask"].bool()
    for ids, mask, there in zip(batch["input_ids"], learned, batch["attention_mask"].bool(), strict=True):
        yield ids[there].tolist(), mask[there].tolist()


def _pieces(tokenizer: Any, ids: Sequence[int], learned: Sequence[bool]) -> Iterator[Piece]:
    for learns, group in groupby(zip(ids, learned, strict=True), key=lambda one: one[1]):
        tokens = [token for token, _ in group]
        yield Piece(text=str(tokenizer.decode(tokens)), learned=learns, tokens=len(tokens))


if __name__ == "__main__":
    asked = MaskQuestion.model_validate_json(sys.stdin.read())
    try:
        print(preview(asked.plan, asked.count).model_dump_json())
    except UserError as error:
        print(str(error), file=sys.stderr)
        sys.exit(1)
