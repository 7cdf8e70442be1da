"""What a judge is asked and what it answers."""

from __future__ import annotations

from typing import Literal

from studio.chatml import Frozen, Messages
from studio.spec import Spec

Winner = Literal["first", "second", "tie"]


class JudgeBrief(Frozen):
    """One conversation to score against a spec: the offline judge's input, and the source of the prompt."""

    spec: Spec
    messages: Messages
    scenario: str = ""


class CompareBrief(Frozen):
    """Two replies to the same conversation, to be compared in one order."""

    spec: Spec
    messages: Messages
    """The conversation up to the user's last turn."""
    first: str
    second: str


class Comparison(Frozen):
    """A pairwise verdict over both orders; where the orders disagree it is a tie."""

    winner: Literal["base", "tuned", "tie"]
    orders: tuple[Winner, Winner]
    rationale: str = ""
    error: str | None = None
