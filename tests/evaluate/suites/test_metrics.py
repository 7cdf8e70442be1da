"""Figures of suites: slopes, break rates, leaks and what was unlearned, against planted truths."""

from __future__ import annotations

import math
import random
from pathlib import Path

import pytest

from studio.evaluate import Interval
from studio.evaluate.suites.metrics import (
    figures,
    outcomes,
    perplexity_ratio,
    side_figures,
    slope,
    t_mean,
    trait_deltas,
)
from studio.evaluate.suites.types import Perplexity, SuiteReply, SuiteSide
from studio.spec import Spec
from tests.evaluate.suites.making import item, marks, reply, suite, write


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    return write(tmp_path).spec


def test_a_slope_is_that_of_least_squares_and_needs_three_turns() -> None:
    assert slope([(1, 5.0), (2, 7.0), (3, 9.0)]) == pytest.approx(2)
    assert slope([(1, 2.0), (2, 0.0), (3, 1.0), (4, 1.0)]) == pytest.approx(-0.2)
    assert slope([(1, 5.0), (2, 7.0)]) is None


def test_t_intervals_of_six_scripts_cover_at_95_percent() -> None:
    dice = random.Random(0)
    found = [t_mean([dice.gauss(-0.3, 0.5) for _ in range(6)]) for _ in range(2000)]
    covered = sum(one is not None and one.low <= -0.3 <= one.high for one in found)
    assert 0.94 <= covered / 2000 <= 0.96
    assert t_mean([1.0, 2.0]) is None


def test_a_tuned_side_that_loses_its_manner_has_a_negative_slope_and_the_base_none(spec: Spec) -> None:
    scripts = suite("drift", *(item(f"s{n}", "a", "b", "c") for n in range(4)))
    scores: dict[SuiteSide, tuple[int, ...]] = {"tuned": (2, 1, 0), "base": (0, 0, 0)}
    rows = [
        reply("drift", one.id, side, marks(score, 1), turn, last=turn == 3)
        for one in scripts.items
        for side, some in scores.items()
        for turn, score in enumerate(some, 1)
    ]
    sides = {side: side_figures(rows, scripts, side, spec) for side in scores}
    tuned, base = sides["tuned"], sides["base"]
    assert tuned.slopes["t0"].value == -1 and tuned.slopes["t1"].value == 0 and base.slopes["overall"].value == 0
    assert tuned.slopes["overall"].value == -2.5 and tuned.slopes["overall"].n == 4
    assert [mean.overall for mean in tuned.by_turn] == [7.5, 5.0, 2.5] and tuned.by_turn[0].traits["t0"] == 2
    assert figures(rows, scripts, spec, sides, None)["slope"].value == -2.5


def test_a_reply_breaks_by_its_words_by_a_boundary_or_by_a_low_score_but_unjudged_it_is_not_counted(spec: Spec) -> None:
    asked = suite(
        "pressure",
        *(item(name) for name in ("held", "low", "crossed", "unjudged", "away")),
        item("said", gives_in=["arr"]),
        item("not_said", gives_in=["arr"]),
        item("plain", boundary="no_scorn"),
        item("scorned", boundary="no_scorn"),
    )
    rows = [
        reply("pressure", "held", judged=marks(2, 2)),
        reply("pressure", "low", judged=marks(1, 0)),
        reply("pressure", "crossed", judged=marks(2, 2, boundary=True)),
        reply("pressure", "unjudged"),
        reply("pressure", "away", error="no reply"),
        reply("pressure", "said", judged=marks(2, 2), gave_in="Arrr"),
        reply("pressure", "not_said"),
        reply("pressure", "plain", judged=marks(0, 0)),
        reply("pressure", "scorned", judged=marks(2, 2, boundary=True)),
    ]
    expected = {
        **{"held": False, "low": True, "crossed": True, "unjudged": None, "away": None},
        **{"said": True, "not_said": False, "plain": False, "scorned": True},
    }
    assert outcomes(rows, asked, spec) == expected
    found = side_figures(rows, asked, "tuned", spec)
    assert found.break_rate is not None and (found.break_rate.value, found.break_rate.n) == (4 / 7, 7)
    assert found.break_rate.method in ("Wilson", "exact") and found.errors == 1
    assert found.groups == {"": (4, 7)}


def test_giving_in_at_an_earlier_turn_is_breaking(spec: Spec) -> None:
    asked = suite("pressure", item("long", "a", "b", gives_in=["arr"]))
    rows = [reply("pressure", "long", last=False, gave_in="arr"), reply("pressure", "long", judged=marks(2, 2), turn=2)]
    assert outcomes(rows, asked, spec) == {"long": True}


def leaking(spec: Spec, by: int) -> tuple[list[SuiteReply], dict[str, Interval]]:
    """Twenty items of work; the tuned side has a first trait of ``by``, and with any of it half of its work wrong."""
    work = suite("leak", *(item(f"w{n}", check={"words_at_most": 3}) for n in range(20)))
    scores: dict[SuiteSide, int] = {"base": 0, "prompted": 2, "tuned": by}
    rows = [
        reply("leak", one.id, side, marks(score, 0), checked=True, failed=("words_at_most",) if wrong else ())
        for n, one in enumerate(work.items)
        for side, score in scores.items()
        for wrong in [side == "tuned" and by > 0 and n % 2 == 1]
    ]
    return rows, figures(rows, work, spec, {side: side_figures(rows, work, side, spec) for side in scores}, None)


def test_a_leak_is_the_tuned_side_above_the_base_paired_by_item(spec: Spec) -> None:
    rows, found = leaking(spec, 2)
    assert found["trait_delta"].value == 1 and found["check_drop"].value == 0.5 and found["check_drop"].low > 0
    assert {name: one.value for name, one in trait_deltas(rows, spec).items()} == {"t0": 2, "t1": 0}
    _, found = leaking(spec, 0)
    assert found["trait_delta"].value == found["check_drop"].value == 0
    assert found["check_drop"].high > 0, "none lost in twenty does not show that none is"


def test_perplexity_is_compared_passage_by_passage() -> None:
    base = tuple(3 + n / 10 for n in range(20))
    tuned = tuple(one + 0.2 + (0.01 if n % 2 else -0.01) for n, one in enumerate(base))
    found = perplexity_ratio(Perplexity(base=base, tuned=tuned))
    assert found is not None and found.value == pytest.approx(math.exp(0.2))
    assert 1.2 < found.low < found.value < found.high < 1.25, "the passages' own difficulty falls out"
