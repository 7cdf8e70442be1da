"""Each criterion decided by what was measured, and only by that."""

from __future__ import annotations

from studio.evaluate.gates import MIN_SAMPLES, gates
from studio.evaluate.types import Gate, Interval, SideMetrics
from studio.spec import Spec

SPEC = Spec.model_validate(
    {
        "schema": 2,
        "name": "Test",
        "purpose": "to test",
        "traits": [{"name": "kind", "is": "kind"}],
        "scenarios": {"greeting": {"items": ["says hello"]}},
    }
)


def interval(value: float, n: int = 40) -> Interval:
    return Interval(value=value, low=value, high=value, n=n)


def decide(
    overall: Interval | None = None,
    trait: float = 1.6,
    violations: float = 0.0,
    latency: float | None = 1.0,
    timed: int = MIN_SAMPLES,
    errors: int = 0,
    not_compared: int = 0,
    win: float = 0.8,
    loss: float | None = 0.3,
    size: float | None = 10.0,
    examples: int = 200,
) -> dict[str, Gate]:
    side = SideMetrics(
        overall=overall or interval(8.0),
        traits={"kind": interval(trait)},
        violations=interval(violations),
        latency_s=latency,
        timed=timed,
        errors=errors,
    )
    found = gates(
        SPEC, side, interval(win), not_compared=not_compared, train_loss=loss, adapter_mb=size, examples=examples
    )
    return {gate.name: gate for gate in found}


def test_everything_good_passes_every_gate() -> None:
    assert {gate.status for gate in decide().values()} == {"PASS"}
    assert list(decide()) == [
        "overall",
        "trait:kind",
        "violations",
        "win_rate",
        "train_loss",
        "adapter_mb",
        "latency_s",
        "examples",
    ]


def test_each_shortfall_fails_its_own_gate_alone() -> None:
    shortfalls = {
        "overall": decide(overall=interval(7.4)),
        "trait:kind": decide(trait=1.4),
        "violations": decide(violations=0.01),
        "win_rate": decide(win=0.69),
        "train_loss": decide(loss=0.41),
        "adapter_mb": decide(size=51.0),
        "latency_s": decide(latency=2.1),
        "examples": decide(examples=199),
    }
    for name, found in shortfalls.items():
        assert [gate.name for gate in found.values() if gate.status == "FAIL"] == [name]


def test_too_few_samples_decide_nothing_and_say_how_many_more() -> None:
    gate = decide(overall=interval(9.9, n=MIN_SAMPLES - 6))["overall"]
    assert (gate.status, gate.value, gate.note) == ("UNDECIDED", 9.9, "6 more held-out probes needed")


def test_what_was_not_measured_is_not_passed() -> None:
    empty = SideMetrics(overall=None, traits={}, violations=None)
    found = gates(SPEC, empty, None, train_loss=None, adapter_mb=None, examples=200)
    undecided = {gate.name for gate in found if gate.status == "UNDECIDED" and gate.value is None}
    assert undecided == {gate.name for gate in found} - {"examples"}


def test_more_than_a_few_replies_without_a_judgement_leave_the_gates_open_and_are_named() -> None:
    found = decide(errors=3)
    open_gates = {gate.name for gate in found.values() if gate.status == "UNDECIDED"}
    assert open_gates == {"overall", "trait:kind", "violations"}
    assert found["overall"].note == "3 of 43 could not be judged; evaluate again"
    few = decide(errors=2)["overall"]
    assert few.status == "PASS" and few.note.endswith("2 could not be judged")
    assert decide(not_compared=3)["win_rate"].status == "UNDECIDED"


def test_errors_are_not_mended_by_more_probes() -> None:
    gate = decide(overall=interval(9.0, n=12), errors=30)["overall"]
    assert (gate.status, gate.note) == ("UNDECIDED", "30 of 42 could not be judged; evaluate again")


def test_a_latency_of_few_replies_decides_nothing() -> None:
    gate = decide(timed=12)["latency_s"]
    assert (gate.status, gate.value, gate.note) == ("UNDECIDED", 1.0, "8 more timed replies needed")
    assert decide()["latency_s"].note == "95th percentile of 20 timed replies"
