"""Metrics of a side and of a pair: means, rates and win rates, from the judge's marks and from people's labels.

People's labels of a run's own replies are the truth. Fewer than 50 stand alone; from 50 on the judge's marks of the
replies without labels sharpen them (prediction-powered). A reply has one label at most, and a prompt is one sample.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from studio.chatml import assistant, digest
from studio.evaluate.intervals import (
    ALPHA,
    Interval,
    Span,
    by_prompt,
    corrected_mean,
    delta,
    mean,
    quantile_bounds,
    share_of,
)
from studio.evaluate.types import SIDES, ProbeResult, Side, SideMetrics
from studio.judge.scoring import mark_of
from studio.judge.types import Comparison, JudgeInfo
from studio.store.records import Judgement, PairVote, RunLabel

MIN_LABELS = 50
"""Labels from which they correct the judge; corrected means of fewer cover .87 to .91 near the ceiling."""
OVERALL: Span = (0.0, 10.0)
TRAIT: Span = (0.0, 2.0)
SHARE: Span = (0.0, 1.0)
POINTS = {"tuned": 1.0, "tie": 0.5, "base": 0.0}


class Labels(NamedTuple):
    """People's labels and votes of one run: by the digest of the reply and its side, and by that of the pair."""

    replies: Mapping[tuple[str, Side], RunLabel] = {}
    pairs: Mapping[str, PairVote] = {}

    @classmethod
    def of(cls, replies: Iterable[RunLabel], pairs: Iterable[PairVote]) -> Labels:
        return cls({(one.digest, one.side): one for one in replies}, {one.digest: one for one in pairs})

    def reply(self, result: ProbeResult, side: Side) -> RunLabel | None:
        return self.replies.get((reply_digest(result, side), side))

    def pair(self, result: ProbeResult) -> PairVote | None:
        return self.pairs.get(pair_digest(result))


NO_LABELS = Labels()


def reply_digest(result: ProbeResult, side: Side) -> str:
    return digest((*result.probe.messages, assistant(result.of(side).reply)))


def pair_digest(result: ProbeResult) -> str:
    return digest((*result.probe.messages, assistant(result.base), assistant(result.tuned)))


def side_metrics(
    results: Sequence[ProbeResult],
    side: Side,
    traits: Sequence[str],
    judge: JudgeInfo,
    labels: Labels = NO_LABELS,
    alpha: float = ALPHA,
) -> SideMetrics:
    """All of one side. Replies that could not be judged are counted as errors and left out."""
    rows = [(row, row.of(side)) for row in results]
    judged = [(row, one.judgement) for row, one in rows if one.judgement.verdict != "error"]
    labelled = [(row, label) for row in results if (label := labels.reply(row, side)) is not None]
    names = {row.probe.id for row, _ in labelled}
    marked = sum(bool(one.traits) for _, one in judged)
    found = {
        name: estimate(
            ((row.probe.id, float(one.labels[name])) for row, one in labelled if name in one.labels),
            ((row.probe.id, mark_of(one.traits[name])) for row, one in judged if name in one.traits),
            TRAIT,
            alpha,
        )
        for name in traits
    }
    times = [one.seconds for _, one in rows if one.seconds is not None]
    low, high = quantile_bounds(times) if times else (None, None)
    replies = [one for _, one in rows if one.error is None]
    return SideMetrics(
        overall=estimate(
            ((row.probe.id, total) for row, one in labelled if (total := label_total(one, traits)) is not None),
            ((row.probe.id, one.total) for row, one in judged if one.total is not None),
            OVERALL,
            alpha,
        ),
        traits={name: interval for name, interval in found.items() if interval is not None},
        violations=_violations(labelled, judged, judge, alpha),
        kept=share_of(by_prompt((row.probe.id, float(one.kept)) for row, one in rows if one.kept is not None), alpha),
        n=len(replies),
        judged=marked,
        labels=len(labelled),
        source=_source(len(labelled), marked, judge),
        cut=fmean(one.finish == "length" for one in replies) if replies else None,
        unlabelled_violations=sum(crosses_a_boundary(one) and row.probe.id not in names for row, one in judged),
        latency_s=percentile(times, 0.95),
        latency_low=low,
        latency_high=high,
        timed=len(times),
        errors=sum(one.judgement.verdict == "error" and row.probe.id not in names for row, one in rows),
    )


def estimate(
    people: Iterable[tuple[str, float]], judge: Iterable[tuple[str, float]], span: Span, alpha: float = ALPHA
) -> Interval | None:
    """The mean over prompts of (prompt, value) pairs: of people's where there are any, else the judge's.

    From :data:`MIN_LABELS` on, and where the judge scored all that people did, corrected by the judge's others.
    """
    said, judged = by_prompt(people), by_prompt(judge)
    if not said:
        return mean(list(judged.values()), span, alpha)
    if len(said) < MIN_LABELS or not said.keys() <= judged.keys():
        found = mean(list(said.values()), span, alpha)
    else:
        both = [(value, judged[prompt]) for prompt, value in said.items()]
        others = [value for prompt, value in judged.items() if prompt not in said]
        found = corrected_mean(both, others, span, alpha)
    return found.model_copy(update={"labels": len(said)}) if found else None


