"""The plan: targets, and which scenario is written next."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

from studio.chatml import assistant, user
from studio.generate.ledger import Ledger, balance, coverage, wanted
from studio.spec import LoadedSpec
from studio.store import Example, Judgement, Workspace
from tests.generate.making import loaded_spec

SCENARIOS = {
    "a": {"priority": "high", "target": 30, "items": ["a1", "a2", "a3"]},
    "b": {"priority": "low", "target": 10, "items": ["b1"]},
    "probe": {"holdout": True, "items": ["Hello?"]},
}


def spec(spec_hash: str = "now", **success: object) -> LoadedSpec:
    return loaded_spec(spec_hash=spec_hash, scenarios=SCENARIOS, success={"examples": 40, **success})


def store(workspace: Workspace, number: int, scenario: str, verdict: str = "passed", spec_hash: str = "now") -> None:
    now = datetime.now(UTC)
    example = Example(
        id=f"{scenario}-{number}",
        spec_hash=spec_hash,
        category=scenario[0],
        scenario=scenario,
        person_id="x",
        messages=(user("Hi"), assistant("Hello")),
        author="author",
        created=now,
    )
    judged = Judgement.model_validate({"judge": "judge", "spec_hash": spec_hash, "verdict": verdict, "at": now})
    workspace.examples.add_example(example, judged)


def test_targets_grow_by_priority_and_shrink_in_proportion() -> None:
    assert wanted(spec().spec) == {"a": 30, "b": 10}
    assert wanted(spec().spec, 80) == {"a": 60, "b": 20}
    assert wanted(spec().spec, 40) == {"a": 30, "b": 10}
    assert wanted(spec().spec, 10) == {"a": 8, "b": 2}, "of two remainders of a half the first category's is filled"
    for examples in range(1, 90):
        assert sum(wanted(spec().spec, examples).values()) == examples


def test_it_fills_evenly_and_never_writes_more_than_is_missing(tmp_path: Path) -> None:
    ledger = Ledger(spec(), Workspace.open(tmp_path, "p"))
    order = []
    while (pair := ledger.next()) is not None:
        order.append(pair)
    assert Counter(category for category, _ in order) == {"a": 30, "b": 10}
    assert Counter(scenario for _, scenario in order) == {"a1": 10, "a2": 10, "a3": 10, "b1": 10}
    half = Counter(category for category, _ in order[:20])
    assert abs(half["a"] - 15) <= 1, "categories keep pace with each other"
    ledger.landed(*order[0], "rejected")
    assert ledger.next() is not None and ledger.next() is None


def test_it_goes_on_from_what_is_stored(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "p")
    for number in range(9):
        store(workspace, number, "a1")
    ledger = Ledger(spec(), workspace)
    first = [pair for pair in (ledger.next() for _ in range(20)) if pair is not None]
    assert Counter(scenario for _, scenario in first)["a1"] == 0
    assert ledger.missing == 31


def test_a_scenario_that_keeps_failing_yields_to_the_others_and_ends_with_its_attempts(tmp_path: Path) -> None:
    ledger = Ledger(spec(), Workspace.open(tmp_path, "p"), max_attempts=2)
    tried: Counter[str] = Counter()
    while (pair := ledger.next()) is not None:
        tried[pair[1]] += 1
        ledger.landed(*pair, "rejected" if pair[1] in ("a2", "b1") else "accepted")
    assert tried["a1"] + tried["a3"] == 30
    assert tried["b1"] == 20, "twice what is missing, and then no more"
    assert ledger.short() == [("b", 0, 10)]
    assert ledger.thin() == ["a2", "b1"]


def test_what_there_is_an_end_of_is_written_to_its_end_unless_fewer_are_asked_for(tmp_path: Path) -> None:
    left = {("a", "a1"): 30, ("a", "a2"): 2, ("b", "b1"): 15}

    def order(ledger: Ledger) -> list[tuple[str, str]]:
        found = []
        while (pair := ledger.next()) is not None:
            found.append(pair)
            ledger.landed(*pair, "rejected" if pair[1] == "a2" else "accepted")
        return found

    workspace = Workspace.open(tmp_path, "p")
    whole = Ledger(spec(), workspace, left=left)
    played = order(whole)
    assert Counter(scenario for _, scenario in played) == {"a1": 30, "a2": 2, "b1": 15}, "beyond the target of b"
    assert {category for category, _ in played[:4]} == {"a", "b"}, "in the order of the plan"
    assert not whole.wants and whole.short() == []
    fewer = order(Ledger(spec(), workspace, 10, left=left))
    assert Counter(category for category, _ in fewer) == {"a": 8 + Counter(fewer)["a", "a2"], "b": 2}
    assert len(order(Ledger(spec(), workspace, 80, left=left))) == 47, "more are wanted than there are"


def test_where_nobody_judges_nothing_is_written_beyond_what_waits_for_a_person(tmp_path: Path) -> None:
    ledger = Ledger(spec(), Workspace.open(tmp_path, "p"), judged=False)
    while (pair := ledger.next()) is not None:
        ledger.landed(*pair, "pending")
    assert ledger.waiting == 40 and ledger.missing == 0
    assert [accepted for _, accepted, _ in ledger.short()] == [0, 0]


def test_coverage_counts_what_this_spec_judged_in_scenarios_that_it_has(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "p")
    store(workspace, 1, "a1")
    store(workspace, 2, "a1", "failed")
    store(workspace, 3, "a2", "error")
    store(workspace, 4, "a2", spec_hash="before")
    store(workspace, 5, "a9")
    a, b = coverage(spec(), workspace)
    assert (a.category, a.target, a.accepted, a.rejected, a.pending) == ("a", 30, 1, 1, 1)
    assert (b.category, b.target, b.accepted) == ("b", 10, 0)
    assert [one.target for one in coverage(spec(), workspace, 80)] == [60, 20]


def test_balance_tells_missing_under_and_over_represented_scenarios(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "p")
    for scenario, number in (("a1", 4), ("a2", 16), ("b1", 10)):
        for index in range(number):
            store(workspace, index, scenario)
    found = {one.scenario: one.standing for one in balance(spec(), workspace)}
    assert found == {"a1": "under", "a2": "over", "a3": "missing", "b1": "even"}
