"""A run: what it leaves, what it tells, and that interruptions do not change what comes out."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

from studio.errors import UserError
from studio.train.run import ADAPTER, CHECKPOINTS, StepMetrics, read_metrics
from studio.train.types import CheckpointSaved, StepLogged, TrainEvent, TrainPlan, TrainStarted
from studio.train.worker import trainer
from studio.train.worker.progress import Control, last_epoch_loss
from studio.train.worker.run import explained, newest_checkpoint, train
from tests.train.making import make_plan


class Heard(list[TrainEvent]):
    """Events as they come; asks to stop after so many logged steps."""

    def __init__(self, stop_after: int | None = None) -> None:
        super().__init__()
        self._stop_after = stop_after

    def control(self, save_every_s: float = 1000) -> Control:
        return Control(self.append, self._enough, save_every_s)

    @property
    def steps(self) -> list[int]:
        return [one.step for one in self if isinstance(one, StepLogged)]

    def _enough(self) -> bool:
        saved = sum(isinstance(one, CheckpointSaved) for one in self)
        return self._stop_after is not None and saved >= self._stop_after


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> TrainPlan:
    return make_plan(tmp_path_factory.mktemp("plan"))


@pytest.fixture(scope="module")
def whole(plan: TrainPlan, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Heard]:
    """A run that was left in peace."""
    run_dir, heard = tmp_path_factory.mktemp("whole"), Heard()
    heard.append(train(plan, run_dir, heard.control()))
    return run_dir, heard


def weights(run_dir: Path) -> dict[str, torch.Tensor]:
    return load_file(run_dir / ADAPTER / "adapter_model.safetensors")


def test_a_run_leaves_an_adapter_that_loads_and_changes_the_base(whole: tuple[Path, Heard], plan: TrainPlan) -> None:
    base = AutoModelForCausalLM.from_pretrained(plan.base_path, dtype=torch.float32)
    ids = torch.tensor([[1, 2, 3, 4]])
    before = base(input_ids=ids).logits
    tuned = PeftModel.from_pretrained(base, whole[0] / ADAPTER)
    assert not torch.equal(tuned(input_ids=ids).logits, before)
    assert (whole[0] / ADAPTER / "tokenizer.json").exists()


def test_every_step_is_recorded_and_the_last_is_told(whole: tuple[Path, Heard], plan: TrainPlan) -> None:
    run_dir, heard = whole
    metrics = read_metrics(run_dir)
    assert [one.step for one in metrics] == list(range(1, plan.steps + 1))
    assert isinstance(heard[0], TrainStarted) and heard[0].steps == plan.steps
    assert heard.steps[-1] == plan.steps
    assert metrics[-1].loss < metrics[0].loss
    assert heard[-1].loss == pytest.approx(sum(one.loss for one in metrics[3:]) / 3)  # type: ignore[union-attr]


def test_the_pace_is_told_once_it_is_known_and_not_from_a_first_step_that_warms_up(whole: tuple[Path, Heard]) -> None:
    first, *_, last = [one for one in whole[1] if isinstance(one, StepLogged)]
    assert (first.rate, first.eta_s) == (None, None)
    assert last.rate and last.eta_s == 0


def test_a_stopped_run_goes_on_to_the_very_same_result(
    whole: tuple[Path, Heard], plan: TrainPlan, tmp_path: Path
) -> None:
    stopped = train(plan, tmp_path, Heard(stop_after=2).control(save_every_s=0))
    assert stopped.stopped and 0 < stopped.steps < plan.steps
    heard = Heard()
    finished = train(plan, tmp_path, heard.control())
    assert isinstance(heard[0], TrainStarted) and heard[0].resumed_from == stopped.steps
    assert not finished.stopped and finished.loss == whole[1][-1].loss  # type: ignore[union-attr]
    expected, got = weights(whole[0]), weights(tmp_path)
    assert all(torch.equal(expected[name], got[name]) for name in expected)


def test_with_padding_too_a_stopped_run_goes_on_to_the_very_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer, "PADDING_FREE_TOKENS", 0)
    plan = make_plan(tmp_path / "plan", count=40, epochs=3, dropout=0.1)
    whole = train(plan, tmp_path / "whole", Heard().control())
    for saves, step in ((2, 3), (1, 5), (2, 8)):  # within the first epoch of five steps, at its end, in the second
        stopped = train(plan, tmp_path / "cut", Heard(stop_after=saves).control(save_every_s=0))
        assert stopped.stopped and stopped.steps == step
    assert train(plan, tmp_path / "cut", Heard().control()).loss == whole.loss
    expected, got = weights(tmp_path / "whole"), weights(tmp_path / "cut")
    assert all(torch.equal(expected[name], got[name]) for name in expected)


def test_smaller_micro_batches_come_to_the_same_adapter(
    whole: tuple[Path, Heard], plan: TrainPlan, tmp_path: Path
) -> None:
    stopped = train(plan, tmp_path, Heard(stop_after=1).control(save_every_s=0))
    sparing = plan.model_copy(update={"recipe": plan.recipe.model_copy(update={"micro_batch_size": 2})})
    heard = Heard()
    train(sparing, tmp_path, heard.control())
    assert isinstance(heard[0], TrainStarted) and heard[0].resumed_from == stopped.steps
    expected, got = weights(whole[0]), weights(tmp_path)
    assert all(torch.allclose(expected[name], got[name], atol=1e-4) for name in expected)


def test_a_checkpoint_that_was_not_finished_is_passed_over(tmp_path: Path) -> None:
    for step, state in ((3, json.dumps({"global_step": 3})), (6, '{"global_st'), (9, None)):
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        if state is not None:
            (folder / "trainer_state.json").write_text(state)
    assert newest_checkpoint(tmp_path) == (tmp_path / "checkpoint-3", 3)
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]


def test_at_most_two_checkpoints_are_kept(plan: TrainPlan, tmp_path: Path) -> None:
    heard = Heard()
    train(plan, tmp_path, heard.control(save_every_s=0))
    assert sum(isinstance(one, CheckpointSaved) for one in heard) == plan.steps - 1
    assert len(list((tmp_path / CHECKPOINTS).glob("checkpoint-*"))) == 2


@pytest.mark.parametrize("error", [torch.OutOfMemoryError("CUDA"), RuntimeError("DefaultCPUAllocator: can't allocate")])
def test_running_out_of_memory_says_what_to_lower(plan: TrainPlan, error: RuntimeError) -> None:
    remedy = r"train again with micro_batch_size below 8.*qlora.*max_length below 256"
    with pytest.raises(UserError, match=remedy), explained(plan):
        raise error


def test_a_loss_that_is_no_number_ends_the_run_with_a_remedy(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, learning_rate=1e38, warmup_ratio=0)
    with pytest.raises(UserError, match="lower learning rate"):
        train(plan, tmp_path, Heard().control())


def test_bad_data_is_named_by_its_line(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    data = Path(plan.data_path)
    data.write_text(data.read_text() + '{"messages": [{"role": "king"}]}\n')
    with pytest.raises(UserError, match=r"export\.jsonl:25"):
        train(plan, tmp_path, Heard().control())


def test_the_loss_of_a_run_is_the_mean_over_its_last_epoch() -> None:
    steps = [
        StepMetrics(step=step, loss=step, learning_rate=0, epoch=step / 2, seconds=step)  # two steps an epoch
        for step in (1, 2, 3, 4)
    ]
    assert last_epoch_loss(steps) == 3.5
    assert last_epoch_loss(steps[:1]) == 1
