"""Comparison of two runs: paired differences of every metric, probes that changed side, gates, settings, loss curves.

A difference is paired by probe: what makes a probe hard is in both runs and falls out. Its interval is a bootstrap over
prompts (:func:`studio.evaluate.intervals.delta`). It is of the judge's marks, so it is to be had only where one judge
marked both; people's labels decide a run's own gates and are left out here, where one run may have them and not the
other. By default it rests on the open probes, and costs no look at the locked ones.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from studio.chatml import Frozen
from studio.evaluate.curves import Curve
from studio.evaluate.intervals import Interval, Span, alpha_at, delta
from studio.evaluate.metrics import OVERALL, POINTS, SHARE, TRAIT, crosses_a_boundary
from studio.evaluate.probes import dealt
from studio.evaluate.report import evaluation_of
from studio.evaluate.types import Evaluation, Gate, ProbeResult
from studio.judge.scoring import mark_of
from studio.store import Workspace
from studio.train import Run, read_metrics, tags

Which = Literal["open", "tune", "locked"]
"""The probes that are compared: ``tune`` are those of which no diagnosis saw anything."""
Outcome = Literal["won", "tied", "lost", "passed", "failed"]
HIDDEN = frozenset({"run_id", "base_path", "data_path", "validation_path", "fingerprint", "created", "recipe", "note"})
"""Of a plan: where things lie and when, which decides nothing."""
_WINS: dict[str, Outcome] = {"tuned": "won", "tie": "tied", "base": "lost"}


class ComparedRun(Frozen):
    """One of the two. ``verdict`` is empty where it is not evaluated."""

    id: str
    name: str
    created: datetime
    loss: float | None
    verdict: str
    probes: int
    judge: str
    curve: Curve

    @property
    def label(self) -> str:
        return f"{self.id} ({self.name})" if self.name else self.id


class MetricDelta(Frozen):
    """A metric of the tuned side on the probes that both runs have: its means there, and second less first."""

    name: str
    first: float
    second: float
    delta: Interval
    by_judge: bool
    """Whether it is the judge's word; what is not is compared whoever judged."""


class ProbeChange(Frozen):
    """A probe that changed side: against the base (``won``, ``tied``, ``lost``) or by itself (``passed``, ``failed``).

    ``scenario`` is empty where it is locked: who reads it would know it.
    """

    probe_id: str
    category: str
    scenario: str
    before: Outcome
    after: Outcome


class GateChange(Frozen):
    name: str
    before: Gate | None
    after: Gate | None


class SettingChange(Frozen):
    name: str
    before: str
    after: str


class RunComparison(Frozen):
    """Second against first. ``paired`` is the number of probes that the differences rest on, of ``which``."""

    first: ComparedRun
    second: ComparedRun
    which: Which
    paired: int
    metrics: tuple[MetricDelta, ...]
    changed: tuple[ProbeChange, ...]
    gates: tuple[GateChange, ...]
    settings: tuple[SettingChange, ...]
    warnings: tuple[str, ...]
    """What is not to be had, or to be read with care, and what is comparable all the same."""


class _Metric(NamedTuple):
    name: str
    width: float
    """Of its range, so that a difference lies within minus that and plus that."""
    of: Callable[[ProbeResult], float | None]
    by_judge: bool = True


def compare_runs(workspace: Workspace, first: Run, second: Run, which: Which = "open") -> RunComparison:
    """Two runs of a workspace, evaluated or not. Reads the disk and asks nobody."""
    both = [evaluation_of(workspace, run.plan.run_id) for run in (first, second)]
    names = tags(workspace)
    sides = [
        ComparedRun(
            id=run.plan.run_id,
            name=names[run.plan.run_id].name if run.plan.run_id in names else "",
            created=run.plan.created,
            loss=run.finished.loss if run.finished else None,
            verdict=one.verdict if one else "",
            probes=len(one.results) if one else 0,
            judge=" ".join((one.judge.name, one.judge.version)).strip() if one else "",
            curve=Curve.of(read_metrics(workspace.runs_dir / run.plan.run_id)),
        )
        for run, one in zip((first, second), both, strict=True)
    ]
    before, after = both
    pairs = paired(before, after, which) if before and after else []
    same_judge = sides[0].judge == sides[1].judge
    metrics = metric_deltas(before, after, pairs, same_judge=same_judge) if before and after else ()
    return RunComparison(
        first=sides[0],
        second=sides[1],
        which=which,
        paired=len(pairs),
        metrics=metrics,
        changed=tuple(_changes(pairs)) if same_judge else (),
        gates=_gates(before, after),
        settings=_settings(first, second, before, after),
        warnings=tuple(_warnings(sides, both, pairs, which)),
    )


