"""Intervals that cover as often as they say, and the n that would decide."""

from __future__ import annotations

import random

import pytest

from studio.evaluate.intervals import by_prompt, corrected_mean, delta, mean, quantile_bounds, rate, share_of

TRAIT = (0.0, 2.0)


def values(n: int, twos: float = 0.6, seed: int = 0) -> list[float]:
    draw = random.Random(seed)
    return draw.choices([0.0, 1.0, 2.0], [(1 - twos) / 3, (1 - twos) * 2 / 3, twos], k=n)


def test_nothing_measured_has_no_interval() -> None:
    assert (
        mean([], TRAIT) is None and rate(0, 0) is None and delta([]) is None and corrected_mean([], [], TRAIT) is None
    )


def test_the_mean_of_a_large_sample_has_students_interval() -> None:
    """Reference values of t at 99 degrees of freedom: 1.98422 and 1.66039."""
    found = mean([0.0, 2.0] * 50, TRAIT)
    assert found is not None and found.method == "t" and found.sd == pytest.approx(1.005038)
    assert (found.low, found.high) == pytest.approx((1 - 1.98422 * 0.1005038, 1 + 1.98422 * 0.1005038), abs=1e-5)
    assert (found.lower, found.upper) == pytest.approx((1 - 1.66039 * 0.1005038, 1 + 1.66039 * 0.1005038), abs=1e-5)


@pytest.mark.parametrize(
    ("sample", "method"),
    [
        (values(49), "betting"),
        (values(50), "t"),
        ([2.0] * 400, "betting"),
        ([2.0] * 55 + [1.0] * 4, "betting"),
        (values(200, twos=0.9), "t"),
    ],
)
def test_small_constant_and_near_the_ceiling_samples_are_bet_on(sample: list[float], method: str) -> None:
    found = mean(sample, TRAIT)
    assert found is not None and found.method == method


def test_a_skewed_sample_is_bounded_further_from_its_ceiling() -> None:
    """Johnson's shift: third moment / variance / n * (2 t^2 + 1) / 6, here -0.009."""
    sample = [2.0] * 48 + [1.0] * 6 + [0.0] * 6
    found = mean(sample, TRAIT)
    assert found is not None and found.method == "t" and found.value == 1.7
    plain = 1.67109 * found.sd / 60**0.5
    third = sum((value - 1.7) ** 3 for value in sample) / 60
    shift = third / found.sd**2 / 60 * (2 * 1.67109**2 + 1) / 6
    assert shift < -0.01
    assert (found.lower, found.upper) == pytest.approx((1.7 - plain + shift, 1.7 + plain + shift), abs=1e-4)


def test_a_constant_sample_is_not_certain() -> None:
    few, many = mean([2.0] * 20, TRAIT), mean([2.0] * 200, TRAIT)
    assert few is not None and many is not None
    assert (few.value, few.high) == (2.0, 2.0)
    assert 1.4 < few.lower < 1.8 < many.lower < 2.0
    assert few.low < few.lower


def test_bounds_lie_within_the_interval_and_the_interval_within_the_span() -> None:
    for sample in (values(12), values(60), [2.0] * 30, [0.0] * 30, [0.0]):
        found = mean(sample, TRAIT)
        assert found is not None
        assert 0 <= found.low <= found.lower <= found.value <= found.upper <= found.high <= 2
        assert found.high - found.low > 0


def test_an_interval_of_the_mirrored_sample_is_the_mirrored_interval() -> None:
    sample = values(30)
    found, mirrored = mean(sample, TRAIT), mean([2 - value for value in sample], TRAIT)
    assert found is not None and mirrored is not None
    assert (found.low, found.upper) == pytest.approx((2 - mirrored.high, 2 - mirrored.lower))


def test_betting_intervals_cover_where_students_do_not() -> None:
    """Of 200 samples of 20, nine in ten of them twos, at most 5 % of the bounds may be wrong; t is wrong in 11 %."""
    truth, wrong = 0.1 * 2 / 3 + 0.9 * 2, 0
    for seed in range(200):
        found = mean(values(20, twos=0.9, seed=seed), TRAIT)
        assert found is not None
        wrong += found.upper < truth or found.lower > truth
    assert wrong <= 10


def test_several_replies_to_one_prompt_are_one_sample() -> None:
    assert by_prompt([("a", 2.0), ("a", 0.0), ("b", 2.0)]) == {"a": 1.0, "b": 2.0}


