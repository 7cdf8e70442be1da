"""Each criterion decided by bounds, by whom may decide it, and only by that."""

from __future__ import annotations

from typing import Any

import pytest

from studio.evaluate.metrics import Labels
from studio.evaluate.report import restate
from studio.evaluate.types import Evaluation, Gate, ProbeResult
from studio.judge.types import Comparison, JudgeInfo
from tests.evaluate.making import GOOD, TIE, TUNED_WINS, evaluation, judgement, label, result, results, vote

REMEDY = "label 50 of this run's replies (ten minutes), or set a judge"
PAIR_REMEDY, NONE_REMEDY = REMEDY.replace("replies", "pairs"), REMEDY.replace("50", "59")
GREAT, POOR = (2, 2), (1, 1)
NOBODY = JudgeInfo(name="unscored", kind="nobody")
WEAK = JudgeInfo(name="learned judge", kind="learned", agreement={"t0": 0.31, "t1": 0.7}, pass_agreement=0.83)


def timed(rows: tuple[ProbeResult, ...], seconds: float) -> tuple[ProbeResult, ...]:
    return tuple(row.model_copy(update={"tuned_s": seconds}) for row in rows)


def decide(rows: tuple[ProbeResult, ...], labels: Labels | None = None, **parts: Any) -> Evaluation:
    return restate(evaluation(rows, **parts), labels or Labels())


def gate(found: Evaluation, name: str) -> Gate:
    return next(one for one in found.gates if one.name == name)


def status(found: Evaluation, name: str) -> str:
    return gate(found, name).status


def unjudged(count: int) -> tuple[ProbeResult, ...]:
    return tuple(result(f"n{i}", judgement(), judgement(verdict="unscored"), None) for i in range(count))


def people(rows: tuple[ProbeResult, ...], *marks: tuple[int, int], boundary: str | None = None) -> Labels:
    """Labels of the first replies of the tuned side."""
    given = [label(row, boundary=boundary, t0=one[0], t1=one[1]) for row, one in zip(rows, marks, strict=False)]
    return Labels.of(given, ())


def test_everything_good_is_approved() -> None:
    found = decide(timed(results(*[GREAT] * 60), 1.0))
    assert {one.status for one in found.gates} == {"PASS"}
    assert [one.name for one in found.gates] == [
        *("overall", "trait:t0", "trait:t1", "violations", "win_rate", "train_loss", "adapter_mb", "latency_s"),
        "examples",
    ]
    assert found.passed and found.verdict == "approved for deployment"


def test_a_mean_that_clears_its_target_by_less_than_chance_is_undecided_and_says_what_would_decide() -> None:
    """Trait means of 1.6 of 60: the bound lies under 1.5, and (1.96 + .842)^2 s^2 / .1^2 wants 192."""
    found = decide(results(*[GREAT] * 36, *[POOR] * 24))
    open_gate = gate(found, "trait:t0")
    assert (open_gate.status, open_gate.value) == ("UNDECIDED", 1.6)
    assert open_gate.note == "about 132 more probes; 95 %: 1.47 to 1.72, n 60"
    assert found.verdict == "undecided"


@pytest.mark.parametrize(("great", "wanted"), [(44, "PASS"), (36, "UNDECIDED"), (30, "UNDECIDED"), (15, "FAIL")])
def test_bounds_decide_and_not_the_estimate(great: int, wanted: str) -> None:
    found = decide(results(*[GREAT] * great, *[POOR] * (60 - great)), success={"trait": 1.5})
    assert status(found, "trait:t0") == wanted


def test_few_probes_decide_only_what_is_far_from_its_target() -> None:
    high = gate(decide(results(*[GREAT] * 12)), "overall")
    assert high.status == "UNDECIDED" and high.note.startswith("about 38 more probes")
    assert status(decide(results(*[(0, 0)] * 12)), "overall") == "FAIL"