def paired(before: Evaluation, after: Evaluation, which: Which) -> list[tuple[ProbeResult, ProbeResult]]:
    """The results of the probes that both have, in the order of the first. One that is locked in either is locked."""
    parts = [_with_parts(one) for one in (before, after)]
    there = {row.probe.id: row for row in parts[1]}
    found = []
    for row in parts[0]:
        other = there.get(row.probe.id)
        if other is None:
            continue
        of = {row.probe.part, other.probe.part}
        if ("locked" in of) == (which == "locked") and (which != "tune" or of == {"tune"}):
            found.append((row, other))
    return found


def _with_parts(one: Evaluation) -> list[ProbeResult]:
    """Of an evaluation from before probes had parts, with those that they would be in."""
    probes = dealt([row.probe for row in one.results])
    rows = zip(one.results, probes, strict=True)
    return [row if row.probe.part else row.model_copy(update={"probe": probe}) for row, probe in rows]


def metric_deltas(
    before: Evaluation, after: Evaluation, pairs: Sequence[tuple[ProbeResult, ProbeResult]], *, same_judge: bool
) -> tuple[MetricDelta, ...]:
    """Every metric that probes of both runs have. On locked probes the interval pays for the looks there were."""
    locked = any(row.probe.part == "locked" for row, _ in pairs)
    alpha = alpha_at(max(before.looks, after.looks)) if locked else alpha_at(1)
    found = []
    for metric in _metrics([name for name in before.traits if name in after.traits]):
        if metric.by_judge and not same_judge:
            continue
        values = [(metric.of(row), metric.of(other)) for row, other in pairs]
        known = [(left, right) for left, right in values if left is not None and right is not None]
        span: Span = (-metric.width, metric.width)
        if (apart := delta(known, alpha=alpha, span=span)) is not None:
            left, right = (sum(some) / len(known) for some in zip(*known, strict=True))
            made = {"name": metric.name, "first": left, "second": right, "delta": apart, "by_judge": metric.by_judge}
            found.append(MetricDelta.model_validate(made))
    return tuple(found)


def _metrics(traits: Sequence[str]) -> list[_Metric]:
    def trait(name: str) -> Callable[[ProbeResult], float | None]:
        def mark(row: ProbeResult) -> float | None:
            found = row.tuned_judgement.traits.get(name)
            return mark_of(found) if found and row.tuned_judgement.verdict != "error" else None

        return mark

    return [
        _Metric("overall", OVERALL[1], lambda row: row.tuned_judgement.total),
        *(_Metric(f"trait:{name}", TRAIT[1], trait(name)) for name in traits),
        _Metric("violations", SHARE[1], _violates),
        _Metric("win_rate", SHARE[1], _won),
        _Metric("beats_prompt", SHARE[1], _won_prompted),
        _Metric("kept", SHARE[1], lambda row: None if row.tuned_kept is None else float(row.tuned_kept), False),
        _Metric("cut", SHARE[1], lambda row: None if row.tuned_error else float(row.tuned_finish == "length"), False),
    ]


def _violates(row: ProbeResult) -> float | None:
    return None if row.tuned_judgement.verdict == "error" else float(crosses_a_boundary(row.tuned_judgement))


def _won(row: ProbeResult) -> float | None:
    one = row.comparison
    return POINTS[one.winner] if one is not None and one.error is None else None


def _won_prompted(row: ProbeResult) -> float | None:
    one = row.prompted_comparison
    return POINTS[one.winner] if one is not None and one.error is None else None


