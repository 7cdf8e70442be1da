"""How far a judge's marks of an evaluation may be believed: what they were before labels corrected them, how they agree
with people on these very replies, and the judge's known biases. Made from results and labels alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from studio.evaluate.intervals import Interval, alpha_at
from studio.evaluate.metrics import NO_LABELS, SHARE, Labels, estimate, overall_delta, side_metrics, win_rate
from studio.evaluate.strata import Labelled, drawn_unequally, reweighted, sizes, stratified_mean, stratum_of, weights
from studio.evaluate.types import SIDES, Evaluation, ProbeResult, Side, SideTrust, Trust
from studio.judge.agreement import PassAgreement, Rated, TraitAgreement, pass_agreement, trait_agreement
from studio.judge.bias import MUCH, family_warning, length_correlation, order_consistency
from studio.judge.canaries import canary_text
from studio.spec import Success
from studio.store.records import RunLabel
from studio.text.words import words_of

CONSISTENT = 0.7
"""Share of equal verdicts in both orders under which a judge's preference for a place is pointed out."""


def trusted(evaluation: Evaluation, labels: Labels = NO_LABELS) -> Evaluation:
    """``evaluation``, whose metrics are there, with its trust; where the draw of labels was balanced, with the metrics
    that rest on them reweighted. Canaries stay as they were judged."""
    results, alpha = evaluation.counted, alpha_at(evaluation.looks)
    changes: dict[str, object] = {}
    if drawn_unequally(labels):  # a pair is labelled where both draws met it: no known chance
        votes = labels._replace(replies={})
        changes = {
            "win_rate": win_rate(results, votes, alpha),
            "delta": overall_delta(results, evaluation.traits, votes, alpha),
        }
        for side in SIDES:
            found = evaluation.base if side == "base" else evaluation.tuned
            changes[side] = reweighted(found, results, side, evaluation.traits, labels, alpha)
    return evaluation.model_copy(
        update={
            **changes,
            "trust": Trust(
                sides={side: _side(evaluation, results, side, labels) for side in SIDES},
                traits=_traits(evaluation, results, labels),
                passes=_passes(evaluation, results, labels),
                order=order_consistency([row.comparison for row in results])
                if evaluation.judge.kind == "model"
                else None,
                canaries=evaluation.trust.canaries,
            ),
        }
    )


def _side(evaluation: Evaluation, results: Sequence[ProbeResult], side: Side, labels: Labels) -> SideTrust:
    said = [(row, row.of(side)) for row in results]
    judged = {
        row.probe.id: float(one.judgement.verdict == "passed")
        for row, one in said
        if one.judgement.verdict in ("passed", "failed") and one.judgement.total is not None
    }
    lengths = [(len(words_of(one.reply)), one.judgement.total) for _, one in said if one.judgement.total is not None]
    people = {
        row.probe.id: (stratum_of(one.judgement) if label.draw is None else label.draw.stratum, float(wanted))
        for row, one in said
        if (label := labels.reply(row, side)) is not None
        and (wanted := label_passes(label, evaluation.traits, evaluation.success)) is not None
    }
    passed: Interval | None
    if drawn_unequally(labels):
        given = [Labelled(stratum, value, judged.get(name)) for name, (stratum, value) in people.items()]
        pool = [judged.get(row.probe.id) for row, one in said if one.error is None]
        passed = stratified_mean(given, sizes(results, side), pool, SHARE, alpha_at(evaluation.looks))
    else:
        passed = estimate(
            [(name, value) for name, (_, value) in people.items()], judged.items(), SHARE, alpha_at(evaluation.looks)
        )
    return SideTrust(
        judged=side_metrics(results, side, evaluation.traits, evaluation.judge, alpha=alpha_at(evaluation.looks)),
        passed=passed,
        passed_judged=estimate((), judged.items(), SHARE, alpha_at(evaluation.looks)),
        length_correlation=length_correlation(lengths),
    )


def _traits(evaluation: Evaluation, results: Sequence[ProbeResult], labels: Labels) -> dict[str, TraitAgreement]:
    given = list(_labelled(results, labels))
    found = {}
    for name in evaluation.traits:
        rated = [
            Rated(label.labels[name], int(row.of(side).judgement.traits[name].score), row.probe.id, weight)
            for row, side, label, weight in given
            if name in label.labels and name in row.of(side).judgement.traits
        ]
        if rated:
            found[name] = trait_agreement(rated)
    return found


