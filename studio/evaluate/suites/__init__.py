"""Suites beside the probes: drift over a talk, pressure to drop the persona, leaks into plain work, what was unlearned.

Each is a YAML file of items (:mod:`studio.evaluate.suites.suite`) that is played through base, prompted base and tuned
by one job. No suite is a gate unless the spec's ``success.suites`` says so.
"""

from studio.evaluate.suites.types import (
    SUITES,
    SideFigures,
    SuiteName,
    SuiteReply,
    SuiteReport,
    SuiteResults,
    SuiteSide,
    TurnMean,
)

__all__ = [
    "SUITES",
    "SideFigures",
    "SuiteName",
    "SuiteReply",
    "SuiteReport",
    "SuiteResults",
    "SuiteSide",
    "TurnMean",
]
