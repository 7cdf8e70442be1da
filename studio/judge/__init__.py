"""Judges: rules, a model with a rubric, labels of people and what is learned from them; and how far each agrees."""

from studio.judge.agreement import Agreement, agreement, judge_agreement, known_agreement
from studio.judge.fit import MARKERS, MISFIT, marker_fit
from studio.judge.judge import Judge, open_judge
from studio.judge.labels import Label, Reply, labels_of, read_labels, read_replies, source_of
from studio.judge.prompt import judge_messages
from studio.judge.types import LEARNED, NOBODY, RULES, Kind

__all__ = [
    "LEARNED",
    "MARKERS",
    "MISFIT",
    "NOBODY",
    "RULES",
    "Agreement",
    "Judge",
    "Kind",
    "Label",
    "Reply",
    "agreement",
    "judge_agreement",
    "judge_messages",
    "known_agreement",
    "labels_of",
    "marker_fit",
    "open_judge",
    "read_labels",
    "read_replies",
    "source_of",
]
