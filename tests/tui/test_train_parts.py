"""The training screen's values: the fold of a job's events, and the curve."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from pydantic import BaseModel

from studio.jobs.record import Event
from studio.machine.gpu import GpuAwaited
from studio.train.types import CheckpointSaved, Recipe, StepLogged, TrainFinished, TrainStarted
from studio.tui.live.progress import fold_chat, fold_train
from studio.tui.screens.train.curve import axis, laid_out
from studio.tui.screens.train.plan import epochs
from studio.tui.screens.train.runs import saved_line


def told(value: BaseModel) -> Event:
    data = value.model_dump(mode="json")
    return Event(at=datetime.now(UTC), kind=data["kind"], data=data)


def started(resumed_from: int = 0, note: str = "") -> Event:
    return told(
        TrainStarted(
            run_id="run",
            device="CPU",
            backend="peft",
            steps=10,
            resumed_from=resumed_from,
            trainable_parameters=1,
            total_parameters=2,
            note=note,
        )
    )


def step(number: int, loss: float) -> Event:
    return told(StepLogged(step=number, steps=10, loss=loss, learning_rate=1e-3, epoch=1, rate=2, eta_s=3))


def halted(step: int) -> Event:
    finished = TrainFinished(
        run_id="run", steps=step, loss=2.0, seconds=1, adapter_path="x", adapter_mb=1, stopped=True
    )
    return told(finished)


def test_a_resumed_run_drops_the_steps_that_were_lost() -> None:
    first = fold_train(
        None, [started(), step(1, 4.0), step(2, 3.0), told(CheckpointSaved(step=2, path="x")), step(3, 2.0)]
    )
    assert first.points == ((1, 4.0), (2, 3.0), (3, 2.0)) and first.saved == 2
    second = fold_train(first, [started(resumed_from=2), step(3, 2.5)])
    assert second.points == ((1, 4.0), (2, 3.0), (3, 2.5))
    assert second.brief == "3/10 loss 2.50 ETA 3 s"


def test_who_has_the_gpu_is_told_until_it_is_free() -> None:
    waits = GpuAwaited(text="waiting for the GPU: serving for wren (pid 7) has it")
    train, chat = fold_train(None, [told(waits)]), fold_chat(None, [told(waits)])
    assert train.brief == chat.brief == "waiting for the GPU" and train.awaited == chat.awaited == waits.text
    has_it = [told(GpuAwaited(text=""))]
    assert fold_train(train, has_it).brief == fold_chat(chat, has_it).brief == "loading"


def test_a_run_that_goes_on_counts_from_where_it_was_saved() -> None:
    assert fold_train(None, [started(resumed_from=6)]).brief == "6/10"
    assert fold_train(None, [started(), step(7, 2.0), halted(7)]).brief == "7/10"


def test_what_turned_out_otherwise_is_told_beside_what_is_saved() -> None:
    plain, noted = fold_train(None, [started()]), fold_train(None, [started(note="left out: 3")])
    assert plain.started and "weights" in saved_line(plain, plain.started).plain
    assert noted.started and saved_line(noted, noted.started).plain == "not saved yet  left out: 3"


@pytest.mark.parametrize(("passes", "said"), [(1, "1 epoch"), (2.5, "2.5 epochs"), (4, "4 epochs")])
def test_one_pass_over_the_data_is_one_epoch(passes: float, said: str) -> None:
    assert epochs(Recipe(epochs=passes)) == said


def test_the_curve_reaches_as_far_as_the_run_has_come() -> None:
    points = [(number, float(number)) for number in range(1, 51)]
    assert len(laid_out(points, 100, 80)) == 40
    assert len(laid_out(points, 50, 80)) == 80


def test_few_points_are_joined_by_straight_lines() -> None:
    drawn = laid_out([(1, 10.0), (11, 0.0)], 11, 11)
    assert drawn == pytest.approx([10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0])


def test_many_points_are_drawn_as_means() -> None:
    points = [(number, float(number % 2)) for number in range(1, 1001)]
    assert laid_out(points, 1000, 10) == pytest.approx([0.5] * 10)


def test_no_point_is_lost_at_the_end() -> None:
    assert laid_out([(1, 1.0), (7, 5.0)], 100, 10) == [3.0]


def test_the_axis_is_as_wide_as_the_chart() -> None:
    assert axis(480, 78).cell_length == 78
    assert axis(480, 78).plain.split() == ["loss", "1", "240", "step", "480"]
    assert axis(480, 12).plain == ""
