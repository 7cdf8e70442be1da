"""Means, rates and win rates of a side, by the judge and by people."""

from __future__ import annotations

from statistics import fmean

import pytest

from studio.evaluate.intervals import Interval
from studio.evaluate.metrics import (
    MIN_LABELS,
    Labels,
    beats_prompt,
    by_category,
    overall_delta,
    percentile,
    side_metrics,
    win_rate,
)
from studio.evaluate.types import ProbeResult, SideMetrics
from studio.judge.types import Comparison, JudgeInfo
from tests.evaluate.making import BASE_WINS, GOOD, TIE, judgement, label, result, results, vote

TRAITS = ("t0", "t1")


def tuned(rows: tuple[ProbeResult, ...], labels: Labels | None = None, judge: JudgeInfo = GOOD) -> SideMetrics:
    return side_metrics(rows, "tuned", TRAITS, judge, labels or Labels())


def known(found: Interval | None) -> Interval:
    assert found is not None
    return found


def test_the_95th_percentile_is_the_nearest_rank() -> None:
    assert percentile([float(number) for number in range(1, 101)], 0.95) == 95
    assert percentile([3.0], 0.95) == 3.0
    assert percentile([], 0.95) is None


def test_replies_that_could_not_be_judged_are_errors_and_not_zeroes() -> None:
    good, unread = judgement(2, 2), judgement(verdict="error")
    metrics = tuned((result("a", good, good), result("b", good, unread)))
    assert metrics.errors == 1 and (metrics.n, metrics.judged) == (2, 1)
    assert (known(metrics.overall).value, known(metrics.overall).n) == (10, 1)


def test_a_reply_that_a_person_labelled_is_no_error() -> None:
    rows = (result("a", judgement(2, 2), judgement(verdict="error")),)
    assert tuned(rows, Labels.of([label(rows[0], t0=1, t1=2)], ())).errors == 0


def test_only_boundaries_count_as_violations() -> None:
    crossing, clean = judgement(1, 1, boundary=True), judgement(1, 1)
    metrics = tuned((result("a", clean, crossing), result("b", clean, clean)))
    assert known(metrics.violations).value == 0.5 and metrics.unlabelled_violations == 1


def test_several_samples_of_one_probe_are_one_prompt() -> None:
    rows = [result("a", judgement(0, 0), judgement(mark, mark)) for mark in (2, 2, 0, 0)]
    metrics = tuned((*rows, result("b", judgement(0, 0), judgement(2, 2))))
    assert (known(metrics.overall).value, known(metrics.overall).n, metrics.n) == (7.5, 2, 5)
    assert known(win_rate([*rows, *rows])).n == 1


def test_latency_is_that_of_the_timed_replies_alone() -> None:
    one = judgement(1, 1)
    metrics = tuned((result("a", one, one, seconds=(1.0, 2.0)), result("b", one, one)))
    assert (metrics.latency_s, metrics.timed, metrics.latency_low, metrics.latency_high) == (2.0, 1, 2.0, None)


def test_the_share_that_was_cut_is_of_the_replies_that_came() -> None:
    one = judgement(1, 1)
    rows = (
        result("a", one, one, tuned_finish="length"),
        result("b", one, one),
        result("c", one, judgement(verdict="error"), tuned_error="no reply"),
    )
    assert tuned(rows).cut == 0.5 and tuned(rows).n == 2
    assert side_metrics(rows, "base", TRAITS, GOOD).cut == 0


def test_required_terms_count_only_where_there_were_some() -> None:
    one = judgement(1, 1)
    rows = (
        result("a", one, one, kept=(True, True)),
        result("b", one, one, kept=(False, True)),
        result("c", one, one),
    )
    kept = known(side_metrics(rows, "base", TRAITS, GOOD).kept)
    assert (kept.value, kept.n) == (0.5, 2)


def test_a_tie_is_half_a_win_and_a_failed_comparison_or_none_is_none() -> None:
    one = judgement(1, 1)
    failed = Comparison(winner="tie", orders=("tie", "tie"), error="no answer")
    winners = {"a": None, "b": TIE, "c": failed, "d": BASE_WINS, "e": BASE_WINS}
    won = known(win_rate([result(name, one, one, winner) for name, winner in winners.items()]))
    assert won.value == pytest.approx(0.5 / 3) and won.n == 3


def test_labels_are_of_a_side_and_of_the_words_that_were_said() -> None:
    rows = results((0, 0), (0, 0))
    same = rows[0].model_copy(update={"base": "warm"})
    labels = Labels.of([label(rows[0], t0=2, t1=2), label(rows[1], "base", t0=2, t1=2)], ())
    assert known(tuned(rows, labels).overall).value == 10 and tuned(rows, labels).labels == 1
    assert labels.reply(same, "base") is None, "equal replies of two sides are labelled apart"
    other = rows[0].model_copy(update={"tuned": "cold"})
    assert labels.reply(other, "tuned") is None


