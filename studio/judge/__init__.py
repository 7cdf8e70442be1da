"""Scores and verdicts: rules first, then a judge's marks, then the arithmetic; and comparisons in both orders."""

from studio.judge.judge import NOBODY, Judge, open_judge, version_of
from studio.judge.rules import LengthBounds, check_reply
from studio.judge.schema import judgement_schema
from studio.judge.types import CompareBrief, Comparison, JudgeBrief, Winner

__all__ = [
    "NOBODY",
    "CompareBrief",
    "Comparison",
    "Judge",
    "JudgeBrief",
    "LengthBounds",
    "Winner",
    "check_reply",
    "judgement_schema",
    "open_judge",
    "version_of",
]
