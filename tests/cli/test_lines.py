"""What a stage's event comes to in one line."""

from __future__ import annotations

from datetime import UTC, datetime

from studio.cli.lines import progress_of
from studio.jobs.types import Event
from studio.train.types import TrainStarted


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
