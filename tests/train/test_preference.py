"""DPO and KTO go on from an adapter: towards what was preferred, away from a reference that stays as it was."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from studio.errors import UserError
from studio.jobs import resume, start
from studio.train.run import ADAPTER, CHECKPOINTS, ENTRY, STAGE, WEIGHTS, read_metrics, read_run
from studio.train.types import Objective, TrainEvent, TrainFinished, TrainParams, TrainPlan, TrainStarted
from studio.train.worker.encoding import Encoder
from studio.train.worker.loading import REFERENCE, TRAINED, load, weights_hash
from studio.train.worker.placement import Placement
from studio.train.worker.preference import encode_rows, interleaved, make_preference_trainer, read_rows, with_kl
from studio.train.worker.progress import Control, MetricsLog, Progress
from studio.train.worker.run import newest_checkpoint, train
from tests.train.signals import BAD, preference_plan, trained
from tests.train.test_job import saved, until
from tests.train.test_run import Heard

CPU = Placement("cpu", torch.float32)
SILENT = Control(lambda event: None)
BOTH: tuple[Objective, ...] = ("dpo", "kto")


@pytest.fixture(scope="module")
def parent(tmp_path_factory: pytest.TempPathFactory) -> tuple[TrainPlan, Path]:
    return trained(tmp_path_factory.mktemp("parent"))


def weights(adapter: Path) -> dict[str, torch.Tensor]:
    return load_file(adapter / WEIGHTS)


def encoded(plan: TrainPlan) -> tuple[Any, list[dict[str, Any]]]:
    loaded = load(plan.base_path, plan.recipe, CPU, start=Path(plan.start_path))
    rows, left_out = encode_rows(Encoder(loaded.tokenizer, 256), read_rows(plan), 256)
    assert not left_out
    return loaded, rows


@pytest.mark.parametrize("objective", BOTH)
def test_rewards_of_what_was_preferred_rise_over_the_others(
    parent: tuple[TrainPlan, Path], tmp_path: Path, objective: Objective
) -> None:
    plan = preference_plan(tmp_path, objective, parent, epochs=8)
    heard: list[TrainEvent] = []
    finished = train(plan, tmp_path / "run", Control(heard.append))
    metrics = read_metrics(tmp_path / "run")
    assert [one.step for one in metrics] == list(range(1, plan.steps + 1))
    first, last = metrics[0].rewards, metrics[-1].rewards
    assert first and last and first.chosen == pytest.approx(0, abs=1e-4), "it begins as its own reference"
    assert last.margin and last.margin > 0.2 and last.chosen is not None and last.rejected is not None
    assert last.margin == pytest.approx(last.chosen - last.rejected, abs=1e-5)
    assert last.chosen_logps and first.chosen_logps and (last.accuracy == 1 if objective == "dpo" else True)
    told = [one for one in heard if one.kind == "step_logged"]
    assert told[-1].rewards == last
    assert finished.weights_before != finished.weights_after and finished.examples == 24


@pytest.mark.parametrize("objective", BOTH)
def test_what_is_saved_is_one_whole_adapter_that_loads_alone(
    parent: tuple[TrainPlan, Path], tmp_path: Path, objective: Objective
) -> None:
    plan = preference_plan(tmp_path, objective, parent)
    train(plan, tmp_path / "run", SILENT)
    adapter = tmp_path / "run" / ADAPTER
    assert not [path for path in adapter.iterdir() if path.is_dir()], "the reference stays behind"
    assert weights(adapter).keys() == weights(parent[1]).keys()
    base = AutoModelForCausalLM.from_pretrained(plan.base_path, dtype=torch.float32)
    ids = torch.tensor([[1, 2, 3, 4]])
    before = base(input_ids=ids).logits
    tuned = PeftModel.from_pretrained(base, adapter)
    assert not torch.equal(tuned(input_ids=ids).logits, before)
    theirs, ours = (AutoTokenizer.from_pretrained(one).chat_template for one in (parent[1], adapter))
    assert ours == theirs


@pytest.mark.parametrize("objective", BOTH)
def test_the_reference_is_the_adapter_that_it_starts_from_and_stays_so(
    parent: tuple[TrainPlan, Path], tmp_path: Path, objective: Objective
) -> None:
    plan = preference_plan(tmp_path, objective, parent)
    loaded, rows = encoded(plan)
    before = weights_hash(loaded.model)
    progress = Progress(MetricsLog(tmp_path, 0), plan.steps, SILENT)
    trainer = make_preference_trainer(plan, loaded, rows, CPU, progress, tmp_path / CHECKPOINTS)
    assert weights_hash(loaded.model, REFERENCE) == before
    trainer.train()
    assert weights_hash(loaded.model, REFERENCE) == before != weights_hash(loaded.model, TRAINED)


def test_replies_are_rendered_and_masked_as_sft_has_them_with_one_end_token(
    parent: tuple[TrainPlan, Path], tmp_path: Path
) -> None:
    plan = preference_plan(tmp_path, "dpo", parent)
    loaded, rows = encoded(plan)
    tokenizer = loaded.tokenizer
    for row, line in zip(rows, read_rows(plan), strict=True):
        sft = Encoder(tokenizer, 256).encode((*line.prompt, *line.chosen))  # type: ignore[union-attr]
        both = row["prompt_ids"] + row["chosen_ids"]
        assert sft.input_ids[: len(both)] == both
        assert row["chosen_ids"] == [label for label in sft.labels if label >= 0]
    progress = Progress(MetricsLog(tmp_path, 0), plan.steps, SILENT)
    trainer = make_preference_trainer(plan, loaded, rows, CPU, progress, tmp_path / CHECKPOINTS)
    batch = trainer.data_collator([dict(row) for row in list(trainer.train_dataset)[:2]])
    for ids, mask in zip(batch["input_ids"], batch["completion_mask"], strict=True):
        said = ids[mask.bool()].tolist()
        assert said[-1] == tokenizer.eos_token_id and said.count(tokenizer.eos_token_id) == 1
    assert tokenizer.decode(batch["input_ids"][2][batch["completion_mask"][2].bool()]) == f"{BAD}<|im_end|>"


def test_a_reply_over_max_length_is_left_out_and_counted(parent: tuple[TrainPlan, Path], tmp_path: Path) -> None:
    plan = preference_plan(tmp_path, "dpo", parent, max_length=70)
    encoder = Encoder(AutoTokenizer.from_pretrained(plan.start_path), 70)
    lengths = [len(encoder.reply((*row.prompt, *row.chosen))[1]) for row in read_rows(plan)]  # type: ignore[union-attr]
    heard: list[TrainEvent] = []
    finished = train(plan, tmp_path / "run", Control(heard.append))
    assert 0 < finished.examples < len(lengths)
    assert isinstance(heard[0], TrainStarted)
    assert heard[0].note == f"left out, over max_length with its prompt: {24 - finished.examples}"


def test_a_run_that_changed_nothing_fails(parent: tuple[TrainPlan, Path], tmp_path: Path) -> None:
    plan = preference_plan(tmp_path, "dpo", parent, learning_rate=1e-12)
    with pytest.raises(UserError, match=r"changed nothing.*higher learning rate"):
        train(plan, tmp_path / "run", SILENT)
    assert not (tmp_path / "run" / ADAPTER).exists()


def test_ktos_batches_have_their_share_of_both_and_a_neighbours_reply() -> None:
    rows = [{"label": number < 30, "completion_ids": [number]} for number in range(40)]
    mixed = interleaved(rows, 0)
    assert sorted(row["completion_ids"][0] for row in mixed) == list(range(40)) and mixed != interleaved(rows, 1)
    for at in range(0, 40, 8):
        assert sum(row["label"] for row in mixed[at : at + 8]) == 6
    four = with_kl(mixed, 4)
    assert [row["KL_completion_ids"] for row in four[:4]] == [mixed[at]["completion_ids"] for at in (3, 0, 1, 2)]


def test_as_a_job_stopped_and_killed_it_ends_as_if_nothing_had_happened(
    parent: tuple[TrainPlan, Path], tmp_path: Path
) -> None:
    plan = preference_plan(tmp_path, "dpo", parent, epochs=5)
    whole = train(plan, tmp_path / "whole", SILENT)
    run_dir = tmp_path / "run"
    job = start(tmp_path / "jobs", STAGE, ENTRY, TrainParams(plan=plan, run_dir=str(run_dir), save_every_s=0))
    until(lambda: saved(job) >= 3, job)
    job.stop()
    assert job.wait(60).state == "stopped", job.log_tail()
    half = read_run(run_dir)
    assert half and half.finished and half.finished.stopped and half.finished.steps < plan.steps
    newest = newest_checkpoint(run_dir / CHECKPOINTS)
    assert newest and not (newest[0] / REFERENCE).exists(), "else the adapter that is trained would not be loaded"
    resume(job)
    until(lambda: saved(job) >= half.finished.steps + 3, job)  # type: ignore[union-attr]
    job.kill()
    assert job.wait(20).state == "dead"
    resume(job)
    assert job.wait(90).state == "finished", job.log_tail()
    finished = TrainFinished.model_validate(job.events()[0][-1].data)
    assert finished.loss == whole.loss and finished.weights_after == whole.weights_after
    expected, got = weights(tmp_path / "whole" / ADAPTER), weights(run_dir / ADAPTER)
    assert all(torch.equal(expected[name], got[name]) for name in expected)


def test_kto_that_was_stopped_twice_ends_as_if_nothing_had_happened(
    parent: tuple[TrainPlan, Path], tmp_path: Path
) -> None:
    plan = preference_plan(tmp_path, "kto", parent, epochs=2)
    whole = train(plan, tmp_path / "whole", SILENT)
    for saves in (1, 2):
        assert train(plan, tmp_path / "cut", Heard(stop_after=saves).control(save_every_s=0)).stopped
    finished = train(plan, tmp_path / "cut", Heard().control())
    assert finished.loss == whole.loss and finished.weights_after == whole.weights_after
