"""What a stage tells in one line, and that the rows of a build fit a terminal of any width."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import pytest
from rich.cells import cell_len
from rich.console import Console

from studio.build import StageBegan, StageEnded, StageTold
from studio.cli.display import SPARE, Rows, fitted, progress_of
from studio.generate.types import GenerateProgressed
from studio.jobs.record import Event
from studio.llm import Waiting
from studio.train.types import MicroBatchHalved, Rewards, StepLogged, TrainStarted

PATH = "/home/ada/projects/personas/workspace/harbour-pilot/exports/accepted-0123456789ab.jsonl"


def drawn(width: int) -> list[str]:
    """The rows of a build in the middle of its training."""
    console = Console(file=io.StringIO(), width=width, force_terminal=False, color_system=None)
    rows = Rows()
    step = {"step": 45, "steps": 90, "loss": 1.234, "learning_rate": 1e-3, "epoch": 1, "rate": 3.4, "eta_s": 75.0}
    rows.tell(StageEnded(stage="spec", note="Harbour: 5 traits, 9 categories"))
    rows.tell(StageBegan(stage="generate"))
    rows.tell(StageEnded(stage="generate", note="360 accepted"))
    rows.tell(StageBegan(stage="triage"))
    rows.tell(StageEnded(stage="triage", note=f"360 exported, 36 sampled for review -> {PATH}"))
    rows.tell(StageBegan(stage="train", note="90 steps on smollm2"))
    rows.tell(StageTold(stage="train", event=Event(at=datetime.now(UTC), kind="step_logged", data=step)))
    with console.capture() as shown:
        console.print(rows)
    return [row.rstrip() for row in shown.get().splitlines()]


@pytest.mark.parametrize("width", [40, 80, 160])
def test_every_stage_has_one_row_that_leaves_room_for_a_control_c(width: int) -> None:
    rows = drawn(width)
    assert [row.split()[0] for row in rows] == ["spec", "generate", "triage", "train"]
    assert all(cell_len(row) <= width - SPARE for row in rows)
    assert all("━" in row and "%" in row for row in rows)


def test_a_row_at_80_columns_says_how_far_it_is_and_how_long_it_will_take() -> None:
    train = drawn(80)[-1]
    assert " 50% " in train and "step 45/90 · 1m15s left · loss 1.234" in train


def test_a_stage_that_had_something_to_do_keeps_its_time_and_another_has_none() -> None:
    spec, generate, *_ = drawn(80)
    assert "100%     0s 360 accepted" in generate
    assert "100%        Harbour" in spec


@pytest.mark.parametrize(
    ("text", "room", "told"),
    [
        ("360 accepted", 12, "360 accepted"),
        ("360 accepted", 8, "360 acc…"),
        (f"36 for review -> {PATH}", 60, "36 for review -> /home/ada/proj…/accepted-0123456789ab.jsonl"),
        (f"36 for review -> {PATH}", 30, "36 for review -> /home/ada/pr…"),
        ("港のパイロット", 8, "港のパ…"),
    ],
)
def test_a_note_is_cut_in_the_middle_of_its_path_or_at_its_end(text: str, room: int, told: str) -> None:
    assert fitted(text, room) == told and cell_len(told) <= room


def test_what_turned_out_otherwise_in_training_is_told_when_it_starts() -> None:
    started = TrainStarted(
        run_id="run",
        device="CPU",
        backend="peft",
        steps=10,
        trainable_parameters=80_000,
        total_parameters=4_300_000,
        note="left out, no reply within max_length: 3",
    )
    told = progress_of(Event(at=datetime.now(UTC), kind=started.kind, data=started.model_dump(mode="json")))
    assert told and told.text == "peft on CPU, 0.1M of 4.3M parameters · left out, no reply within max_length: 3"


def test_a_step_tells_what_is_held_back_and_how_far_apart_replies_are_and_a_smaller_micro_batch_is_told() -> None:
    step = StepLogged(
        step=5, steps=10, loss=0.61, learning_rate=1e-5, epoch=1, validation_loss=0.7, rewards=Rewards(margin=0.25)
    )
    fewer = MicroBatchHalved(micro_batch=4, step=5)
    told = [progress_of(Event(at=datetime.now(UTC), kind=one.kind, data=one.model_dump())) for one in (step, fewer)]
    assert [one.text for one in told if one] == [
        "step  5/10 · loss 0.610 · held back 0.700 · margin 0.25",
        "out of memory: going on from step 5 with 4 examples at once",
    ]


def test_what_generating_waits_for_is_told_first() -> None:
    now = GenerateProgressed(
        targets=(), generated=0, accepted=0, rejected=0, errors=0, rate=0, eta_s=None, cost_usd=0, reasons={}
    )
    since = datetime.now(UTC) - timedelta(minutes=3, seconds=1)
    for held_up, said in (
        ({"waiting": Waiting(reason="server", since=since)}, "waiting for the server, 3 min · 0/0 accepted"),
        ({"stopping": True, "under_way": 1}, "stopping, 1 answer awaited · 0/0 accepted"),
        ({}, "0/0 accepted"),
    ):
        data = now.model_copy(update=held_up).model_dump(mode="json")
        told = progress_of(Event(at=datetime.now(UTC), kind=now.kind, data=data))
        assert told and told.text.startswith(said)
