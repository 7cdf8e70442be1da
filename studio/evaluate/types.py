"""What evaluating is asked, what it tells, and the report it leaves."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from studio.chatml import Frozen, Messages
from studio.evaluate.intervals import Interval
from studio.evaluate.suites.types import SuiteReport
from studio.judge.agreement import PassAgreement, TraitAgreement
from studio.judge.bias import OrderConsistency
from studio.judge.canaries import CanariesJudged, JudgedCanary
from studio.judge.types import Comparison, Finish, JudgeInfo
from studio.spec import Success
from studio.store.records import Judgement

GateStatus = Literal["PASS", "FAIL", "UNDECIDED"]
Bound = Literal[">=", "<="]
AT_MOST = frozenset(
    {
        *("violations", "train_loss", "adapter_mb", "latency_s"),
        *("pressure:break_rate", "leak:trait_delta", "leak:check_drop"),
        *("capability:check_drop", "capability:perplexity_ratio"),
    }
)
"""The gates of which less is better."""
Side = Literal["base", "tuned"]
SIDES: tuple[Side, Side] = ("base", "tuned")
Asked = Literal["base", "tuned", "prompted"]
"""``prompted`` is the base model with the persona as its system prompt."""
Part = Literal["diagnose", "tune", "locked"]
"""``diagnose`` may be read to write data, ``tune`` to choose among runs, ``locked`` is opened for a verdict only."""
Scope = Literal["all", "open", "locked"]
"""The probes that means and gates rest on; ``open`` are those of ``diagnose`` and ``tune``."""


class Probe(Frozen):
    """A held-out conversation, ending with the user's turn, that neither side was trained on.

    ``keep`` are the phrases of the request that a good reply has to carry over (empty: not measured).
    """

    id: str
    category: str
    scenario: str
    messages: Messages
    keep: tuple[str, ...] = ()
    part: Part | None = None
    """None in an evaluation from before probes had parts."""


class Reply(Frozen):
    """One side's reply to one probe. ``finish`` is ``length`` where it was cut at ``deployment.max_tokens``."""

    probe_id: str
    side: Asked
    text: str
    finish: Finish = "stop"
    seconds: float | None = None
    """That it took on its own; None where it shared a batch with others."""
    error: str | None = None
    """Why there is no reply (``text`` is then empty), such as a base model that only thinks aloud."""


class SideResult(NamedTuple):
    """What one side made of a probe; see :class:`ProbeResult`."""

    reply: str
    judgement: Judgement
    kept: bool | None
    seconds: float | None
    error: str | None
    finish: Finish


class ProbeResult(Frozen):
    """One probe through both sides, judged, and compared in both orders. A reply that failed is an unscored one."""

    probe: Probe
    base: str
    tuned: str
    base_judgement: Judgement
    tuned_judgement: Judgement
    comparison: Comparison | None
    """None where nobody is there to compare."""
    base_kept: bool | None = None
    tuned_kept: bool | None = None
    base_s: float | None = None
    tuned_s: float | None = None
    """Seconds that the reply took on its own; None where it shared a batch with others."""
    base_error: str | None = None
    tuned_error: str | None = None
    base_finish: Finish = "stop"
    tuned_finish: Finish = "stop"
    prompted: str | None = None
    """The reply of the base model with the persona as its system prompt; None where that was not asked."""
    prompted_error: str | None = None
    """Why there is none, such as a context too short for the prompt, or a template that takes none."""
    prompted_comparison: Comparison | None = None
    """As ``comparison``, with the prompted base in the place of the base."""

    def of(self, side: Side) -> SideResult:
        tuned = (self.tuned, self.tuned_judgement, self.tuned_kept, self.tuned_s, self.tuned_error, self.tuned_finish)
        base = (self.base, self.base_judgement, self.base_kept, self.base_s, self.base_error, self.base_finish)
        return SideResult(*(base if side == "base" else tuned))

    @property
    def errors(self) -> tuple[str, ...]:
        """What the calls failed with; empty where all of it was replied to and judged."""
        compared = (one.error for one in (self.comparison, self.prompted_comparison) if one is not None)
        found = (self.base_judgement.error, self.tuned_judgement.error, *compared)
        return tuple(error for error in found if error is not None)


class SideMetrics(Frozen):
    """Of one side: ``overall`` 0..10, ``traits`` 0..2, ``violations`` share of replies with a boundary crossed."""

    overall: Interval | None = None
    traits: dict[str, Interval] = {}
    violations: Interval | None = None
    kept: Interval | None = None
    """Share of the replies that keep the required terms of their probe."""
    n: int = 0
    """Replies."""
    judged: int = 0
    """Replies that the judge gave marks."""
    labels: int = 0
    """Replies that people gave marks."""
    source: str = ""
    """Who the means are of: ``gpt-5-mini``, ``people``, ``people + gpt-5-mini``."""
    cut: float | None = None
    """Share of the replies that were cut at ``deployment.max_tokens``."""
    unlabelled_violations: int = 0
    """Replies without labels in which the judge sees a boundary crossed."""
    latency_s: float | None = None
    """95th percentile of the ``timed`` single replies (nearest rank)."""
    latency_low: float | None = None
    latency_high: float | None = None
    """One-sided 95 % bounds of the percentile, by order statistics; None where too few were timed."""
    timed: int = 0
    errors: int = 0
    """Replies that could not be judged, and that nobody labelled."""


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
    """What it rests on; where it is undecided, what it would take: ``about 40 more probes``."""
    bound: Bound = Field(default_factory=lambda values: bound_of(values["name"]))


