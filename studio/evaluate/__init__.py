"""Base against tuned on held-out probes: scores with intervals, gates, the weak spots."""

from studio.evaluate.fingerprint import fingerprint, judge_info
from studio.evaluate.intervals import Interval
from studio.evaluate.looks import Look, looks
from studio.evaluate.metrics import MIN_LABELS, Labels
from studio.evaluate.probes import diagnosable
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
    "Look",
    "Probe",
    "ProbeResult",
    "Shown",
    "diagnosable",
    "evaluation_of",
    "evaluations",
    "fingerprint",
    "judge_info",
    "labels_of",
    "looks",
    "restate",
    "restated",
    "save",
]
