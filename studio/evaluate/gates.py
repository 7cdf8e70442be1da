"""Quality gates: PASS where the 95 % interval lies beyond the target, FAIL where it misses it, else UNDECIDED.

A mean is decided by its interval (:mod:`studio.evaluate.intervals`), never by its estimate: judged by that, a model
that stands exactly at the gate passes every other time, by the interval's end in 2.5 %. All gates have to pass, so none
needs a correction for their number (intersection-union); looking again at the locked probes does, and the interval is
then wider (:func:`studio.evaluate.intervals.alpha_at`). A judge decides where its measured agreement with people
allows; people's labels of the run's own replies decide whatever the judge is worth.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache

from studio.evaluate.gate_text import label, number, percent, span
from studio.evaluate.intervals import ALPHA, Interval, Span, alpha_at, mean
from studio.evaluate.metrics import MIN_LABELS, OVERALL, SHARE, TRAIT
from studio.evaluate.suites.gates import suite_gates
from studio.evaluate.types import Evaluation, Gate, GateStatus, Shown, SideMetrics, bound_of, reaches
from studio.judge.types import JudgeInfo

MAX_ERRORS = 0.05
"""The share of replies without a judgement above which the judged ones may not stand for all."""
MOST_PROBES = 10_000
MOST_VIOLATIONS = 0.05
"""The rate of violations that none in so many replies has to bound, one-sided, before a target of zero passes."""
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
    found += suite_gates(success, evaluation.suites, lambda judge: _suite_distrust(evaluation, judge))
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


def out_of_reach(evaluation: Evaluation) -> dict[str, int]:
    """The gates that even perfect replies to so few probes could not pass, with the probes that each would take.

    By the interval of a sample without a fault, at the level that this look has.
    """
    alpha, n, success = alpha_at(evaluation.looks), len(evaluation.counted), evaluation.success
    wanted: list[tuple[str, float, Span]] = [
        ("overall", success.overall, OVERALL),
        *((f"trait:{name}", success.trait, TRAIT) for name in evaluation.traits),
        ("win_rate", success.win_rate, SHARE),
    ]
    if success.beats_prompt is not None:
        wanted.append(("beats_prompt", success.beats_prompt, SHARE))
    found = {name: _least_to_reach(target, span, alpha) for name, target, span in wanted}
    violations = none_in(alpha) if success.violations == 0 else none_in(alpha / 2, success.violations)
    return {name: least for name, least in {**found, "violations": violations}.items() if least > n}


def reach_text(evaluation: Evaluation) -> str:
    """``even perfect replies to 20 probes could not pass violations (takes 59)``; empty where they could."""
    needed = [f"{label(name)} (takes {least})" for name, least in out_of_reach(evaluation).items()]
    if not needed:
        return ""
    kind = {"open": "open ", "locked": "locked "}.get(evaluation.scope, "")
    told = f"too few: even perfect replies to {len(evaluation.counted)} {kind}probes could not pass {', '.join(needed)}"
    return f"{told}; a third of the probes is locked" if evaluation.scope == "locked" else told


@cache
def _least_to_reach(target: float, span: Span, alpha: float) -> int:
    """Values at the upper end of ``span`` whose interval lies above ``target``; 10,000 where none of fewer does."""
    low, high = 0, 1
    while high < MOST_PROBES and not _reached(high, target, span, alpha):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if _reached(middle, target, span, alpha) else (middle, high)
    return min(high, MOST_PROBES)


def _reached(n: int, target: float, span: Span, alpha: float) -> bool:
    found = mean([span[1]] * n, span, alpha)
    return found is not None and found.low >= target


def none_in(alpha: float = ALPHA, most: float = MOST_VIOLATIONS) -> int:
    """Replies of which none may cross a boundary before a target of zero passes: 59 bound it under 5 % at 95 %."""
    return math.ceil(math.log(alpha) / math.log1p(-most)) if most < 1 else 1


def label_remedy(evaluation: Evaluation, wanted: int = MIN_LABELS, what: str = "replies") -> str:
    """What to do where no judge may decide: ``label 50 of this run's replies (ten minutes), or set a judge``."""
    few = len(evaluation.counted) < wanted
    return f"label {'all' if few else wanted} of this run's {what} (ten minutes), or set a judge"


