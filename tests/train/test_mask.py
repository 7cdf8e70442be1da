"""The mask that is shown is that of the batches that train."""

from __future__ import annotations

from pathlib import Path

import torch

from studio.train.mask import preview_mask
from studio.train.worker.data import prepared
from studio.train.worker.encoding import IGNORED, pin
from studio.train.worker.loading import load
from studio.train.worker.mask import preview
from studio.train.worker.placement import Placement
from studio.train.worker.progress import Control, MetricsLog, Progress
from tests.train.making import make_plan, two_turns, write_data
from tests.train.signals import preference_plan, trained

CPU = Placement("cpu", torch.float32)


def test_what_is_shown_as_learned_are_the_labels_of_the_trainers_batches(tmp_path: Path) -> None:
    plan = make_plan(tmp_path).model_copy(update={"system_prompt": "Be brief."})
    plan = plan.model_copy(update={"data_path": str(write_data(tmp_path / "two.jsonl", [two_turns()] * 2))})
    shown = preview(plan, 1)
    [row] = shown.rows
    assert [one.text for one in row if one.learned] == [
        "Great choice! It is on your list.<|im_end|>",
        "Nice work!<|im_end|>",
    ]
    assert row[0].text.startswith("<|im_start|>system\nBe kind.") and (shown.examples, shown.left_out) == (2, 0)
    loaded = load(plan.base_path, plan.recipe, CPU)
    pin(loaded.tokenizer, plan.system_prompt)
    progress = Progress(MetricsLog(tmp_path, 0), plan.steps, Control(lambda event: None))
    trainer = prepared(plan, loaded).trainer(plan, loaded, CPU, progress, tmp_path / "checkpoints")
    batch = trainer.data_collator([dict(next(iter(trainer.train_dataset)))])
    labels = batch["labels"][0]
    learned = loaded.tokenizer.decode(labels[labels != IGNORED])
    assert learned == "".join(one.text for one in row if one.learned)
    assert sum(one.tokens for one in row) == len(labels)


def test_of_pairs_both_replies_are_shown_after_their_prompt_from_a_process_of_its_own(tmp_path: Path) -> None:
    plan = preference_plan(tmp_path / "dpo", "dpo", trained(tmp_path, epochs=1))
    shown = preview_mask(plan, 1)
    chosen, rejected = shown.rows
    assert chosen[0] == rejected[0] and not chosen[0].learned and chosen[0].text.endswith("assistant\n")
    assert (chosen[1].text.startswith("Nice work!"), rejected[1].text) == (True, "OK.<|im_end|>")
    assert shown.examples == 24
