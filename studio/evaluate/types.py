"""What evaluating is asked, what it tells, and the report it leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from studio.chatml import Frozen, Messages
from studio.judge.types import Comparison
from studio.store.records import Judgement

GateStatus = Literal["PASS", "FAIL", "UNDECIDED"]
Bound = Literal[">=", "<="]
AT_MOST = frozenset({"violations", "train_loss", "adapter_mb", "latency_s"})
"""The gates of which less is better."""
Side = Literal["base", "tuned"]


class Probe(Frozen):
    """A held-out conversation, ending with the user's turn, that neither side was trained on.

    ``keep`` are the phrases of the request that a good reply has to carry over (empty: not measured).
    """

    id: str
    category: str
    scenario: str
    messages: Messages
    keep: tuple[str, ...] = ()


class ProbeResult(Frozen):
    """One probe through both sides, judged, and compared in both orders. A reply that failed is an unscored one."""

    probe: Probe
    base: str
    tuned: str
    base_judgement: Judgement
    tuned_judgement: Judgement
    comparison: Comparison
    base_kept: bool | None = None
    tuned_kept: bool | None = None
    base_s: float | None = None
    """Seconds that the reply took on its own; None where it shared a batch with others."""
    tuned_s: float | None = None
    base_error: str | None = None
    """Why there is no reply (which is then empty), such as a base model that only thinks aloud."""
    tuned_error: str | None = None

    @property
    def errors(self) -> tuple[str, ...]:
        """What the calls failed with; empty where all of it was replied to and judged."""
        found = (self.base_judgement.error, self.tuned_judgement.error, self.comparison.error)
        return tuple(error for error in found if error is not None)

    @property
    def nothing_judged(self) -> bool:
        """Whether no reply got a judgement (two equal replies are compared without asking anybody)."""
        return self.base_judgement.verdict == self.tuned_judgement.verdict == "error"


class Interval(Frozen):
    """An estimate with its 95 % interval; ``n`` is the number of samples it rests on."""

    value: float
    low: float
    high: float
    n: int


class SideMetrics(Frozen):
    """Of one side: ``overall`` 0..10, ``traits`` 0..2, ``violations`` share of replies, ``kept`` share,
    ``latency_s`` p95 of the ``timed`` single replies, ``errors`` replies that could not be judged."""

    overall: Interval | None
    traits: dict[str, Interval]
    violations: Interval | None
    kept: Interval | None = None
    latency_s: float | None = None
    timed: int = 0
    errors: int = 0


def bound_of(name: str) -> Bound:
    """How the value of the gate ``name`` has to stand to its target."""
    return "<=" if name in AT_MOST else ">="


def reaches(name: str, value: float, target: float) -> bool:
    """Whether the gate ``name`` is passed with ``value``."""
    return value <= target if bound_of(name) == "<=" else value >= target


class Gate(Frozen):
    """One criterion of ``success``: ``value``, None where it was not measured, is to be ``bound`` its target."""

    name: str
    target: float
    value: float | None
    status: GateStatus
    note: str = ""
    """Why it is undecided, and what it would take: ``12 more probes``."""
    bound: Bound = Field(default_factory=lambda values: bound_of(values["name"]))


class Evaluation(Frozen):
    """``EVALUATION_RESULTS.json``."""

    id: str
    run_id: str
    spec_name: str
    spec_hash: str
    base_model: str
    judge: str
    base: SideMetrics
    tuned: SideMetrics
    win_rate: Interval | None
    categories: dict[str, dict[Side, float]]
    """Mean overall score by probe category."""
    gates: tuple[Gate, ...]
    results: tuple[ProbeResult, ...]
    train_loss: float | None
    adapter_mb: float | None
    examples: int
    created: datetime
    seconds: float
    fingerprint: str
    """Of all that decides the evaluation: run, probes, judge. The same one is not evaluated twice."""

    @property
    def passed(self) -> bool:
        return all(gate.status == "PASS" for gate in self.gates)

    @property
    def whole(self) -> bool:
        """Whether everything in ``results`` was judged; where not, evaluating again asks for the rest."""
        return not any(result.errors for result in self.results)


class EvaluateStarted(Frozen):
    kind: Literal["evaluate_started"] = "evaluate_started"
    run_id: str
    judge: str
    probes: int


class ProbeScored(Frozen):
    kind: Literal["probe_scored"] = "probe_scored"
    result: ProbeResult
    done: int
    probes: int
    eta_s: float | None = None


class EvaluateFinished(Frozen):
    kind: Literal["evaluate_finished"] = "evaluate_finished"
    evaluation_id: str
    gates: tuple[Gate, ...]
    seconds: float


EvaluateEvent = Annotated[EvaluateStarted | ProbeScored | EvaluateFinished, Field(discriminator="kind")]