@pytest.mark.parametrize(
    ("events", "n", "low", "high"),
    [
        (20, 40, 0.3520, 0.6480),  # Wilson
        (0, 60, 0.0, 0.0596),  # exact: 1 - .025^(1/60)
        (3, 60, 0.0104, 0.1392),  # Clopper and Pearson
        (60, 60, 0.9404, 1.0),
    ],
)
def test_rates_have_wilsons_interval_and_rare_ones_the_exact_one(events: int, n: int, low: float, high: float) -> None:
    found = rate(events, n)
    assert found is not None and (found.low, found.high) == pytest.approx((low, high), abs=2e-4)


def test_no_event_in_59_bounds_the_rate_under_five_per_cent() -> None:
    found, fewer = rate(0, 59), rate(0, 58)
    assert found is not None and fewer is not None
    assert found.lower == 0 and found.upper == pytest.approx(1 - 0.05 ** (1 / 59)) and found.upper < 0.05 < fewer.upper


def test_a_share_over_prompts_that_differ_within_is_a_mean_of_prompts() -> None:
    whole, parts = share_of({"a": 1.0, "b": 0.0}), share_of({"a": 0.5, "b": 0.0})
    assert whole is not None and whole.method == "exact"
    assert parts is not None and parts.method == "betting" and parts.n == 2


def test_a_paired_difference_is_tighter_than_the_two_means() -> None:
    base = values(60, twos=0.4)
    found = delta([(value, value + 0.5) for value in base])
    assert found is not None and (found.value, found.low, found.high) == pytest.approx((0.5, 0.5, 0.5))
    apart = delta(list(zip(base, values(60, twos=0.4, seed=1), strict=True)))
    assert apart is not None and apart.low < apart.lower < apart.value < apart.upper < apart.high


def test_a_good_judge_narrows_what_people_said_and_its_bias_is_taken_out() -> None:
    """The judge gives half a point too much, everywhere, and is otherwise nearly right."""
    draw = random.Random(1)
    truth = [float(draw.randint(0, 20)) / 10 for _ in range(400)]
    judged = [value + 0.5 + draw.gauss(0, 0.1) for value in truth]
    alone = mean(truth[:60], TRAIT)
    found = corrected_mean(list(zip(truth[:60], judged[:60], strict=True)), judged[60:], TRAIT)
    assert alone is not None and found is not None and found.method == "PPI++" and found.n == 60
    assert found.high - found.low < 0.6 * (alone.high - alone.low)
    assert found.low < sum(truth) / 400 < found.high


def test_a_judge_that_tells_nothing_leaves_the_labels_as_they_are() -> None:
    labels = values(60)
    found = corrected_mean([(value, 1.0) for value in labels], [1.0] * 300, TRAIT)
    assert found == mean(labels, TRAIT)


def test_under_fifty_labels_a_judge_corrects_nothing() -> None:
    labels = values(49)
    assert corrected_mean([(value, value) for value in labels], values(300), TRAIT) == mean(labels, TRAIT)


def test_the_n_that_would_decide_is_that_of_the_formula() -> None:
    """(1.96 + .842)^2 .55^2 / .2^2 = 60, / .1^2 = 238: an end of the two-sided interval has to clear it."""
    found = mean(values(60), TRAIT)
    assert found is not None
    far, near = (found.model_copy(update={"value": value, "sd": 0.55}) for value in (1.7, 1.6))
    assert near.more_to_decide(1.5) == 238 - 60
    assert far.more_to_decide(1.5) == 1
    assert near.more_to_decide(1.6) is None
    small = far.model_copy(update={"n": 20, "value": 1.8})
    assert small.more_to_decide(1.5) == 30, "a small sample is bet on until there are fifty"


def test_the_n_that_would_bound_a_rate_of_none_is_that_of_the_rule_of_three() -> None:
    found = rate(0, 20)
    assert found is not None and found.more_to_decide(0.05) == 72 - 20


def test_a_percentile_of_few_is_bounded_from_below_alone() -> None:
    eight = [float(value) for value in range(1, 9)]
    assert quantile_bounds(eight) == (6.0, None)
    assert quantile_bounds([9.0]) == (9.0, None)
    sixty = [float(value) for value in range(1, 60)]
    assert quantile_bounds(sixty)[1] == 59.0 and quantile_bounds(sixty[:-1])[1] is None
