"""What a judge is asked and what it answers."""

from __future__ import annotations

from typing import Literal

from studio.chatml import Frozen

Winner = Literal["first", "second", "tie"]
Kind = Literal["model", "learned", "nobody"]
Finish = Literal["stop", "length", "dropped"]
Source = Literal["author", "run"]
"""Where a reply comes from: written for the dataset by an author, a model or a person; or said by a run's model, base
or tuned. A judge that learned from labels keeps the two apart: what is wrong with them differs."""
LEARNED = "learned judge"
NOBODY = "unscored"
"""The judge's name where neither a model nor labels are at hand: the rules hold, traits stay unscored."""
RULES = "rules"
"""Who judged what a rule failed before anybody was asked."""


class Comparison(Frozen):
    """A pairwise verdict over both orders; where the orders disagree it is a tie."""

    judge: str = ""
    winner: Literal["base", "tuned", "tie"]
    orders: tuple[Winner, Winner]
    rationale: str = ""
    error: str | None = None


class Estimate(Frozen):
    """What a regression expects of one reply."""

    traits: dict[str, float]
    """Expected scores, 0..2; a trait without labels enough is not there."""
    scores: dict[str, Literal[0, 1, 2]]
    """The same, spread as far as people's scores lie apart, and rounded."""
    violation: float
    """Probability that a boundary is crossed, 0..1; 0 where there are no labels enough to tell."""
    boundary: str | None
    """The boundary that is taken to be crossed; None: none is."""


class JudgeInfo(Frozen):
    """Who judged, and how well it agrees with people on replies that it has not learned from."""

    name: str
    version: str = ""
    kind: Kind = "model"
    agreement: dict[str, float] = {}
    """Quadratic-weighted kappa by trait; empty: not measured."""
    pass_agreement: float | None = None
    """Share of replies on which judge and people say the same of passing; None: not measured."""