def test_fewer_than_fifty_labels_stand_alone_and_fifty_are_joined_by_the_judge() -> None:
    marks = [(2, 2) if i % 2 else (0, 0) for i in range(400)]
    rows = results(*marks)
    few = Labels.of([label(row, t0=1, t1=1) for row in rows[: MIN_LABELS - 1]], ())
    alone = known(tuned(rows, few).overall)
    assert (alone.value, alone.n, alone.labels, alone.method) == (5.0, 49, 49, "betting")
    assert tuned(rows, few).source == "people"
    said = [(2, 2) if i % 2 else (0, 1) for i in range(60)]
    many = Labels.of([label(row, t0=one[0], t1=one[1]) for row, one in zip(rows, said, strict=False)], ())
    joined = known(tuned(rows, many).overall)
    assert joined.method == "PPI++" and joined.n == joined.labels == 60
    assert joined.value == pytest.approx(6.25, abs=0.05), "people give 2.5 where the judge gives 0"
    assert joined.high - joined.low < 0.7 * 2 * 2 * 3.75 / 60**0.5
    assert tuned(rows, many).source == "people + gpt-5-mini"


def test_a_label_without_all_traits_has_no_total_and_counts_for_those_it_has() -> None:
    rows = results((0, 0))
    metrics = tuned(rows, Labels.of([label(rows[0], t0=2)], ()))
    assert metrics.traits["t0"].labels == 1 and metrics.traits["t1"].labels == 0
    assert known(metrics.overall).labels == 0


def test_pairs_are_voted_on_or_compared_by_the_labels_of_both_replies() -> None:
    rows = results(*[(0, 0)] * 60, winner=BASE_WINS)
    voted = known(win_rate(rows, Labels.of((), [vote(rows[0], "tuned"), vote(rows[1], "tie")])))
    assert (voted.value, voted.n, voted.labels) == (0.75, 2, 2)

    def both(count: int) -> Labels:
        marked = [label(row, t0=2, t1=1) for row in rows[:count]]
        return Labels.of([*marked, *(label(row, "base", t0=1, t1=1) for row in rows[:count])], ())

    assert known(win_rate(rows, both(MIN_LABELS - 1))).value == 0, "the judge's, while there are few"
    assert known(win_rate(rows, both(60))).value == 1
    nobody = tuple(row.model_copy(update={"comparison": None}) for row in rows)
    assert known(win_rate(nobody, both(3))).n == 3


def test_a_reply_that_crosses_a_boundary_loses_whatever_its_total() -> None:
    rows = results((0, 0), winner=None)
    labels = Labels.of([label(rows[0], boundary="rude", t0=2, t1=2), label(rows[0], "base", t0=0, t1=0)], ())
    assert known(win_rate(rows, labels)).value == 0


def test_the_difference_is_paired_and_by_people_where_they_labelled_enough() -> None:
    rows = results(*[(2, 1)] * 60, base=(1, 1))
    assert (known(overall_delta(rows, TRAITS)).value, known(overall_delta(rows, TRAITS)).labels) == (2.5, 0)
    marked = [label(row, t0=2, t1=2) for row in rows]
    labels = Labels.of([*marked, *(label(row, "base", t0=0, t1=0) for row in rows)], ())
    found = known(overall_delta(rows, TRAITS, labels))
    assert (found.value, found.labels) == (10.0, 60)


def test_the_prompted_base_is_compared_where_it_was_asked() -> None:
    rows = results((1, 1), (1, 1))
    assert beats_prompt(rows) is None
    asked = [row.model_copy(update={"prompted": "hi", "prompted_comparison": TIE}) for row in rows]
    assert known(beats_prompt(asked)).value == 0.5


def test_categories_are_told_apart_and_a_person_has_the_last_word() -> None:
    rows = [
        result("a", judgement(0, 0), judgement(2, 2), category="x"),
        result("b", judgement(1, 1), judgement(1, 1), category="y"),
    ]
    assert by_category(rows, TRAITS) == {"x": {"base": 0.0, "tuned": 10.0}, "y": {"base": 5.0, "tuned": 5.0}}
    labels = Labels.of([label(rows[1], t0=2, t1=1)], ())
    assert by_category(rows, TRAITS, labels)["y"] == {"base": 5.0, "tuned": 7.5}


def test_a_judge_alone_is_named_as_the_source() -> None:
    rows = results((1, 1))
    assert tuned(rows).source == "gpt-5-mini"
    assert fmean(one.value for one in tuned(rows).traits.values()) == 1


def test_an_expected_score_tells_more_than_the_rounded_one() -> None:
    rows = results((1, 1), (1, 1))
    close = rows[0].tuned_judgement.traits["t0"].model_copy(update={"estimate": 1.4})
    guessed = rows[0].tuned_judgement.model_copy(update={"traits": {"t0": close, "t1": close}})
    metrics = tuned((rows[0].model_copy(update={"tuned_judgement": guessed}), rows[1]))
    assert metrics.traits["t0"].value == pytest.approx(1.2)
