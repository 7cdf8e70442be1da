"""What lies beside a spec, counted."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.spec import LoadedSpec, labels_tally, load, recorded_tally
from tests.spec.helpers import MINIMAL

SPEC = (
    MINIMAL
    + "    holdout: false\n  kept: {holdout: true, items: ['Wave at [the whale].']}\n"
    + "beside: {recorded: talks.jsonl, labels: scores.jsonl}\n"
)


def talk(*said: str, **more: Any) -> str:
    turns = [{"role": ("user", "assistant")[number % 2], "content": text} for number, text in enumerate(said)]
    return json.dumps({"messages": turns, **more})


def loaded(folder: Path, talks: list[str], scores: list[str] | None = None) -> LoadedSpec:
    (folder / "spec.yaml").write_text(SPEC, encoding="utf-8")
    (folder / "talks.jsonl").write_text("\n".join(talks), encoding="utf-8")
    (folder / "scores.jsonl").write_text("\n".join(scores or []), encoding="utf-8")
    return load(folder / "spec.yaml")


def test_recorded_conversations_are_counted_by_scenario(tmp_path: Path) -> None:
    talks = [talk("Hi", "Hello", scenario="Say hello"), "", talk("Ho", "Hello", scenario=" Say hello ")]
    tally = recorded_tally(loaded(tmp_path, [*talks, talk("x", "y", scenario="Wave at [the whale].")]))
    assert tally is not None
    assert (tally.rows, tally.of, tally.unknown, tally.unreadable) == (3, {"Say hello": 2}, 1, 0)
    assert tally.notes == ("talks.jsonl: of a scenario or a trait that the spec does not train on: 1",)


def test_a_recorded_conversation_that_says_a_held_out_probe_is_counted(tmp_path: Path) -> None:
    talks = [
        talk("wave at the whale!", "Hello", scenario="Say hello"),
        talk("Hi", "Hello", "WAVE AT THE WHALE", "Aye", scenario="Say hello"),
        talk("Hi", "Wave at the whale.", scenario="Say hello"),
        talk("Wave at the whales", "No", scenario="Say hello"),
    ]
    tally = recorded_tally(loaded(tmp_path, talks))
    assert tally is not None and tally.held_out == 2
    assert tally.notes == ("talks.jsonl: conversations that say a held-out probe, which are never played back: 2",)


@pytest.mark.parametrize(
    "line",
    ["{", "[]", "7", '{"messages": 7}', '{"messages": []}', '{"messages": [{"role": "user"}], "scenario": "Say hello"}',
     '{"messages": [{"role": "user", "content": "x"}], "scenario": 7}', "[" * 100_000],
)  # fmt: skip
def test_a_line_that_is_no_conversation_is_counted_and_stops_nothing(tmp_path: Path, line: str) -> None:
    tally = recorded_tally(loaded(tmp_path, [line, talk("Hi", "Hello", scenario="Say hello")]))
    assert tally is not None
    assert (tally.rows, tally.unreadable) == (1, 1)


def test_labels_are_counted_by_trait(tmp_path: Path) -> None:
    scores = [talk("Hi", "Hello", labels={"small": 2}), talk("Hi", "Hello", labels={"small": 0, "big": 1}), talk("Hi")]
    tally = labels_tally(loaded(tmp_path, [], scores))
    assert tally is not None
    assert (tally.rows, tally.of, tally.unknown, tally.unreadable) == (2, {"small": 2}, 1, 1)


def test_a_file_that_is_no_text_is_told_and_one_that_is_not_named_is_none(tmp_path: Path) -> None:
    spec = loaded(tmp_path, [])
    (tmp_path / "scores.jsonl").write_bytes(b"\xff")
    tally = labels_tally(spec)
    assert tally is not None and tally.notes == ("scores.jsonl: expected UTF-8 text, found the byte 0xff",)
    (tmp_path / "spec.yaml").write_text(MINIMAL, encoding="utf-8")
    assert recorded_tally(load(tmp_path / "spec.yaml")) is None
