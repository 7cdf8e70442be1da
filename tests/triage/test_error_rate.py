"""The error rate of a whole from a stratified sample: what its interval covers, and when there is a verdict."""

from __future__ import annotations

import random

import pytest

from studio.triage.error_rate import Stratum, allocate, error_rate, sample_size


def test_a_tenth_is_looked_at_and_at_least_twenty() -> None:
    assert [sample_size(size) for size in (0, 7, 20, 150, 200, 201, 1000)] == [0, 7, 20, 20, 20, 21, 100]


def test_categories_get_their_share_and_none_is_left_out() -> None:
    assert allocate([100, 60, 40], 20) == [10, 6, 4]
    assert allocate([980, 15, 5], 20) == [19, 1, 1] or sum(allocate([980, 15, 5], 20)) >= 20
    assert min(allocate([980, 15, 5], 20)) == 1
    assert allocate([3, 2], 20) == [3, 2]
    assert allocate([], 0) == []


def test_what_was_looked_at_whole_has_an_exact_rate() -> None:
    found = error_rate([Stratum(10, 10, 1), Stratum(10, 10, 0)])
    assert found is not None and (found.share, found.low, found.high) == (0.05, 0.05, 0.05)
    assert found.verdict == "good" and found.more == 0


def test_the_rate_is_weighted_by_the_sizes_of_the_categories() -> None:
    found = error_rate([Stratum(900, 10, 0), Stratum(100, 10, 5)])
    assert found is not None and found.share == pytest.approx(0.05)
    proportional = error_rate([Stratum(900, 18, 1), Stratum(100, 2, 0)])
    assert proportional is not None and found.high > proportional.high, "an uneven sample tells less"


def test_nothing_is_estimated_of_a_category_that_was_not_looked_at() -> None:
    assert error_rate([Stratum(90, 18, 0), Stratum(10, 0, 0)]) is None
    assert error_rate([]) is None and error_rate([Stratum(0, 0, 0)]) is None


def test_the_verdict_says_how_many_more_and_that_many_decide() -> None:
    few = error_rate([Stratum(1000, 20, 0)], limit=0.1)
    assert few is not None and few.verdict == "undecided" and 0 < few.more < 60
    enough = error_rate([Stratum(1000, 20 + few.more, 0)], limit=0.1)
    short = error_rate([Stratum(1000, 19 + few.more, 0)], limit=0.1)
    assert enough is not None and enough.verdict == "good" and enough.more == 0
    assert short is not None and short.verdict == "undecided" and short.more == 1
    bad = error_rate([Stratum(1000, 20, 10)], limit=0.1)
    assert bad is not None and bad.verdict == "bad"


@pytest.mark.parametrize("truth", [(0.02, 0.2), (0.05, 0.1), (0.3, 0.6)])
def test_the_interval_covers_the_rate_of_the_whole(truth: tuple[float, float]) -> None:
    rng, covered, draws = random.Random(1), 0, 2000
    wholes = [[place < rate * size for place in range(size)] for rate, size in zip(truth, (1400, 600), strict=True)]
    rate = sum(map(sum, wholes)) / 2000
    for _ in range(draws):
        strata = [Stratum(len(whole), n, sum(rng.sample(whole, n))) for whole, n in zip(wholes, (140, 60), strict=True)]
        found = error_rate(strata)
        assert found is not None
        covered += found.low <= rate <= found.high
    assert 0.94 <= covered / draws <= 0.985