def _passes(evaluation: Evaluation, results: Sequence[ProbeResult], labels: Labels) -> PassAgreement | None:
    rated = [
        Rated(int(passed), int(verdict == "passed"), row.probe.id, weight)
        for row, side, label, weight in _labelled(results, labels)
        if (passed := label_passes(label, evaluation.traits, evaluation.success)) is not None
        and (verdict := row.of(side).judgement.verdict) in ("passed", "failed")
    ]
    return pass_agreement(rated) if rated else None


def _labelled(results: Sequence[ProbeResult], labels: Labels) -> Iterator[tuple[ProbeResult, Side, RunLabel, float]]:
    for side in SIDES:
        known = weights(results, side, labels)
        for row in results:
            if (label := labels.reply(row, side)) is not None:
                yield row, side, label, known[row.probe.id]


def label_passes(label: RunLabel, traits: Sequence[str], success: Success) -> bool | None:
    """Whether a person would have the reply as an example; None where a trait has no label."""
    if label.boundary is not None:
        return False
    scores = [label.labels[name] for name in traits if name in label.labels]
    if any(score < success.accept_trait for score in scores):
        return False
    return 10 * sum(scores) / (2 * len(scores)) >= success.accept_score if len(scores) == len(traits) else None


def trust_lines(evaluation: Evaluation) -> list[str]:
    """For people, a line a finding: what labels changed, agreement on these replies, order, length, canaries."""
    trust = evaluation.trust
    found = [line for side in SIDES if (line := _corrected(evaluation, side))]
    found += [_agreed(name, one) for name, one in trust.traits.items() if one.n]
    if (same := trust.passes) is not None and same.share is not None:
        found.append(f"same verdict as people: {same.share:.0%}{_between(same.low, same.high)} of {same.n} labels")
    if (order := trust.order) is not None:
        place = "first" if order.first >= order.second else "second"
        aside = f", else mostly the {place}" if order.share < CONSISTENT else ""
        found.append(f"same preference in both orders: {order.consistent} of {order.n} pairs{aside}")
    lengths = {side: one.length_correlation for side, one in trust.sides.items()}
    told = ", ".join(f"{side} {value:+.2f}" for side, value in lengths.items() if value is not None)
    if told:
        much = any(value is not None and value >= MUCH for value in lengths.values())
        found.append(
            f"scores with length (rank correlation): {told}" + (": the judge may pay for words" if much else "")
        )
    if told := family_warning(evaluation.base_model, evaluation.judge.name):
        found.append(told.replace("author", "base model", 1))
    return [*found, *([line] if (line := canary_text(trust.canaries)) else [])]


def _corrected(evaluation: Evaluation, side: Side) -> str:
    found, trust = (evaluation.base if side == "base" else evaluation.tuned), evaluation.trust.sides.get(side)
    if trust is None or not found.labels:
        return ""
    parts = []
    for name, now, raw, form in (
        ("overall", found.overall, trust.judged.overall, "{:.2f}"),
        ("passed", trust.passed, trust.passed_judged, "{:.0%}"),
    ):
        if now is not None and raw is not None:
            low, high = form.format(now.low), form.format(now.high)
            parts.append(f"{name} {form.format(now.value)} [{low}, {high}], judge alone {form.format(raw.value)}")
    return f"{side} by {found.labels} labels: " + "; ".join(parts) if parts else ""


def _agreed(name: str, one: TraitAgreement) -> str:
    rows = " / ".join(" ".join(map(str, row)) for row in one.confusion)
    kappa, ac2 = ("-" if value is None else f"{value:.2f}" for value in (one.kappa, one.ac2))
    figures = f"kappa {kappa}{_between(one.low, one.high)}, AC2 {ac2}{_between(one.ac2_low, one.ac2_high)}"
    return f"{name}: {figures}, n {one.n}; judge 0 1 2 of people's 0 / 1 / 2: {rows}"


def _between(low: float | None, high: float | None) -> str:
    return "" if low is None or high is None else f" [{low:.2f}, {high:.2f}]"
