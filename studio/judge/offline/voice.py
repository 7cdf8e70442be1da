"""How the persona's own example replies sound: their length, their cues, their turns of phrase."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import quantiles

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
    """Habits of the example replies, for traits of which nothing else is known."""

    replies: int
    lengths: Lengths
    ends_marked: bool
    usual_cues: Mapping[str, int]
    """By trait: how many different cues a reply of the persona's has, a weak one (lower quintile) taken."""
    pairs: frozenset[tuple[str, str]]
    usual_share: float
    """How much of a reply's word pairs the other replies have, a weak one taken."""

    @classmethod
    def of(cls, replies: Sequence[Text], rules: Rules) -> Voice:
        counts = [len(reply.words) for reply in replies]
        cues = [rules.trait_cues(reply.raw) for reply in replies]
        return cls(
            replies=len(replies),
            lengths=Lengths(_percentile(counts, 10, 6), _percentile(counts, 95, 60)),
            ends_marked=sum(_marked(reply) for reply in replies) >= 0.8 * len(replies),
            usual_cues={
                name: max(1, int(_percentile([len(found[name]) for found in cues], 20, 1))) for name, _ in rules.traits
            },
            pairs=frozenset(pair for reply in replies for pair in _pairs(reply)),
            usual_share=_percentile(_shares(replies), 25, 0.5),
        )

    def likeness(self, reply: Text) -> float:
        """The share of the reply's word pairs that the examples have, against what is usual there; 1 is as usual."""
        pairs = list(_pairs(reply))
        if not pairs or not self.usual_share:
            return 0.0
        return sum(pair in self.pairs for pair in pairs) / len(pairs) / self.usual_share


def _pairs(reply: Text) -> Iterator[tuple[str, str]]:
    """Neighbouring words, each sentence's beginning and end counted as a word."""
    for sentence in reply.sentences:
        yield from zip(("", *sentence.words), (*sentence.words, ""), strict=True)


def _shares(replies: Sequence[Text]) -> list[float]:
    """For each reply the share of its pairs that another reply has too."""
    sets = [frozenset(_pairs(reply)) for reply in replies]
    holders: dict[tuple[str, str], int] = {}
    for pairs in sets:
        for pair in pairs:
            holders[pair] = holders.get(pair, 0) + 1
    return [sum(holders[pair] > 1 for pair in pairs) / len(pairs) for pairs in sets if pairs]


def _percentile(values: Sequence[float], percent: int, default: float) -> float:
    if len(values) < LEAST_REPLIES:
        return default
    return quantiles(values, n=100, method="inclusive")[percent - 1]


def _marked(reply: Text) -> bool:
    tail = reply.plain.rstrip("'\")]} ")
    return bool(tail) and tail[-1] in FINAL_MARKS