def win_rate(results: Sequence[ProbeResult], labels: Labels = NO_LABELS, alpha: float = ALPHA) -> Interval | None:
    """Tuned against base, ties half: people's votes, and the judge's comparisons.

    Without votes, probes of which people labelled both replies are compared by their labels where there are
    :data:`MIN_LABELS` of them or the judge compared none.
    """
    voted = [(row.probe.id, POINTS[vote.winner]) for row in results if (vote := labels.pair(row)) is not None]
    compared = _points((row.probe.id, row.comparison) for row in results)
    if not voted:
        marked = [(row.probe.id, points) for row in results if (points := _by_labels(row, labels)) is not None]
        voted = marked if len(marked) >= MIN_LABELS or not compared else []
    return estimate(voted, compared, SHARE, alpha)


def beats_prompt(results: Sequence[ProbeResult], alpha: float = ALPHA) -> Interval | None:
    """Tuned against the base model with the persona as its system prompt, ties half; None where it was not asked."""
    return estimate((), _points((row.probe.id, row.prompted_comparison) for row in results), SHARE, alpha)


def overall_delta(
    results: Sequence[ProbeResult], traits: Sequence[str], labels: Labels = NO_LABELS, alpha: float = ALPHA
) -> Interval | None:
    """Overall score, tuned less base: by people where they labelled both replies of 50 probes, or where no judge
    scored any; else by the judge."""
    people, judge = [], []
    for row in results:
        pair = labels.reply(row, "base"), labels.reply(row, "tuned")
        said = [label_total(one, traits) if one else None for one in pair]
        if said[0] is not None and said[1] is not None:
            people.append((said[0], said[1]))
        if row.base_judgement.total is not None and row.tuned_judgement.total is not None:
            judge.append((row.base_judgement.total, row.tuned_judgement.total))
    by_people = len(people) >= MIN_LABELS or not judge
    found = delta(people if by_people else judge, alpha=alpha)
    return found.model_copy(update={"labels": len(people) if by_people else 0}) if found else None


def by_category(
    results: Sequence[ProbeResult], traits: Sequence[str], labels: Labels = NO_LABELS
) -> dict[str, dict[Side, float]]:
    """Mean overall score of both sides by probe category: a person's where there is one, else the judge's."""
    table: dict[str, dict[Side, float]] = {}
    for category in dict.fromkeys(result.probe.category for result in results):
        table[category] = {}
        rows = [row for row in results if row.probe.category == category]
        for side in SIDES:
            totals = [total for row in rows if (total := total_of(row, side, traits, labels)) is not None]
            if totals:
                table[category][side] = fmean(totals)
    return table


def total_of(result: ProbeResult, side: Side, traits: Sequence[str], labels: Labels = NO_LABELS) -> float | None:
    """0..10 of one reply; None where nobody scored it."""
    label = labels.reply(result, side)
    said = label_total(label, traits) if label else None
    return said if said is not None else result.of(side).judgement.total


def label_total(label: RunLabel, traits: Sequence[str]) -> float | None:
    """0..10 = 10 * sum / (2 * traits), where every trait has its label."""
    if not all(name in label.labels for name in traits):
        return None
    return 10 * sum(label.labels[name] for name in traits) / (2 * len(traits))


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least ``share`` of ``values`` do not exceed (nearest rank); None of none."""
    if not values:
        return None
    return sorted(values)[max(0, math.ceil(share * len(values)) - 1)]


def crosses_a_boundary(judgement: Judgement) -> bool:
    return any(violation.kind == "boundary" for violation in judgement.violations)


def _violations(
    labelled: Sequence[tuple[ProbeResult, RunLabel]],
    judged: Sequence[tuple[ProbeResult, Judgement]],
    judge: JudgeInfo,
    alpha: float,
) -> Interval | None:
    """Share of replies that cross a boundary: by the labels alone where there are any, since a rate near zero cannot be
    corrected. Where nobody judges, only what the spec's own phrases give away is known."""
    if labelled:
        found = share_of(by_prompt((row.probe.id, float(one.boundary is not None)) for row, one in labelled), alpha)
        return found.model_copy(update={"labels": len(labelled)}) if found else None
    crossed = [(row.probe.id, float(crosses_a_boundary(one))) for row, one in judged]
    if judge.kind == "nobody" and not any(value for _, value in crossed):
        return None
    return share_of(by_prompt(crossed), alpha)


def _source(labels: int, judged: int, judge: JudgeInfo) -> str:
    if not labels:
        return judge.name
    alone = labels < MIN_LABELS or judged <= labels or judge.kind == "nobody"
    return "people" if alone else f"people + {judge.name}"


def _points(compared: Iterable[tuple[str, Comparison | None]]) -> list[tuple[str, float]]:
    return [(name, POINTS[one.winner]) for name, one in compared if one is not None and one.error is None]


def _by_labels(row: ProbeResult, labels: Labels) -> float | None:
    """Which reply people's labels prefer: without a boundary crossed before with one, then by the total."""
    base, tuned = labels.reply(row, "base"), labels.reply(row, "tuned")
    if base is None or tuned is None or base.labels.keys() != tuned.labels.keys() or not base.labels:
        return None
    left, right = ((one.boundary is None, sum(one.labels.values())) for one in (base, tuned))
    return 0.5 if left == right else float(right > left)