class Shown(Frozen):
    """What was measured and decides nothing: a criterion without a target, or one of the model to deploy on a trial."""

    name: str
    value: float | None
    note: str = ""


class SideTrust(Frozen):
    """Of one side: what the judge alone says, and what it comes to corrected by people's labels."""

    judged: SideMetrics = SideMetrics()
    """By the judge alone: what the means beside it were before labels corrected them."""
    passed: Interval | None = None
    """Share of replies that would be accepted as an example: corrected by labels where there are some."""
    passed_judged: Interval | None = None
    """The same by the judge alone."""
    length_correlation: float | None = None
    """Spearman's, of the judge's total with the number of words; None under ten replies, or of one score throughout."""


class Trust(Frozen):
    """How far the judge's marks of an evaluation may be believed: read beside the gates, which it does not decide."""

    sides: dict[Side, SideTrust] = {}
    traits: dict[str, TraitAgreement] = {}
    """Agreement of the judge with people's labels of these very replies, reweighted where their draw was balanced."""
    passes: PassAgreement | None = None
    order: OrderConsistency | None = None
    """Of pairwise comparisons; None where no model compared."""
    canaries: tuple[JudgedCanary, ...] = ()


class Evaluation(Frozen):
    """``EVALUATION_RESULTS.json``. What is said of the results follows from them and from people's labels alone
    (:func:`studio.evaluate.report.restate`)."""

    id: str
    run_id: str
    spec_name: str
    spec_hash: str
    base_model: str
    judge: JudgeInfo
    traits: tuple[str, ...]
    success: Success
    trial: bool
    """Whether the base model is a stand-in for ``deployment.base_model``."""
    max_tokens: int
    results: tuple[ProbeResult, ...]
    train_loss: float | None
    adapter_mb: float | None
    examples: int
    created: datetime
    seconds: float
    fingerprint: str
    """Of all that decides the evaluation: spec with probes, run, adapter, base model, judge. The same one is not
    evaluated twice."""
    base: SideMetrics = SideMetrics()
    tuned: SideMetrics = SideMetrics()
    win_rate: Interval | None = None
    """Tuned against base, ties count half."""
    beats_prompt: Interval | None = None
    """Tuned against the base model with the persona as its system prompt."""
    delta: Interval | None = None
    """Overall score, tuned less base, paired by probe."""
    categories: dict[str, dict[Side, float]] = {}
    """Mean overall score by probe category."""
    suites: tuple[SuiteReport, ...] = ()
    """What the suites beside the probes came to, where they were played with this version of the spec."""
    gates: tuple[Gate, ...] = ()
    shown: tuple[Shown, ...] = ()
    votes: int = 0
    """Pairs of replies that people compared."""
    scope: Scope = "all"
    looks: int = 0
    """How often the locked probes had been looked at, this time included; 0: they are unopened, or nobody counted."""
    trust: Trust = Trust()
    """What speaks for and against the judge's marks of this evaluation."""

    @property
    def counted(self) -> tuple[ProbeResult, ...]:
        """The results that means and gates rest on."""
        if self.scope == "all":
            return self.results
        return tuple(row for row in self.results if (row.probe.part == "locked") == (self.scope == "locked"))

    @property
    def is_verdict(self) -> bool:
        """Whether the locked probes were opened: what rests on the open ones alone approves nothing."""
        return self.scope != "open"

    @property
    def passed(self) -> bool:
        return self.is_verdict and all(gate.status == "PASS" for gate in self.gates)

    @property
    def verdict(self) -> str:
        """``approved for deployment``, ``not approved``, ``undecided``; of a trial ``trial: ...`` and on the open
        probes alone ``provisional: ...``, no approval."""
        statuses = {gate.status for gate in self.gates}
        if not self.is_verdict:
            word = "not passed" if "FAIL" in statuses else "undecided" if "UNDECIDED" in statuses else "passed"
            return f"provisional: {word} on the open probes"
        if "FAIL" in statuses:
            return "trial: not passed" if self.trial else "not approved"
        if "UNDECIDED" in statuses:
            return "trial: undecided" if self.trial else "undecided"
        return "trial: passed on a stand-in base" if self.trial else "approved for deployment"

    @property
    def whole(self) -> bool:
        """Whether everything in ``results`` was judged; where not, evaluating again asks for the rest."""
        return not any(result.errors for result in self.results)


class EvaluateStarted(Frozen):
    kind: Literal["evaluate_started"] = "evaluate_started"
    run_id: str
    judge: str
    probes: int


class RepliesCame(Frozen):
    """While no probe is scored yet."""

    kind: Literal["replies_came"] = "replies_came"
    done: int
    replies: int


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


EvaluateEvent = Annotated[
    EvaluateStarted | RepliesCame | CanariesJudged | ProbeScored | EvaluateFinished, Field(discriminator="kind")
]
