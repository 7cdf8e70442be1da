"""A gate is told with its bound and in its own unit, and never looks decided otherwise than it is."""

from __future__ import annotations

import pytest

from studio.evaluate.gate_text import bound, judge_text, label, measured, number, shown_text, source_text, span
from studio.evaluate.metrics import Labels
from studio.evaluate.report import restate
from studio.evaluate.types import Gate, GateStatus, Shown
from studio.judge.types import JudgeInfo
from tests.evaluate.making import GOOD, evaluation, results, vote
from tests.evaluate.making import label as labelled


def gate(name: str, target: float, value: float | None, status: GateStatus = "PASS") -> Gate:
    return Gate(name=name, target=target, value=value, status=status)


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (gate("overall", 7.5, 7.61), "7.61 >= 7.5"),
        (gate("trait:calm", 1.5, 1.6), "1.60 >= 1.5"),
        (gate("violations", 0.0, 0.0), "0% <= 0%"),
        (gate("win_rate", 0.7, 0.796), "80% >= 70%"),
        (gate("win_rate", 0.725, 0.8), "80% >= 72.5%"),
        (gate("train_loss", 0.6, 4.94, "FAIL"), "4.94 <= 0.6"),
        (gate("adapter_mb", 50, 1.272), "1.27 MB <= 50 MB"),
        (gate("latency_s", 2, 0.767), "0.77 s <= 2 s"),
        (gate("examples", 200, 48.0, "FAIL"), "48 >= 200"),
        (gate("overall", 7.5, None, "UNDECIDED"), "- >= 7.5"),
    ],
)
def test_a_value_and_its_target_are_told_in_the_unit_of_the_gate(found: Gate, told: str) -> None:
    assert f"{measured(found)} {bound(found)}" == told


@pytest.mark.parametrize(
    ("found", "told"),
    [
        (gate("overall", 7.5, 7.4961, "FAIL"), "7.496"),
        (gate("violations", 0.0, 0.004, "FAIL"), "0.4%"),
        (gate("win_rate", 0.7, 0.6951, "FAIL"), "69.5%"),
        (gate("train_loss", 0.4, 0.4004, "FAIL"), "0.4004"),
        (gate("latency_s", 2.001, 2.0, "PASS"), "2.00 s"),
        (gate("overall", 7.5, 7.49999999, "FAIL"), "7.500000"),
    ],
)
def test_a_value_near_its_target_is_told_with_the_digits_that_part_them(found: Gate, told: str) -> None:
    assert measured(found) == told


def test_a_gate_is_named_as_people_say_it() -> None:
    assert [label(name) for name in ("trait:action_oriented", "adapter_mb", "win_rate")] == [
        "action oriented",
        "adapter MB",
        "win rate",
    ]


def test_a_gate_that_was_kept_without_its_bound_still_has_it() -> None:
    kept = {"name": "train_loss", "target": 0.4, "value": 0.5, "status": "FAIL"}
    read = Gate.model_validate(kept)
    assert read.bound == "<=" and Gate.model_validate(read.model_dump()) == read
    assert gate("overall", 7.5, 8.0).bound == ">="


def test_an_interval_is_told_in_the_unit_of_what_is_measured() -> None:
    assert span("overall", 7, 8.351) == "7.00 to 8.35"
    assert span("win_rate", 0.69, 0.9) == "69% to 90%"


def test_what_decides_nothing_is_told_with_its_reason() -> None:
    assert shown_text(Shown(name="latency_s", value=7.2, note="on a stand-in")) == "latency s: 7.20 s (on a stand-in)"
    assert shown_text(Shown(name="train_loss", value=None)) == "train loss: not measured"


def test_a_judge_is_named_with_its_agreement() -> None:
    assert judge_text(GOOD) == "gpt-5-mini (agreement .70)"
    assert judge_text(JudgeInfo(name="gpt-5-mini")) == "gpt-5-mini (agreement not measured)"
    assert judge_text(JudgeInfo(name="unscored", kind="nobody")) == "nobody (traits are unscored)"
    assert [number(value) for value in (0.314, -0.05, 1.0)] == [".31", "-.05", "1.00"]


def test_people_are_named_before_the_judge_with_how_many_replies_they_read() -> None:
    rows = results(*[(1, 1)] * 4)
    labels = Labels.of([labelled(row, t0=1, t1=2) for row in rows[:3]], [vote(rows[0], "tie")])
    found = restate(evaluation(rows), labels)
    assert source_text(found) == "people: 3 of 4 tuned replies, 1 pairs; gpt-5-mini (agreement .70)"
