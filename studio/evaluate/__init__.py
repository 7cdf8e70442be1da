"""Base against tuned on held-out probes: scores with intervals, gates, the weak spots."""

from studio.evaluate.fingerprint import fingerprint, judge_info
from studio.evaluate.intervals import Interval
from studio.evaluate.metrics import MIN_LABELS, Labels
from studio.evaluate.report import evaluation_of, evaluations, labels_of, restate, restated, save
from studio.evaluate.types import Evaluation, Gate, Probe, ProbeResult, Shown
from studio.judge.types import JudgeInfo

__all__ = [
    "MIN_LABELS",
    "Evaluation",
    "Gate",
    "Interval",
    "JudgeInfo",
    "Labels",
    "Probe",
    "ProbeResult",
    "Shown",
    "evaluation_of",
    "evaluations",
    "fingerprint",
    "judge_info",
    "labels_of",
    "restate",
    "restated",
    "save",
]