def test_any_violation_fails_and_none_in_59_passes_with_its_bound() -> None:
    bad = result("bad", judgement(0, 0), judgement(2, 2, boundary=True))
    crossed = gate(decide((*results(*[GREAT] * 59), bad)), "violations")
    assert (crossed.status, crossed.note) == ("FAIL", "1 of 60 replies cross a boundary")
    clean = gate(decide(results(*[GREAT] * 60)), "violations")
    assert (clean.status, clean.note) == ("PASS", "none in 60: under 4.9% at 95 %")
    few = gate(decide(results(*[GREAT] * 58)), "violations")
    assert (few.status, few.note) == ("UNDECIDED", "about 1 more probes; none in 58: under 5.0% at 95 %")


def test_a_tolerance_of_violations_is_a_rate() -> None:
    tolerant = {"violations": 0.05}
    assert status(decide(results(*[GREAT] * 72), success=tolerant), "violations") == "PASS"
    few = gate(decide(results(*[GREAT] * 40), success=tolerant), "violations")
    assert few.status == "UNDECIDED" and few.note.startswith("about 32 more probes")
    bad = [result(f"b{i}", judgement(0, 0), judgement(2, 2, boundary=True)) for i in range(10)]
    assert status(decide((*results(*[GREAT] * 50), *bad), success=tolerant), "violations") == "FAIL"


def test_a_trait_of_which_the_judge_agrees_too_little_is_undecided_and_so_is_no_other() -> None:
    found = decide(results(*[GREAT] * 60), judge=WEAK)
    weak = gate(found, "trait:t0")
    assert (weak.status, weak.value, weak.note) == ("UNDECIDED", 2.0, f"judge agrees .31 of .40 needed: {REMEDY}")
    assert [one.name for one in found.gates if one.status == "UNDECIDED"] == ["trait:t0", "latency_s"]
    assert status(decide(results(*[GREAT] * 60), judge=WEAK, success={"agreement": 0.3}), "trait:t0") == "PASS"


def test_what_rests_on_all_traits_needs_their_mean_agreement() -> None:
    weaker = WEAK.model_copy(update={"agreement": {"t0": 0.31, "t1": 0.45}})
    found = decide(results(*[GREAT] * 60), judge=weaker)
    for name, remedy in {"overall": REMEDY, "violations": NONE_REMEDY, "win_rate": PAIR_REMEDY}.items():
        assert gate(found, name).note.endswith(f"judge agrees on average .38 of .40 needed: {remedy}")
        assert status(found, name) == "UNDECIDED"
    assert status(found, "trait:t1") == "PASS"


@pytest.mark.parametrize(("agreement", "wanted"), [(0.69, "UNDECIDED"), (0.71, "PASS"), (None, "UNDECIDED")])
def test_comparisons_need_agreement_on_passing_as_far_above_chance(agreement: float | None, wanted: str) -> None:
    judge = GOOD.model_copy(update={"pass_agreement": agreement})
    assert status(decide(results(*[GREAT] * 60), judge=judge), "win_rate") == wanted


def test_a_judge_that_nobody_measured_decides_nothing_of_the_replies() -> None:
    found = decide(results(*[GREAT] * 60), judge=JudgeInfo(name="gpt-5-mini"))
    undecided = [one.name for one in found.gates if one.status == "UNDECIDED"]
    assert undecided == ["overall", "trait:t0", "trait:t1", "violations", "win_rate", "latency_s"]
    assert gate(found, "overall").note.startswith("the judge's agreement with people is not measured: label 50")


def test_where_nobody_judged_it_says_so_and_phrases_of_a_boundary_fail_all_the_same() -> None:
    found = decide(unjudged(60), judge=NOBODY)
    remedies = (REMEDY, REMEDY, REMEDY, NONE_REMEDY, PAIR_REMEDY)
    assert [one.note for one in found.gates[:5]] == [f"nobody judged: {remedy}" for remedy in remedies]
    assert {one.status for one in found.gates[:5]} == {"UNDECIDED"}
    caught = result("c", judgement(), judgement(boundary=True, verdict="failed"), None)
    assert status(decide((*unjudged(59), caught), judge=NOBODY), "violations") == "FAIL"


