"""The diversity study: how alike a model's outputs are for people who are more, or less, alike (after Persona Hub)."""

from studio.bank.study.chart import LEGEND, box_lines, report, svg
from studio.bank.study.job import BINS, ENTRY, PAIRS, SAMPLE, StudyParams, latest_study, make_study, tasks_of
from studio.bank.study.prompts import DEFAULT, TASKS, read_prompt
from studio.bank.study.record import KIND, Output, Study, Trend

__all__ = [
    "BINS",
    "DEFAULT",
    "ENTRY",
    "KIND",
    "LEGEND",
    "PAIRS",
    "SAMPLE",
    "TASKS",
    "Output",
    "Study",
    "StudyParams",
    "Trend",
    "box_lines",
    "latest_study",
    "make_study",
    "read_prompt",
    "report",
    "svg",
    "tasks_of",
]
