"""Base against tuned on held-out probes: scores with intervals, gates, the weak spots."""

from studio.evaluate.evaluate import Evaluator, fingerprint
from studio.evaluate.gates import MIN_SAMPLES, gates
from studio.evaluate.probes import probes
from studio.evaluate.report import evaluation_of, evaluations, save
from studio.evaluate.types import Evaluation, Gate, Probe, ProbeResult

__all__ = [
    "MIN_SAMPLES",
    "Evaluation",
    "Evaluator",
    "Gate",
    "Probe",
    "ProbeResult",
    "evaluation_of",
    "evaluations",
    "fingerprint",
    "gates",
    "probes",
    "save",
]
