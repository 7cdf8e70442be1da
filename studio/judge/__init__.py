"""Judges: rules, a model with a rubric, labels of people and what is learned from them; and how far each agrees."""

from studio.judge.agreement import Agreement, agreement, judge_agreement, known_agreement
from studio.judge.judge import Judge, open_judge
from studio.judge.labels import (
    Label,
    Reply,
    labels_hash,
    labels_of,
    locked,
    read_labels,
    read_replies,
    source_of,
    training,
)
from studio.judge.learned import LearnedJudge
from studio.judge.prompt import compare_messages, judge_messages
from studio.judge.rubric import judgement_schema
from studio.judge.rules import ReplyRules
from studio.judge.types import (
    LEARNED,
    NOBODY,
    RULES,
    Comparison,
    Kind,
    Source,
    Winner,
)

__all__ = [
    "LEARNED",
    "NOBODY",
    "RULES",
    "Agreement",
    "Comparison",
    "Judge",
    "Kind",
    "Label",
    "LearnedJudge",
    "Reply",
    "ReplyRules",
    "Source",
    "Winner",
    "agreement",
    "compare_messages",
    "judge_agreement",
    "judge_messages",
    "judgement_schema",
    "known_agreement",
    "labels_hash",
    "labels_of",
    "locked",
    "open_judge",
    "read_labels",
    "read_replies",
    "source_of",
    "training",
]
