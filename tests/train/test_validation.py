"""Validation while a run trains: losses, the best adapter kept, an early stop, samples; and memory that runs out."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from studio.chatml import Message, assistant, user
from studio.errors import UserError
from studio.train.run import ADAPTER, WEIGHTS, Sample, StepMetrics, read_metrics, read_samples
from studio.train.types import (
    ALL_LINEAR,
    MicroBatchHalved,
    Recipe,
    Sampled,
    StepLogged,
    TrainEvent,
    TrainFinished,
    TrainPlan,
    TrainStarted,
)
from studio.train.worker import validation
from studio.train.worker.encoding import IGNORED, Encoder, encode_all
from studio.train.worker.loading import load
from studio.train.worker.placement import Placement
from studio.train.worker.progress import Control
from studio.train.worker.run import train
from studio.train.worker.trainer import LeanTrainer
from studio.train.worker.validation import Validator, points, rows_of_a_validation
from tests.train.making import conversations, make_plan, two_turns, write_data

CPU = Placement("cpu", torch.float32)


def validated(folder: Path, count: int = 24, rows: list[tuple[Message, ...]] | None = None, **recipe: Any) -> TrainPlan:
    """A plan with a validation side: by default of the same kind as what is learned."""
    plan = make_plan(folder, count, **recipe)
    held_back = rows if rows is not None else conversations(6, seed=9)
    path = write_data(folder / "validation.jsonl", held_back)
    return plan.model_copy(update={"validation_path": str(path), "validation_examples": len(held_back)})


def ran(plan: TrainPlan, run_dir: Path) -> tuple[list[TrainEvent], TrainFinished]:
    heard: list[TrainEvent] = []
    finished = train(plan, run_dir, Control(heard.append))
    return heard, finished


def unlike() -> list[tuple[Message, ...]]:
    """Replies that become less likely the more is learned."""
    return [(user("Add buy milk."), assistant("zq xv wk jj qq")) for _ in range(3)]


def test_points_are_evenly_spread_and_end_with_the_run() -> None:
    assert sorted(points(54, Recipe(validations=4))) == [14, 27, 41, 54]
    assert sorted(points(2, Recipe(validations=4))) == [1, 2]
    assert points(9, Recipe(validations=0)) == frozenset()
    assert rows_of_a_validation(5, 1000, Recipe()) == 5
    assert rows_of_a_validation(500, 216, Recipe(epochs=2)) == 16, "little beside what is trained"
    assert rows_of_a_validation(500, 5000, Recipe(epochs=3)) == 300


def test_the_loss_of_what_is_not_learned_is_told_beside_that_of_what_is(tmp_path: Path) -> None:
    plan = validated(tmp_path, validations=3)
    heard, finished = ran(plan, tmp_path / "run")
    assert isinstance(heard[0], TrainStarted) and heard[0].validation_examples == 6
    found = {one.step: one.validation_loss for one in read_metrics(tmp_path / "run") if one.validation_loss is not None}
    assert list(found) == [2, 4, 6] and found[6] < found[2]
    told = {one.step: one.validation_loss for one in heard if isinstance(one, StepLogged) and one.validation_loss}
    assert told == found
    assert (finished.best_step, finished.validation_loss) == (6, found[6]) and finished.note == ""
    assert not list((tmp_path / "run").glob("best-*"))
    model = PeftModel.from_pretrained(
        AutoModelForCausalLM.from_pretrained(plan.base_path, dtype=torch.float32), tmp_path / "run" / ADAPTER
    )
    encoder = Encoder(load(plan.base_path, plan.recipe, CPU).tokenizer, 256)
    data, _ = encode_all(encoder, conversations(6, seed=9))
    losses, weights = [], []
    for one in data:
        with torch.no_grad():
            ids, labels = torch.tensor([one.input_ids]), torch.tensor([one.labels])
            losses.append(float(model(input_ids=ids, labels=labels).loss))
        weights.append(one.taught)
    mean = sum(loss * weight for loss, weight in zip(losses, weights, strict=True)) / sum(weights)
    assert found[6] == pytest.approx(mean, rel=5e-3), "but for 16 bits"


def test_validating_changes_nothing_of_what_is_learned(tmp_path: Path) -> None:
    plan = validated(tmp_path)
    ran(plan, tmp_path / "with")
    ran(plan.model_copy(update={"validation_path": ""}), tmp_path / "without")
    one, other = (load_file(tmp_path / name / ADAPTER / WEIGHTS) for name in ("with", "without"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_the_best_adapter_is_kept_and_a_run_without_progress_ends_early(tmp_path: Path) -> None:
    plan = validated(tmp_path, rows=unlike(), validations=6, patience=2, learning_rate=2e-2)
    _, finished = ran(plan, tmp_path / "run")
    losses = {one.step: one.validation_loss for one in read_metrics(tmp_path / "run")}
    best = min(losses, key=lambda step: losses[step] or math.inf)
    assert finished.best_step == best < finished.steps == best + 2 < plan.steps and not finished.stopped
    assert f"stopped at step {finished.steps} of {plan.steps}: no lower validation loss in 2" in finished.note
    assert f"the adapter is that of step {best} of {finished.steps}" in finished.note

    def stop_there() -> bool:
        return any(isinstance(one, StepLogged) and one.step == best for one in until_best)

    until_best: list[TrainEvent] = []
    half = train(plan, tmp_path / "half", Control(until_best.append, stop_there))
    if half.steps == best:  # it is asked after the step was told
        one, other = (load_file(tmp_path / name / ADAPTER / WEIGHTS) for name in ("run", "half"))
        assert all(torch.equal(one[name], other[name]) for name in one)


def test_a_stopped_run_goes_on_to_the_same_best_adapter(tmp_path: Path) -> None:
    plan = validated(tmp_path, rows=unlike(), validations=6, learning_rate=2e-2)
    _, whole = ran(plan, tmp_path / "whole")
    heard: list[TrainEvent] = []
    train(plan, tmp_path / "cut", Control(heard.append, lambda: len(heard) > 4, save_every_s=0))
    _, finished = ran(plan, tmp_path / "cut")
    assert (finished.best_step, finished.validation_loss) == (whole.best_step, whole.validation_loss)
    assert 0 < whole.best_step < whole.steps == plan.steps
    one, other = (load_file(tmp_path / name / ADAPTER / WEIGHTS) for name in ("whole", "cut"))
    assert all(torch.equal(one[name], other[name]) for name in one)


def test_patience_counts_validations_since_the_best(tmp_path: Path) -> None:
    steps = [
        StepMetrics(step=step, loss=1, learning_rate=0, epoch=0, seconds=0, validation_loss=loss)
        for step, loss in ((2, 1.0), (4, 0.8), (6, 0.9))
    ]
    validator = Validator(tmp_path, frozenset({2, 4, 6, 8}), steps, patience=2)
    assert (validator.best, validator.loss) == (4, 0.8)


def test_probes_are_answered_on_the_way_and_change_nothing(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, samples=2, validations=2).model_copy(update={"probes": ("Add buy milk.", "Hello?", "x")})
    heard, _ = ran(plan, tmp_path / "with")
    found = read_samples(tmp_path / "with")
    assert [(one.step, one.probe) for one in found] == [
        (step, probe) for step in (0, 3, 6) for probe in ("Add buy milk.", "Hello?")
    ]
    assert [one.step for one in heard if isinstance(one, Sampled)] == [0, 3, 6]
    assert found[0].reply != found[-2].reply
    ran(plan.model_copy(update={"probes": ()}), tmp_path / "without")
    one, other = (load_file(tmp_path / name / ADAPTER / WEIGHTS) for name in ("with", "without"))
    assert all(torch.equal(one[name], other[name]) for name in one)
    alone = validation.generated(load(plan.base_path, plan.recipe, CPU), ["Hello?"])
    assert alone == [found[1].reply], "padding of a batch changes nothing"
    assert isinstance(found[0], Sample)


def test_on_a_cpu_nothing_is_sampled_unasked(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, epochs=1).model_copy(update={"probes": ("Hello?",)})
    heard, _ = ran(plan, tmp_path / "run")
    assert not [one for one in heard if isinstance(one, Sampled)] and read_samples(tmp_path / "run") == []


def test_memory_that_runs_out_halves_the_micro_batch_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = make_plan(tmp_path)
    _, whole = ran(plan, tmp_path / "whole")
    step = LeanTrainer.training_step

    def bounded(self: Any, model: Any, inputs: Any, *more: Any, **named: Any) -> Any:
        if self.args.per_device_train_batch_size > 4 and self.state.global_step >= 2:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return step(self, model, inputs, *more, **named)

    monkeypatch.setattr(LeanTrainer, "training_step", bounded)
    heard: list[TrainEvent] = []
    finished = train(plan, tmp_path / "run", Control(heard.append, save_every_s=0))
    [told] = [one for one in heard if isinstance(one, MicroBatchHalved)]
    assert (told.micro_batch, told.step) == (4, 2) and finished.steps == plan.steps
    assert "out of memory at 8 examples at once, 4 since (the batch stays)" in finished.note
    assert [one.resumed_from for one in heard if isinstance(one, TrainStarted)] == [0, 2]
    expected, got = (load_file(tmp_path / name / ADAPTER / WEIGHTS) for name in ("whole", "run"))
    assert all(torch.allclose(expected[name].float(), got[name].float(), atol=2e-4) for name in expected)
    assert finished.loss == pytest.approx(whole.loss, rel=1e-4)


def test_memory_that_runs_out_again_ends_the_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []

    def never(self: Any, *_: Any, **__: Any) -> Any:
        tried.append(self.args.per_device_train_batch_size)
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(LeanTrainer, "training_step", never)
    with pytest.raises(UserError, match="micro_batch_size below 8"):
        ran(make_plan(tmp_path), tmp_path / "run")
    assert tried == [8, 4]


def test_a_reply_that_is_not_whole_within_the_length_is_not_learned(tmp_path: Path) -> None:
    tokenizer = load(make_plan(tmp_path).base_path, Recipe(), CPU).tokenizer
    whole = Encoder(tokenizer, 512).encode(two_turns())
    end = max(at for at, label in enumerate(whole.labels) if label != IGNORED)
    short = Encoder(tokenizer, end)
    assert short.encode(two_turns()).dropped == 0, "as serving and proofs have it"
    cut = short.encode(two_turns(), whole=True)
    said = tokenizer.decode([label for label in cut.labels if label != IGNORED])
    assert cut.dropped == 1 and said == "Great choice! It is on your list.<|im_end|>"
    assert Encoder(tokenizer, end + 1).encode(two_turns(), whole=True).dropped == 0
    plan = make_plan(tmp_path, max_length=end)
    rows = [*conversations(8), two_turns()]
    plan = plan.model_copy(update={"data_path": str(write_data(tmp_path / "more.jsonl", rows))})
    heard, finished = ran(plan, tmp_path / "run")
    assert isinstance(heard[0], TrainStarted) and heard[0].dropped_replies == 1 and finished.examples == 9
    assert finished.note == "replies over max_length that are not learned: 1"


def test_all_linear_layers_can_be_adapted(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, target_modules=ALL_LINEAR, epochs=1)
    heard, finished = ran(plan, tmp_path / "run")
    seven = load(plan.base_path, plan.recipe.model_copy(update={"target_modules": Recipe().target_modules}), CPU)
    assert isinstance(heard[0], TrainStarted) and heard[0].trainable_parameters == seven.parameters[0]
    assert heard[0].note == "" and finished.steps == 3
