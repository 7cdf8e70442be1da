"""The comparison of two arms: queries that people wrote against naive ones, at the same number and length.

Diversity is told twice: of ``n`` drawn from all that are on their topic, as they were written, and from those that
count. Removing near-duplicates makes any two collections look alike, so the first tells how the writers differ.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import fmean, median

from studio.bank.diversity import WORDS, Diversity, Measures, shares_of, text_measures
from studio.chatml import Frozen
from studio.embed import Embedder
from studio.errors import UserError
from studio.queries.make import OFF_TOPIC
from studio.queries.rates import Rate, wilson
from studio.queries.stored import queries_of, removed_of
from studio.queries.types import Arm, Query
from studio.queries.voting import Realism, realism, votes_of
from studio.store import Documents
from studio.text.words import words_of

LEAST = 2
"""Queries of each arm to compare."""
_BANDS = ((1, 5), (6, 10), (11, 15), (16, 25), (26, 40))
"""Words."""


class Lengths(Frozen):
    """Words a query."""

    mean: float
    p5: float
    median: float
    p95: float


class ArmReport(Frozen):
    """One arm. ``written`` are all that a model gave, ``kept`` those that count."""

    arm: Arm
    written: int
    kept: int
    removed: dict[str, int]
    fits: Rate
    """Written queries that fit their topic, squarely or partly."""
    squarely: Rate
    lengths: Lengths
    as_written: Diversity
    as_kept: Measures


class QueryReport(Frozen):
    """``n`` is the number that both arms are measured at as written, ``words`` where each text is cut."""

    n: int
    words: int
    arms: tuple[ArmReport, ...]
    realism: Realism


def query_report(documents: Documents, embedder: Embedder, *, seed: int = 0, words: int = WORDS) -> QueryReport:
    """Raises :class:`UserError` where an arm has too few to be measured."""
    arms: tuple[Arm, Arm] = ("people", "naive")
    kept = {arm: queries_of(documents, arm, seed) for arm in arms}
    removed = {arm: removed_of(documents, arm, seed) for arm in arms}
    for arm in arms:
        if len(kept[arm]) < LEAST:
            option = " --naive" if arm == "naive" else ""
            remedy = f"studio queries make SPEC -n 200{option}"
            raise UserError(f"{len(kept[arm])} queries of the {arm} arm", where="report", remedy=remedy)
    written = {arm: [*kept[arm], *(query for _, query in removed[arm])] for arm in arms}
    on_topic = {arm: [*kept[arm], *(query for reason, query in removed[arm] if reason != OFF_TOPIC)] for arm in arms}
    n = min(map(len, on_topic.values()))
    n_kept = min(map(len, kept.values()))
    words = min(words, *(max(3, int(median(_lengths(written[arm])))) for arm in arms))
    return QueryReport(
        n=n,
        words=words,
        arms=tuple(
            ArmReport(
                arm=arm,
                written=len(written[arm]),
                kept=len(kept[arm]),
                removed=dict(Counter(reason for reason, _ in removed[arm]).most_common()),
                fits=wilson(sum(query.fit > 0 for query in written[arm]), len(written[arm])),
                squarely=wilson(sum(query.fit == 2 for query in written[arm]), len(written[arm])),
                lengths=_spread(_lengths(on_topic[arm])),
                as_written=_diversity(on_topic[arm], embedder, n, words),
                as_kept=text_measures([query.query for query in kept[arm]], embedder, n_kept, words),
            )
            for arm in arms
        ),
        realism=realism(votes_of(documents)),
    )


def _diversity(queries: Sequence[Query], embedder: Embedder, n: int, words: int) -> Diversity:
    """Shares by topic, by how they begin and by length, and the measures."""
    starts = [[" ".join(words_of(query.query)[:2])] for query in queries]
    bands = [[_band(length)] for length in _lengths(queries)]
    return Diversity(
        people=len(queries),
        shares=(
            shares_of("words", bands, ordered=True),
            shares_of("begins with", starts),
            shares_of("topic", [[query.topic] for query in queries]),
            shares_of("user type", [[query.user_type] for query in queries]),
        ),
        measures=text_measures([query.query for query in queries], embedder, n, words),
    )


def _lengths(queries: Sequence[Query]) -> list[int]:
    return [len(query.query.split()) for query in queries]


def _band(length: int) -> str:
    return next((f"{low:02d}-{high:02d}" for low, high in _BANDS if length <= high), f"over {_BANDS[-1][1]}")


def _spread(lengths: Sequence[int]) -> Lengths:
    ordered = sorted(lengths)

    def quantile(share: float) -> float:
        place = share * (len(ordered) - 1)
        low = int(place)
        high = min(low + 1, len(ordered) - 1)
        return ordered[low] + (place - low) * (ordered[high] - ordered[low])

    return Lengths(mean=fmean(ordered), p5=quantile(0.05), median=quantile(0.5), p95=quantile(0.95))
