"""Training as a job: stopped, killed and gone on with, it comes to the very same result."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import torch
from safetensors.torch import load_file

from studio.chatml import assistant, user
from studio.jobs import Job, resume, start
from studio.train.run import ADAPTER, DATA_FILE, ENTRY, STAGE, WEIGHTS, read_metrics, read_run
from studio.train.types import TrainEvent, TrainFinished, TrainParams, TrainPlan, TrainStarted
from studio.train.worker.data import read_conversations
from studio.train.worker.progress import Control
from studio.train.worker.run import train
from tests.train.making import make_plan, write_data


def until(condition: Callable[[], bool], job: Job, seconds: float = 90) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert job.alive and time.monotonic() < ends, job.log_tail()
        time.sleep(0.01)


def saved(job: Job) -> int:
    """The step of the newest checkpoint that was told of."""
    return max((event.data["step"] for event in job.events()[0] if event.kind == "checkpoint_saved"), default=0)


def with_a_useless_one(plan: TrainPlan) -> TrainPlan:
    """The same with one conversation more, whose reply lies beyond ``max_length``."""
    long = (user("word " * plan.recipe.max_length), assistant("Yes."))
    data = Path(plan.data_path)
    more = write_data(data.with_name("more.jsonl"), [*read_conversations(data), long])
    return plan.on(plan.examples + 1).model_copy(update={"data_path": str(more)})


def test_a_run_that_was_stopped_and_killed_ends_as_if_nothing_had_happened(tmp_path: Path) -> None:
    plan = with_a_useless_one(make_plan(tmp_path, epochs=8))
    whole = train(plan, tmp_path / "whole", Control(lambda event: None))
    run_dir = tmp_path / "run"
    job = start(tmp_path / "jobs", STAGE, ENTRY, TrainParams(plan=plan, run_dir=str(run_dir), save_every_s=0))

    until(lambda: saved(job) >= 3, job)
    job.stop()
    assert job.wait(60).state == "stopped", job.log_tail()
    half = read_run(run_dir)
    assert half and half.finished and half.finished.stopped and 3 <= half.finished.steps < plan.steps
    here = plan.on(24).model_copy(update={"data_path": str(run_dir / DATA_FILE)})
    assert half.job_id == job.id and half.plan == here, "what was left out is not counted"
    assert TrainFinished.model_validate(job.events()[0][-1].data) == half.finished

    resume(job)
    target = half.finished.steps + 3
    until(lambda: saved(job) >= target, job)
    job.kill()
    assert job.wait(20).state == "dead"

    heard: list[TrainEvent] = []
    finished = train(plan, run_dir, Control(heard.append))
    assert isinstance(heard[0], TrainStarted) and heard[0].resumed_from >= target
    assert heard[0].note == finished.note == "left out, no reply within max_length: 1" and finished.examples == 24
    assert not finished.stopped and finished.loss == whole.loss
    assert [one.step for one in read_metrics(run_dir)] == list(range(1, plan.on(24).steps + 1))
    expected, got = load_file(tmp_path / "whole" / ADAPTER / WEIGHTS), load_file(run_dir / ADAPTER / WEIGHTS)
    assert all(torch.equal(expected[name], got[name]) for name in expected)