def trait_distrust(evaluation: Evaluation, trait: str) -> str:
    """Why the judge may not decide this trait's gate; empty where it may. Its kappa is taken as the point estimate."""
    judge, needed, remedy = evaluation.judge, evaluation.success.agreement, label_remedy(evaluation)
    kappa = judge.agreement.get(trait)
    return _unknown(judge, remedy) if kappa is None else _short(kappa, needed, remedy)


def _mean_distrust(evaluation: Evaluation, remedy: str = "") -> str:
    """As :func:`trait_distrust`, of what rests on all traits: by the mean of their agreements."""
    judge, remedy = evaluation.judge, remedy or label_remedy(evaluation)
    known = [judge.agreement[name] for name in evaluation.traits if name in judge.agreement]
    if len(known) < len(evaluation.traits):
        return _unknown(judge, remedy)
    return _short(sum(known) / len(known), evaluation.success.agreement, remedy, "on average ")


def _pair_distrust(evaluation: Evaluation) -> str:
    """As :func:`trait_distrust`, of comparisons: the mean agreement, and that on passing, which has to be as far above
    chance (``2 p - 1``, the prevalence-adjusted kappa)."""
    remedy = label_remedy(evaluation, what="pairs")
    if told := _mean_distrust(evaluation, remedy):
        return told
    passing, needed = evaluation.judge.pass_agreement, evaluation.success.agreement
    if passing is None:
        return f"the judge's agreement on passing is not measured: {remedy}"
    return _short(passing, (1 + needed) / 2, remedy, "on passing ")


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
    if reaches(name, found.high if bound_of(name) == "<=" else found.low, target):
        return _gate(name, found.value, target, rests_on, "PASS")
    if not reaches(name, found.low if bound_of(name) == "<=" else found.high, target):
        return _gate(name, found.value, target, rests_on, "FAIL")
    more = found.more_to_decide(target)
    told = "too close to the target to tell" if more is None else _count(more, found, evaluation, pair)
    return _gate(name, found.value, target, f"{told}; {rests_on}")


def _violations(evaluation: Evaluation) -> Gate:
    """Of a target of zero any violation fails, and none in n only bounds the rate; above zero it is a rate."""
    name, target, tuned = "violations", evaluation.success.violations, evaluation.tuned
    enough = none_in(alpha_at(evaluation.looks))
    remedy = label_remedy(evaluation, enough) if target == 0 else ""
    found, distrust = tuned.violations, _mean_distrust(evaluation, remedy)
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
    bound = f"none in {found.n}: under {found.upper:.1%} at {percent(found.level)}"
    if found.labels and tuned.unlabelled_violations:
        other = f"the judge sees {tuned.unlabelled_violations} in replies without labels: label these"
        return _gate(name, found.value, target, f"{bound}; {other}")
    if found.n < enough:
        more = _count(enough - found.n, found, evaluation)
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
    enough = none_in()
    more = f"{enough - tuned.timed} more are needed to bound it" if tuned.timed < enough else "too close to tell"
    return _gate(name, tuned.latency_s, target, f"{rests_on}; {more}")


def _unjudged(evaluation: Evaluation, pair: bool = False) -> str:
    """What is to be said where too many replies, or pairs, have no judgement to stand for all."""
    asked = len(evaluation.counted)
    failed = evaluation.tuned.errors
    if pair:
        failed = sum(row.comparison is not None and row.comparison.error is not None for row in evaluation.counted)
    return f"{failed} of {asked} could not be judged; evaluate again" if failed > MAX_ERRORS * asked else ""


def _count(more: int, found: Interval, evaluation: Evaluation, pair: bool = False) -> str:
    """``about 40 more probes``; of labels first of all those replies that have none."""
    left, verb, what = evaluation.tuned.n - found.n, *(("compare", "pairs") if pair else ("label", "replies"))
    probes = "locked probes (a third of all)" if evaluation.scope == "locked" else "probes"
    if found.labels and 0 < more <= left:
        return f"{verb} about {more} more {what}"
    if found.labels and left > 0:
        return f"{verb} the {left} {what} that are left, and about {more - left} more {probes}"
    return f"about {more} more {probes}"


def _rests_on(name: str, found: Interval) -> str:
    people = f", {found.labels} labels" if found.labels else ""
    return f"{percent(found.level)}: {span(name, found.low, found.high)}, n {found.n}{people}"


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


def _suite_distrust(evaluation: Evaluation, judge: JudgeInfo) -> str:
    """As :func:`trait_distrust`, of the judge that scored a suite; people label no replies of suites."""
    return _mean_distrust(evaluation.model_copy(update={"judge": judge}), "set a judge")