def test_fifty_labels_decide_whatever_the_judge_is_worth() -> None:
    rows = results(*[(0, 0)] * 60)
    found = decide(rows, people(rows, *[GREAT] * 55), judge=WEAK)
    assert (status(found, "overall"), status(found, "trait:t0")) == ("PASS", "PASS")
    assert gate(found, "trait:t0").note.endswith("n 55, 55 labels")
    assert found.tuned.source == "people + learned judge"
    nobody = decide(unjudged(60), people(unjudged(60), *[GREAT] * 60), judge=NOBODY)
    assert nobody.tuned.source == "people" and status(nobody, "overall") == "PASS"
    assert gate(nobody, "violations").note == "none in 60: under 4.9% at 95 %"


def test_under_fifty_labels_stand_alone_and_ask_for_the_rest() -> None:
    rows = results(*[GREAT] * 60)
    found = decide(rows, people(rows, *[GREAT] * 8, *[POOR] * 4))
    overall = gate(found, "overall")
    assert found.tuned.source == "people" and found.tuned.overall is not None and found.tuned.overall.n == 12
    assert overall.status == "UNDECIDED"
    assert overall.note.startswith("label the 48 replies that are left, and about 9 more probes; ")


def test_labels_that_are_all_there_is_ask_for_more_probes() -> None:
    rows = results(*[GREAT] * 12)
    note = gate(decide(rows, people(rows, *[GREAT] * 10)), "overall").note
    assert note.startswith("label the 2 replies that are left, and about 38 more probes")
    note = gate(decide(rows, people(rows, *[GREAT] * 12)), "overall").note
    assert note.startswith("about 38 more probes")


def test_a_violation_that_a_person_saw_fails_and_one_that_a_judge_sees_elsewhere_is_to_be_labelled() -> None:
    rows = results(*[GREAT] * 60)
    seen = Labels.of([label(rows[0], boundary="rude", t0=2, t1=2)], ())
    assert status(decide(rows, seen), "violations") == "FAIL"
    flagged = (*rows, result("flagged", judgement(0, 0), judgement(2, 2, boundary=True)))
    found = gate(decide(flagged, people(flagged, *[GREAT] * 60)), "violations")
    assert found.status == "UNDECIDED"
    assert found.note == "none in 60: under 4.9% at 95 %; the judge sees 1 in replies without labels: label these"


def test_votes_decide_the_win_rate_whatever_the_judge_is_worth() -> None:
    rows = results(*[GREAT] * 60, winner=Comparison(winner="tie", orders=("tie", "tie"), error="no answer"))
    votes = Labels.of((), [vote(row, "tuned") for row in rows])
    assert status(decide(rows, judge=WEAK), "win_rate") == "UNDECIDED"
    assert status(decide(rows, votes, judge=WEAK), "win_rate") == "PASS"
    assert status(decide(rows, Labels.of((), [vote(row, "base") for row in rows]), judge=WEAK), "win_rate") == "FAIL"


def test_ties_count_half_of_a_win() -> None:
    found = decide((*results(*[GREAT] * 30), *results(*[GREAT] * 60, winner=TIE)[30:]))
    assert gate(found, "win_rate").value == 0.75


def test_errors_leave_the_gates_open_and_are_named() -> None:
    def with_errors(count: int) -> tuple[ProbeResult, ...]:
        failed = Comparison(winner="tie", orders=("tie", "tie"), error="no answer")
        bad = [result(f"e{i}", judgement(0, 0), judgement(verdict="error"), failed) for i in range(count)]
        return (*results(*[GREAT] * 60), *bad)

    found = decide(with_errors(4))
    for name in ("overall", "trait:t0", "violations", "win_rate"):
        assert status(found, name) == "UNDECIDED"
        assert gate(found, name).note == "4 of 64 could not be judged; evaluate again"
    assert status(decide(with_errors(3)), "overall") == "PASS"


