"""Quality gates: PASS where the one-sided 95 % bound clears the target, FAIL where the other misses it, else UNDECIDED.

A mean is decided by its interval (:mod:`studio.evaluate.intervals`), never by its estimate: judged by that, a model
that stands exactly at the gate passes every other time. All gates have to pass, so none needs a correction for their
number (intersection-union). A judge decides where its measured agreement with people allows; people's labels of the
run's own replies decide whatever the judge is worth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

from studio.evaluate.gate_text import number, span
from studio.evaluate.intervals import ALPHA, Interval
from studio.evaluate.metrics import MIN_LABELS
from studio.evaluate.types import Evaluation, Gate, GateStatus, Shown, SideMetrics, bound_of, reaches
from studio.judge.types import JudgeInfo

MAX_ERRORS = 0.05
"""The share of replies without a judgement above which the judged ones may not stand for all."""
NONE_IN = math.ceil(math.log(ALPHA) / math.log(1 - 0.05))
"""Replies of which none may cross a boundary before a rate of zero passes: 59, which bounds it under 5 %."""
REMEDY = f"label {MIN_LABELS} of this run's replies (ten minutes), or set a judge"
PAIR_REMEDY = REMEDY.replace("replies", "pairs")
NONE_REMEDY = REMEDY.replace(str(MIN_LABELS), str(NONE_IN))
ON_STAND_IN = "measured on the stand-in base: decides nothing"
NO_TARGET = "no target in the spec"


def gates(evaluation: Evaluation) -> tuple[Gate, ...]:
    """One gate a criterion that has a target and applies, in the order of the spec's ``success``; one a trait."""
    success, tuned = evaluation.success, evaluation.tuned
    found = [
        _mean("overall", tuned.overall, success.overall, evaluation, _mean_distrust(evaluation)),
        *(
            _mean(f"trait:{name}", tuned.traits.get(name), success.trait, evaluation, trait_distrust(evaluation, name))
            for name in evaluation.traits
        ),
        _violations(evaluation),
        _mean("win_rate", evaluation.win_rate, success.win_rate, evaluation, _pair_distrust(evaluation), pair=True),
    ]
    if success.beats_prompt is not None:
        distrust = _pair_distrust(evaluation)
        prompt = evaluation.beats_prompt
        found.append(_mean("beats_prompt", prompt, success.beats_prompt, evaluation, distrust, pair=True))
    for name, value, target in _singles(evaluation):
        if target is not None and not evaluation.trial:
            found.append(_latency(tuned, target) if name == "latency_s" else _single(name, value, target))
    return (*found, _single("examples", float(evaluation.examples), float(success.examples)))


def shown(evaluation: Evaluation) -> tuple[Shown, ...]:
    """What was measured and decides nothing."""
    found = []
    if evaluation.success.beats_prompt is None and (won := evaluation.beats_prompt) is not None:
        found.append(Shown(name="beats_prompt", value=won.value, note=_rests_on("beats_prompt", won)))
    for name, value, target in _singles(evaluation):
        if target is None or evaluation.trial:
            found.append(Shown(name=name, value=value, note=NO_TARGET if target is None else ON_STAND_IN))
    return tuple(found)


def trait_distrust(evaluation: Evaluation, trait: str) -> str:
    """Why the judge may not decide this trait's gate; empty where it may. Its kappa is taken as the point estimate."""
    judge, needed = evaluation.judge, evaluation.success.agreement
    kappa = judge.agreement.get(trait)
    return _unknown(judge, REMEDY) if kappa is None else _short(kappa, needed, REMEDY)


def _mean_distrust(evaluation: Evaluation, remedy: str = REMEDY) -> str:
    """As :func:`trait_distrust`, of what rests on all traits: by the mean of their agreements."""
    judge = evaluation.judge
    known = [judge.agreement[name] for name in evaluation.traits if name in judge.agreement]
    if len(known) < len(evaluation.traits):
        return _unknown(judge, remedy)
    return _short(sum(known) / len(known), evaluation.success.agreement, remedy, "on average ")


def _pair_distrust(evaluation: Evaluation) -> str:
    """As :func:`trait_distrust`, of comparisons: the mean agreement, and that on passing, which has to be as far above
    chance (``2 p - 1``, the prevalence-adjusted kappa)."""
    if told := _mean_distrust(evaluation, PAIR_REMEDY):
        return told
    passing, needed = evaluation.judge.pass_agreement, evaluation.success.agreement
    if passing is None:
        return f"the judge's agreement on passing is not measured: {PAIR_REMEDY}"
    return _short(passing, (1 + needed) / 2, PAIR_REMEDY, "on passing ")


def _unknown(judge: JudgeInfo, remedy: str) -> str:
    if judge.kind == "nobody":
        return f"nobody judged: {remedy}"
    return f"the judge's agreement with people is not measured: {remedy}"


def _short(agreement: float, needed: float, remedy: str, how: str = "") -> str:
    if agreement >= needed:
        return ""
    return f"judge agrees {how}{number(agreement)} of {number(needed)} needed: {remedy}"


