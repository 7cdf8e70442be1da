"""Scores and verdicts: rules first, then a judge's marks, then the arithmetic; and comparisons in both orders."""

from studio.judge.judge import Judge, limits_of, open_judge, version_of
from studio.judge.offline import NAME as RULES_JUDGE
from studio.judge.offline import rules_judge
from studio.judge.own import OwnExamples, own_examples
from studio.judge.rules import LengthBounds, check_reply
from studio.judge.schema import judgement_schema
from studio.judge.types import CompareBrief, Comparison, JudgeBrief, Winner

__all__ = [
    "RULES_JUDGE",
    "CompareBrief",
    "Comparison",
    "Judge",
    "JudgeBrief",
    "LengthBounds",
    "OwnExamples",
    "Winner",
    "check_reply",
    "judgement_schema",
    "limits_of",
    "open_judge",
    "own_examples",
    "rules_judge",
    "version_of",
]
