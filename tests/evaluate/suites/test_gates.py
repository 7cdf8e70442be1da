"""Suites as gates: only where the spec says so, errors in their place, and what an evaluation makes of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.evaluate import Interval, Labels, evaluation_of, restated
from studio.evaluate.suites.report import save_suite, suite_reports
from studio.evaluate.suites.types import SideFigures, SuiteName, SuiteReport
from studio.evaluate.types import Gate
from studio.judge.types import JudgeInfo
from studio.package.contents import write_evidence
from studio.spec import Success, gates_in_words, load
from studio.spec.problems import SpecError
from tests.evaluate.making import NOON, evaluation, results
from tests.evaluate.suites.making import SPEC, write
from tests.package.making import Made

HASH = "df2801a075b1556e"
GOOD = JudgeInfo(name="some judge", agreement={"t0": 0.7, "t1": 0.7})


def span(value: float, low: float, high: float, n: int = 40) -> Interval:
    return Interval(value=value, low=low, high=high, n=n, sd=0.3)


def report(suite: SuiteName, judge: JudgeInfo | None = GOOD, **found: Interval) -> SuiteReport:
    return SuiteReport(
        run_id="run-1",
        suite=suite,
        spec_hash="s" * 64,
        judge=judge,
        items=40,
        files={"built in": 40},
        seed=0,
        max_tokens=64,
        sides={"base": SideFigures(), "tuned": SideFigures()},
        figures=found,
        created=NOON,
        seconds=1,
        fingerprint="f",
    )


def gates(success: dict[str, Any], *reports: SuiteReport) -> dict[str, Gate]:
    from studio.evaluate.gates import gates as all_gates

    found = all_gates(evaluation(results((2, 2)), success=success, suites=reports))
    return {gate.name: gate for gate in found if ":" in gate.name and not gate.name.startswith("trait:")}


def test_a_suite_is_no_gate_unless_the_spec_says_so() -> None:
    measured = report("pressure", break_rate=span(0.5, 0.4, 0.6))
    assert gates({}, measured) == {}
    assert list(gates({"suites": {"pressure": {"break_rate": 0.05}}}, measured)) == ["pressure:break_rate"]


@pytest.mark.parametrize(
    ("figure", "found", "status"),
    [
        (("pressure", "break_rate", 0.1), span(0.02, 0.0, 0.09), "PASS"),
        (("pressure", "break_rate", 0.1), span(0.3, 0.2, 0.4), "FAIL"),
        (("pressure", "break_rate", 0.1), span(0.08, 0.02, 0.2), "UNDECIDED"),
        (("drift", "slope", -0.2), span(0.0, -0.1, 0.1), "PASS"),
        (("drift", "slope", -0.2), span(-0.5, -0.7, -0.3), "FAIL"),
        (("leak", "trait_delta", 0.2), span(0.0, -0.1, 0.1), "PASS"),
        (("leak", "check_drop", 0.1), span(0.3, 0.2, 0.4), "FAIL"),
        (("capability", "perplexity_ratio", 1.1), span(1.02, 1.0, 1.05), "PASS"),
        (("capability", "check_drop", 0.05), span(0.2, 0.1, 0.3), "FAIL"),
    ],
)
def test_a_gate_is_decided_by_the_interval(figure: tuple[Any, str, float], found: Interval, status: str) -> None:
    suite, name, target = figure
    gate = gates({"suites": {suite: {name: target}}}, report(suite).model_copy(update={"figures": {name: found}}))[
        f"{suite}:{name}"
    ]
    assert (gate.status, gate.value, gate.target) == (status, found.value, target)
    assert "n 40" in gate.note


def test_what_was_not_played_is_undecided_and_says_how_to_play_it() -> None:
    gate = gates({"suites": {"pressure": {"break_rate": 0.05}}})["pressure:break_rate"]
    assert gate.status == "UNDECIDED" and gate.note == "not measured: studio evaluate suites SPEC --suite pressure"


def test_a_judge_that_agrees_too_little_decides_nothing_but_rules_do() -> None:
    weak = JudgeInfo(name="learned judge", kind="learned", agreement={"t0": 0.3, "t1": 0.3})
    asked = {"suites": {"pressure": {"break_rate": 0.05}, "leak": {"check_drop": 0.1}}}
    found = gates(
        asked,
        report("pressure", weak, break_rate=span(0.9, 0.8, 1.0)),
        report("leak", weak, check_drop=span(0.5, 0.4, 0.6)),
    )
    assert found["pressure:break_rate"].status == "UNDECIDED" and "agrees" in found["pressure:break_rate"].note
    assert found["leak:check_drop"].status == "FAIL"


def test_the_hash_of_a_spec_that_names_no_suites_is_what_it_was(tmp_path: Path) -> None:
    assert write(tmp_path).hash.startswith(HASH)
    assert not write(tmp_path, "success: {suites: {pressure: {break_rate: 0.05}}}\n").hash.startswith(HASH)


@pytest.mark.parametrize(
    ("line", "where", "told"),
    [
        ("{presure: {break_rate: 0.05}}", "success.suites.presure", "did you mean pressure"),
        ("{pressure: {slope: 0.05}}", "success.suites.pressure.slope", "expected one of break_rate"),
        ("{pressure: {break_rate: 5}}", "success.suites.pressure.break_rate", "a number from 0 to 1"),
        ("{capability: {perplexity_ratio: 0}}", "success.suites.capability.perplexity_ratio", "above 0"),
        ("5", "success.suites", "drift, pressure, leak, capability"),
    ],
)
def test_mistakes_in_the_spec_are_told_in_their_place(tmp_path: Path, line: str, where: str, told: str) -> None:
    with pytest.raises(SpecError) as caught:
        write(tmp_path, f"success:\n  suites: {line}\n")
    problem = caught.value.problems[0]
    assert problem.key == where and problem.line == len(SPEC.splitlines()) + 2 and told in problem.message


def test_the_spec_in_words_names_the_targets(tmp_path: Path) -> None:
    spec = write(tmp_path, "success: {suites: {drift: {slope: -0.1}, leak: {trait_delta: 0.2}}}\n").spec
    words = gates_in_words(spec)
    assert words["drift: slope"][0] == "-0.1" and words["leak: trait delta"][0] == "0.2"
    assert not any(":" in name for name in gates_in_words(spec.model_copy(update={"success": Success()})))


def test_an_evaluation_takes_up_what_the_suites_of_its_run_and_spec_came_to(tmp_path: Path) -> None:
    made = Made(tmp_path)
    before = restated(made.workspace, made.evaluation)
    mine = report("pressure", break_rate=span(0.2, 0.1, 0.3)).model_copy(update={"spec_hash": made.loaded.hash})
    other = report("drift").model_copy(update={"spec_hash": "another"})
    save_suite(made.workspace, mine, ())
    save_suite(made.workspace, other, ())
    assert [one.suite for one in suite_reports(made.workspace, "run-1")] == ["drift", "pressure"]
    found = restated(made.workspace, before)
    assert found.suites == (mine,) and found.id != before.id, "a package tells that more is known"
    kept = evaluation_of(made.workspace, "run-1")
    assert kept is not None and kept.suites == (mine,)
    assert restated(made.workspace, found).id == found.id
    write_evidence(made.loaded, made.run, found, Labels(), None, tmp_path / "package")
    assert "break_rate" in (tmp_path / "package" / "evidence" / "SUITE_RESULTS.json").read_text()
    made.workspace.close()


def test_a_spec_with_targets_loads(tmp_path: Path) -> None:
    line = "success: {suites: {capability: {check_drop: 0.05, perplexity_ratio: 1.1}}}\n"
    found = load(write(tmp_path, line).path).spec.success.suites
    assert found is not None and found.capability.perplexity_ratio == 1.1 and found.drift.slope is None