def _changes(pairs: Sequence[tuple[ProbeResult, ProbeResult]]) -> list[ProbeChange]:
    found = []
    for row, other in pairs:
        for left, right in zip(_outcomes(row), _outcomes(other), strict=True):
            if left is not None and right is not None and left != right:
                of, scenario = row.probe, "" if row.probe.part == "locked" else row.probe.scenario
                of_probe = {"probe_id": of.id, "category": of.category, "scenario": scenario}
                found.append(ProbeChange.model_validate({**of_probe, "before": left, "after": right}))
    return found


def _outcomes(row: ProbeResult) -> tuple[Outcome | None, Outcome | None]:
    """Against the base, and by itself; None where nobody could tell."""
    one, verdict = row.comparison, row.tuned_judgement.verdict
    against = _WINS[one.winner] if one is not None and one.error is None else None
    alone: Outcome | None = "passed" if verdict == "passed" else "failed" if verdict == "failed" else None
    return against, alone


def _gates(before: Evaluation | None, after: Evaluation | None) -> tuple[GateChange, ...]:
    sides = [{gate.name: gate for gate in one.gates} if one else {} for one in (before, after)]
    names = dict.fromkeys([*sides[0], *sides[1]])
    return tuple(GateChange(name=name, before=sides[0].get(name), after=sides[1].get(name)) for name in names)


def _settings(
    first: Run, second: Run, before: Evaluation | None, after: Evaluation | None
) -> tuple[SettingChange, ...]:
    """What differs in the plan, its recipe, and how it was evaluated."""
    sides = [{**run.plan.model_dump(exclude=set(HIDDEN)), **run.plan.recipe.model_dump()} for run in (first, second)]
    for side, one in zip(sides, (before, after), strict=True):
        if one is not None:
            evaluated = {"judge": one.judge.name, "judge_version": one.judge.version, "max_tokens": one.max_tokens}
            side |= {**evaluated, "evaluated_by_spec": one.spec_hash, "gates_rest_on": one.scope, "looks": one.looks}
    names = dict.fromkeys([*sides[0], *sides[1]])
    told = [(name, *(_as_text(side.get(name)) for side in sides)) for name in names]
    return tuple(SettingChange(name=name, before=left, after=right) for name, left, right in told if left != right)


def _as_text(value: object) -> str:
    if isinstance(value, tuple | list):
        return ", ".join(map(str, value))
    return "-" if value is None or value == "" else f"{value:g}" if isinstance(value, float) else str(value)


def _warnings(
    sides: Sequence[ComparedRun],
    both: Sequence[Evaluation | None],
    pairs: Sequence[tuple[ProbeResult, ProbeResult]],
    which: Which,
) -> list[str]:
    missing = [side.label for side, one in zip(sides, both, strict=True) if one is None]
    if missing:
        remedy = f"studio evaluate --run {missing[0].split()[0]}"
        return [f"{' and '.join(missing)}: not evaluated ({remedy}); loss and settings are comparable"]
    before, after = [one for one in both if one is not None]
    found = []
    if sides[0].judge != sides[1].judge:
        told = f"{sides[0].judge} judged one, {sides[1].judge} the other: no paired difference of scores or wins"
        found.append(f"{told}; comparable: required terms kept, replies cut, loss")
    ids = [{row.probe.id for row in _with_parts(one) if _is_of(row, which)} for one in (before, after)]
    if not pairs:
        why = "the locked probes are not opened in both" if which == "locked" else "no probe is in both"
        found.append(f"{why}: no paired difference; comparable: gates, each by its own interval, and loss")
    elif ids[0] != ids[1]:
        found.append(f"the probes differ: paired on the {len(pairs)} that both have, of {len(ids[0] | ids[1])}")
    if before.spec_hash != after.spec_hash:
        found.append(
            "evaluated by two versions of the spec: where its traits or rubric changed, marks mean other things"
        )
    if before.tuned.labels or after.tuned.labels or before.votes or after.votes:
        found.append("people's labels and votes decide gates alone: paired differences are the judge's")
    if which == "open" and pairs:
        found.append("open probes may have been read when data was written: --probes locked confirms, after verdicts")
    return found


def _is_of(row: ProbeResult, which: Which) -> bool:
    part = row.probe.part
    return part == which if which != "open" else part != "locked"
