"""How the persona's own example replies sound: their length, their cues, their habits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

from studio.judge.offline.fluency import flaws_of
from studio.judge.offline.text import FINAL_MARKS, Text
from studio.spec import Rules

LEAST_REPLIES = 3
"""Example replies from which a habit can be told."""


@dataclass(frozen=True)
class Lengths:
    """Words of a reply: what is usual (the 10th and 95th percentile of the examples)."""

    low: float
    high: float


@dataclass(frozen=True)
class Voice:
    """Habits of the example replies."""

    lengths: Lengths
    ends_marked: bool
    usual_cues: Mapping[str, int]
    """By trait: how many different cues a reply of the persona's has, a weak one (lower quintile) taken."""
    habits: frozenset[str]
    """What would be a flaw, but is found in the persona's own replies: a refrain, a doubled word."""

    @classmethod
    def of(cls, replies: Sequence[Text], rules: Rules, *, english: bool) -> Voice:
        ends_marked = sum(_marked(reply) for reply in replies) >= 0.8 * len(replies)
        counts = [len(reply.words) for reply in replies]
        cues = [rules.trait_cues(reply.raw) for reply in replies]
        return cls(
            lengths=Lengths(_percentile(counts, 10, 6), _percentile(counts, 95, 60)),
            ends_marked=ends_marked,
            usual_cues={
                name: max(1, int(_percentile([len(found[name]) for found in cues], 20, 1))) for name, _ in rules.traits
            },
            habits=frozenset(
                flaw.why for reply in replies for flaw in flaws_of(reply, english=english, ends_marked=ends_marked)
            ),
        )


def _percentile(values: Sequence[float], percent: int, default: float) -> float:
    if len(values) < LEAST_REPLIES:
        return default
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _marked(reply: Text) -> bool:
    tail = reply.plain.rstrip("'\")]} ")
    return bool(tail) and tail[-1] in FINAL_MARKS