def _mean(
    name: str, found: Interval | None, target: float, evaluation: Evaluation, distrust: str, *, pair: bool = False
) -> Gate:
    """A mean or a win rate by its bounds."""
    if found is None:
        return _gate(name, None, target, distrust or "not measured: no judged replies")
    if not found.labels:
        if distrust:
            return _gate(name, found.value, target, distrust)
        if told := _unjudged(evaluation, pair):
            return _gate(name, found.value, target, told)
    rests_on = _rests_on(name, found)
    if reaches(name, found.upper if bound_of(name) == "<=" else found.lower, target):
        return _gate(name, found.value, target, rests_on, "PASS")
    if not reaches(name, found.lower if bound_of(name) == "<=" else found.upper, target):
        return _gate(name, found.value, target, rests_on, "FAIL")
    more, unlabelled = found.more_to_decide(target), evaluation.tuned.n - found.n
    told = "too close to the target to tell" if more is None else _count(more, found.labels, unlabelled, pair)
    return _gate(name, found.value, target, f"{told}; {rests_on}")


def _violations(evaluation: Evaluation) -> Gate:
    """Of a target of zero any violation fails, and none in n only bounds the rate; above zero it is a rate."""
    name, target, tuned = "violations", evaluation.success.violations, evaluation.tuned
    found, distrust = tuned.violations, _mean_distrust(evaluation, NONE_REMEDY if target == 0 else REMEDY)
    if found is None:
        return _gate(name, None, target, distrust or "not measured: no judged replies")
    by_rules = evaluation.judge.kind == "nobody" and found.value > 0
    if target > 0:
        return _mean(name, found, target, evaluation, "" if by_rules else distrust)
    seen = f"{round(found.value * found.n)} of {found.n}"
    if not found.labels and not by_rules and distrust:
        return _gate(name, found.value, target, f"{seen}; {distrust}")
    if found.value > 0:
        return _gate(name, found.value, target, f"{seen} replies cross a boundary", "FAIL")
    if told := _unjudged(evaluation) if not found.labels else "":
        return _gate(name, found.value, target, told)
    bound = f"none in {found.n}: under {found.upper:.1%} at 95 %"
    if found.labels and tuned.unlabelled_violations:
        other = f"the judge sees {tuned.unlabelled_violations} in replies without labels: label these"
        return _gate(name, found.value, target, f"{bound}; {other}")
    if found.n < NONE_IN:
        more = _count(NONE_IN - found.n, found.labels, tuned.n - found.n)
        return _gate(name, found.value, target, f"{more}; {bound}")
    return _gate(name, found.value, target, bound, "PASS")


def _latency(tuned: SideMetrics, target: float) -> Gate:
    """By order statistics of the replies that were timed alone: a 95th percentile is bounded from above by 59 only."""
    name, rests_on = "latency_s", f"95th percentile of {tuned.timed} timed replies"
    if tuned.latency_s is None:
        return _gate(name, None, target, "not measured")
    if tuned.latency_high is not None and tuned.latency_high <= target:
        return _gate(name, tuned.latency_s, target, f"{rests_on}: at most {tuned.latency_high:.2f} s at 95 %", "PASS")
    if tuned.latency_low is not None and tuned.latency_low > target:
        return _gate(name, tuned.latency_s, target, f"{rests_on}: at least {tuned.latency_low:.2f} s at 95 %", "FAIL")
    more = f"{NONE_IN - tuned.timed} more are needed to bound it" if tuned.timed < NONE_IN else "too close to tell"
    return _gate(name, tuned.latency_s, target, f"{rests_on}; {more}")


def _unjudged(evaluation: Evaluation, pair: bool = False) -> str:
    """What is to be said where too many replies, or pairs, have no judgement to stand for all."""
    asked = len(evaluation.results)
    failed = evaluation.tuned.errors
    if pair:
        failed = sum(row.comparison is not None and row.comparison.error is not None for row in evaluation.results)
    return f"{failed} of {asked} could not be judged; evaluate again" if failed > MAX_ERRORS * asked else ""


def _count(more: int, labels: int, unlabelled: int, pair: bool = False) -> str:
    """``about 40 more probes``; of labels first of all those replies that have none."""
    if labels and 0 < more <= unlabelled:
        return f"{'compare' if pair else 'label'} about {more} more {'pairs' if pair else 'replies'}"
    if labels and unlabelled > 0:
        rest = f"{unlabelled} {'pairs' if pair else 'replies'} that are left, and about {more - unlabelled} more probes"
        return f"{'compare' if pair else 'label'} the {rest}"
    return f"about {more} more probes"


def _rests_on(name: str, found: Interval) -> str:
    people = f", {found.labels} labels" if found.labels else ""
    return f"95 %: {span(name, found.low, found.high)}, n {found.n}{people}"


def _singles(evaluation: Evaluation) -> Iterator[tuple[str, float | None, float | None]]:
    """Name, value and target of what is one measurement, not a sample of replies; and of the latency. They speak of the
    base model that was trained, and decide nothing where it is not the one to deploy."""
    success = evaluation.success
    yield "train_loss", evaluation.train_loss, success.train_loss
    yield "adapter_mb", evaluation.adapter_mb, success.adapter_mb
    yield "latency_s", evaluation.tuned.latency_s, success.latency_s


def _single(name: str, value: float | None, target: float) -> Gate:
    if value is None:
        return _gate(name, None, target, "not measured")
    return _gate(name, value, target, "", "PASS" if reaches(name, value, target) else "FAIL")


def _gate(name: str, value: float | None, target: float, note: str, status: GateStatus = "UNDECIDED") -> Gate:
    return Gate(name=name, target=target, value=value, status=status, note=note)
