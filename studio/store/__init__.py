"""The workspace on disk: examples, decisions, people and calls in SQLite, what is small and readable in JSON."""

from studio.calls import Spent
from studio.store.documents import Documents, RunLabels
from studio.store.examples import ExampleStore
from studio.store.lists import Filter
from studio.store.records import (
    CategoryCount,
    Decision,
    Example,
    Fit,
    Judgement,
    Neighbour,
    Outdated,
    PairVote,
    Person,
    Row,
    RunLabel,
    Status,
    TraitScore,
    Violation,
)
from studio.store.studiofile import StudioFile
from studio.store.workspace import Owner, Workspace

__all__ = [
    "CategoryCount",
    "Decision",
    "Documents",
    "Example",
    "ExampleStore",
    "Filter",
    "Fit",
    "Judgement",
    "Neighbour",
    "Outdated",
    "Owner",
    "PairVote",
    "Person",
    "Row",
    "RunLabel",
    "RunLabels",
    "Spent",
    "Status",
    "StudioFile",
    "TraitScore",
    "Violation",
    "Workspace",
]
