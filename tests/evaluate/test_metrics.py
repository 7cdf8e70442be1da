"""Means, rates and their intervals."""

from __future__ import annotations

import pytest

from studio.evaluate.metrics import by_category, mean_interval, percentile, rate_interval, side_metrics, win_rate
from studio.judge.types import Comparison
from tests.evaluate.making import judgement, result


def test_a_mean_lies_inside_its_interval_and_the_interval_narrows_with_more_samples() -> None:
    few, many = mean_interval([0, 1, 2] * 4), mean_interval([0, 1, 2] * 40)
    assert few is not None and many is not None
    assert few.value == many.value == pytest.approx(1)
    assert few.low < 1 < few.high
    assert many.high - many.low < few.high - few.low


def test_the_interval_of_a_mean_is_that_of_95_of_100_samples() -> None:
    """For 400 draws the bootstrap agrees with the normal interval: 1.96 standard errors to each side."""
    found = mean_interval([0.0, 2.0] * 200)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((1 - 1.96 / 20, 1 + 1.96 / 20), abs=0.012)


def test_nothing_measured_has_no_mean_no_rate_and_no_percentile() -> None:
    assert mean_interval([]) is None
    assert rate_interval(0, 0) is None
    assert percentile([], 0.95) is None


def test_a_rate_has_the_interval_of_wilson() -> None:
    found = rate_interval(7, 10)
    assert found is not None
    assert (found.value, found.low, found.high) == pytest.approx((0.7, 0.3968, 0.8922), abs=1e-3)


def test_the_interval_of_no_successes_begins_at_zero_and_does_not_end_there() -> None:
    found = rate_interval(0, 30)
    assert found is not None and found.low == 0 and 0.05 < found.high < 0.2


def test_the_95th_percentile_is_the_nearest_rank() -> None:
    assert percentile([float(number) for number in range(1, 101)], 0.95) == 95
    assert percentile([3.0], 0.95) == 3.0


def test_replies_that_could_not_be_judged_are_errors_and_not_zeroes() -> None:
    good, unread = judgement(2, 2), judgement(verdict="error")
    metrics = side_metrics([result("a", good, good), result("b", good, unread)], "tuned")
    assert metrics.errors == 1
    assert metrics.overall is not None and (metrics.overall.value, metrics.overall.n) == (10, 1)


def test_only_boundaries_count_as_violations() -> None:
    crossing, clean = judgement(1, boundary=True), judgement(1)
    metrics = side_metrics([result("a", clean, crossing), result("b", clean, clean)], "tuned")
    assert metrics.violations is not None and metrics.violations.value == 0.5


def test_latency_is_that_of_the_timed_replies_alone() -> None:
    one = judgement(1)
    rows = [result("a", one, one, seconds=(1.0, 2.0)), result("b", one, one)]
    assert side_metrics(rows, "tuned").latency_s == 2.0
    assert side_metrics(rows, "base").latency_s == 1.0


def test_what_was_kept_counts_only_where_there_was_something_to_keep() -> None:
    one = judgement(1)
    rows = [result("a", one, one, kept=(True, True)), result("b", one, one, kept=(False, True)), result("c", one, one)]
    kept = side_metrics(rows, "base").kept
    assert kept is not None and (kept.value, kept.n) == (0.5, 2)


def test_a_tie_is_half_a_win_and_a_failed_comparison_none() -> None:
    one = judgement(1)
    tie = Comparison(winner="tie", orders=("first", "first"))
    failed = Comparison(winner="tie", orders=("tie", "tie"), error="no answer")
    won = win_rate([result("a", one, one), result("b", one, one, tie), result("c", one, one, failed)])
    assert won is not None and (won.value, won.n) == (0.75, 2)


def test_categories_are_told_apart() -> None:
    rows = [
        result("a", judgement(0), judgement(2), category="x"),
        result("b", judgement(1), judgement(1), category="y"),
    ]
    assert by_category(rows) == {"x": {"base": 0.0, "tuned": 10.0}, "y": {"base": 5.0, "tuned": 5.0}}
