"""What is said of the judge beside its marks: what labels corrected, agreement on these replies, reweighted draws."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from studio.evaluate import restate
from studio.evaluate.metrics import TRAIT, Labels
from studio.evaluate.strata import Labelled, balanced, stratified_mean, stratified_rate, weights
from studio.evaluate.trust import trust_lines
from studio.evaluate.types import ProbeResult, Trust
from studio.judge.canaries import JudgedCanary
from studio.store.records import LabelDraw, RunLabel
from tests.bench.trust import POOL, Population, covers
from tests.evaluate.making import BASE_WINS, TUNED_WINS, evaluation, judgement, label, result


def rows(count: int, low: int = 6) -> tuple[ProbeResult, ...]:
    """The judge gives full marks, but for the first ``low``; replies grow with the marks."""
    return tuple(
        result(f"p{i:03}", judgement(0, 0), judgement(*(0, 0) if i < low else (2, 2))).model_copy(
            update={"tuned": f"{i} " * (i + 1), "base": f"b{i}"}
        )
        for i in range(count)
    )


def drawn(one: RunLabel, stratum: int, size: int) -> RunLabel:
    return one.model_copy(update={"draw": LabelDraw(stratum=stratum, size=size, balanced=True)})


def test_corrected_means_and_pass_rates_stand_beside_what_the_judge_alone_says() -> None:
    some = rows(100, low=30)
    said = [label(row, t0=1 if i % 3 else 0, t1=2 if i >= 30 else 0) for i, row in enumerate(some) if i % 5 < 3]
    found = restate(evaluation(some), Labels.of(said, ()))
    side = found.trust.sides["tuned"]
    assert found.tuned.overall and found.tuned.overall.method == "PPI++" and found.tuned.overall.labels == 60
    assert side.judged.overall and side.judged.overall.value == pytest.approx(7.0) and side.judged.labels == 0
    assert found.tuned.overall.value < 6
    assert side.passed and side.passed_judged and side.passed.labels == 60 and side.passed_judged.value == 1.0
    (line,) = [one for one in trust_lines(found) if one.startswith("tuned by 60 labels")]
    assert "judge alone 7.00" in line and "judge alone 100%" in line


def test_agreement_with_people_on_these_replies_is_told_with_its_table() -> None:
    some = rows(40, low=10)
    said = [label(row, t0=0 if i < 12 else 2, t1=2) for i, row in enumerate(some)]
    found = restate(evaluation(some), Labels.of(said, ())).trust
    assert found.traits["t0"].confusion == ((10, 0, 2), (0, 0, 0), (0, 0, 28))
    assert (
        found.traits["t0"].kappa and found.traits["t0"].ac2 and found.traits["t0"].ac2 > found.traits["t0"].kappa > 0.8
    )
    assert found.traits["t1"].kappa == 0.0  # people gave one score throughout
    assert restate(evaluation(some)).trust.traits == {}


def test_a_label_of_a_balanced_draw_counts_for_the_replies_that_it_stands_for() -> None:
    some = rows(100, low=10)
    said = [drawn(label(row, t0=0, t1=0), 0, 10) for row in some[:10]]
    said += [drawn(label(row, t0=2, t1=2), 2, 90) for row in some[10:40]]
    labels = Labels.of(said, ())
    known = weights(some, "tuned", labels)
    assert len(known) == 40
    assert known["p000"] / known["p020"] == pytest.approx(1 / 3)
    found = restate(evaluation(some), labels)
    assert found.tuned.traits["t0"].value == pytest.approx(1.8)  # plainly averaged they would be 1.5
    equal = restate(evaluation(some), Labels.of([one.model_copy(update={"draw": None}) for one in said], ()))
    assert equal.tuned.traits["t0"].value == pytest.approx(1.5) and equal.id != found.id
    assert found.trust.sides["tuned"].passed and found.trust.sides["tuned"].passed.value == pytest.approx(0.9)


def test_the_kappa_of_a_balanced_draw_is_that_of_the_pool() -> None:
    """The judge gives 2 to all but 10 of 100, and errs in 2 of these and in 9 of the others."""
    some = rows(100, low=10)
    truth = [0 if i < 8 or i >= 91 else 2 for i in range(100)]
    whole = restate(evaluation(some), Labels.of([label(r, t0=t, t1=t) for r, t in zip(some, truth, strict=True)], ()))
    taken = [*range(10), *range(10, 100, 3)]
    said = [drawn(label(some[i], t0=truth[i], t1=truth[i]), 0 if i < 10 else 2, 10 if i < 10 else 90) for i in taken]
    found = restate(evaluation(some), Labels.of(said, ())).trust.traits["t0"]
    plain = restate(
        evaluation(some), Labels.of([one.model_copy(update={"draw": None}) for one in said], ())
    ).trust.traits["t0"]
    true = whole.trust.traits["t0"].kappa
    assert true and found.kappa == pytest.approx(true, abs=0.01) and plain.kappa and plain.kappa > true + 0.1


def test_a_balanced_order_takes_rare_strata_more_often_and_leaves_nothing_out() -> None:
    strata = {0: [f"low {i}" for i in range(9)], 2: [f"high {i}" for i in range(81)]}
    for seed in range(20):
        order = balanced(strata, Random(seed))
        assert Counter(order) == Counter([*strata[0], *strata[2]])
        assert 8 <= sum(one.startswith("low") for one in order[:36]) <= 10  # a quarter of them, not a tenth
        assert [one for one in order if one.startswith("low")] == strata[0]


def test_a_rate_of_none_is_bounded_by_the_stratum_that_was_drawn_least() -> None:
    labelled = [Labelled(0, 0.0, 0.0)] * 10 + [Labelled(2, 0.0, 0.0)] * 45
    found = stratified_rate(labelled, {0: 10, 2: 90})
    assert found and found.n == 50 and found.labels == 55 and 0.05 < found.upper < 0.06


def test_few_labels_of_a_balanced_draw_are_bounded_and_never_beyond_the_scale() -> None:
    labelled = [Labelled(0, 0.0, 0.0)] * 4 + [Labelled(2, 2.0, 2.0)] * 12
    found = stratified_mean(labelled, {0: 10, 2: 90}, [0.0] * 10 + [2.0] * 90, TRAIT)
    assert found and found.method == "betting" and found.value == pytest.approx(1.8)
    assert 0 <= found.low < found.value < found.high <= 2
    assert stratified_mean([], {0: 1}, [0.0], TRAIT) is None


@pytest.mark.parametrize("judge", [0.8, 0.0])
@pytest.mark.parametrize("n", [40, 60])
def test_intervals_of_balanced_draws_cover(judge: float, n: int) -> None:
    """150 draws each here, 2,000 in the bench."""
    assert covers(Population(right=judge), n, draws=150, pool=POOL).share >= 0.91


def test_order_length_and_canaries_are_told() -> None:
    some = tuple(
        row.model_copy(
            update={"comparison": TUNED_WINS if i % 2 else BASE_WINS.model_copy(update={"orders": ("first", "first")})}
        )
        for i, row in enumerate(rows(20))
    )
    caught = JudgedCanary(kind="spec pasted", judge="j", total=7.5, passed=False)
    fine = JudgedCanary(kind="empty", judge="j", total=0.0, passed=False)
    found = restate(evaluation(some, trust=Trust(canaries=(caught, fine))))
    assert found.trust.order and (found.trust.order.n, found.trust.order.consistent, found.trust.order.first) == (
        20,
        10,
        10,
    )
    assert found.trust.sides["tuned"].length_correlation and found.trust.sides["tuned"].length_correlation > 0.7
    assert found.trust.sides["base"].length_correlation is None  # one score throughout
    assert found.trust.canaries == (caught, fine)
    told = trust_lines(found)
    assert "same preference in both orders: 10 of 20 pairs, else mostly the first" in told
    assert any("may pay for words" in line for line in told)
    assert told[-1] == "canaries: ALARM, j is taken in: spec pasted gets 7.5 of 10"