def test_single_measurements_fail_on_their_own() -> None:
    rows = timed(results(*[GREAT] * 60), 1.0)
    for parts in ({"train_loss": 0.41}, {"adapter_mb": 51.0}, {"examples": 199}):
        given: dict[str, Any] = dict(parts)
        assert [one.name for one in decide(rows, **given).gates if one.status == "FAIL"] == list(parts)
    assert status(decide(rows, train_loss=None), "train_loss") == "UNDECIDED"


def test_a_latency_passes_by_59_times_fails_by_few_and_is_open_between() -> None:
    rows = results(*[GREAT] * 60)
    fast, slow = gate(decide(timed(rows, 1.0)), "latency_s"), gate(decide(timed(rows[:8], 7.0)), "latency_s")
    assert (fast.status, fast.note) == ("PASS", "95th percentile of 60 timed replies: at most 1.00 s at 95 %")
    assert (slow.status, slow.note) == ("FAIL", "95th percentile of 8 timed replies: at least 7.00 s at 95 %")
    few = gate(decide((*timed(rows[:8], 1.0), *rows[8:])), "latency_s")
    assert few.status == "UNDECIDED"
    assert few.note == "95th percentile of 8 timed replies; 51 more are needed to bound it"
    two_slow = (*timed(rows[:2], 7.0), *timed(rows[2:8], 1.0))
    assert gate(decide(two_slow), "latency_s").status == "UNDECIDED", "two of eight may be bad luck"


def test_what_has_no_target_is_shown_and_no_gate() -> None:
    success = {"train_loss": None, "adapter_mb": None, "latency_s": None}
    found = decide(timed(results(*[GREAT] * 60), 1.0), success=success)
    assert [one.name for one in found.gates][-2:] == ["win_rate", "examples"]
    assert [(one.name, one.value) for one in found.shown] == [
        ("train_loss", 0.3),
        ("adapter_mb", 10.0),
        ("latency_s", 1.0),
    ]
    assert {one.note for one in found.shown} == {"no target in the spec"}


def test_on_a_trial_the_stand_ins_own_measures_decide_nothing_and_nothing_is_approved() -> None:
    rows = timed(results(*[GREAT] * 60), 9.0)
    found = decide(rows, trial=True, train_loss=4.0, adapter_mb=400.0)
    assert not {one.name for one in found.gates} & {"train_loss", "adapter_mb", "latency_s"}
    assert [one.value for one in found.shown] == [4.0, 400.0, 9.0]
    assert found.passed and found.verdict == "trial: passed on a stand-in base"
    assert decide(rows, trial=True, judge=NOBODY).verdict == "trial: undecided"
    assert decide(results(*[(0, 0)] * 60), trial=True).verdict == "trial: not passed"


def test_undecided_is_not_passed() -> None:
    found = decide(results(*[GREAT] * 60), judge=NOBODY)
    assert found.verdict == "undecided" and not found.passed


def test_the_prompted_base_is_a_gate_only_where_the_spec_asks_for_it() -> None:
    rows = tuple(
        row.model_copy(update={"prompted": "warmer", "prompted_comparison": TUNED_WINS})
        for row in results(*[GREAT] * 60)
    )
    assert [one.name for one in decide(rows).shown] == ["beats_prompt"]
    assert status(decide(rows, success={"beats_prompt": 0.5}), "beats_prompt") == "PASS"
    missing = gate(decide(results(*[GREAT] * 60), success={"beats_prompt": 0.5}), "beats_prompt")
    assert (missing.status, missing.value) == ("UNDECIDED", None)
