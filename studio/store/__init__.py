"""The workspace on disk: examples, decisions, people and calls in SQLite, what is small and readable in JSON."""

from studio.calls import Spent
from studio.store.crowd import PeopleCount, PeopleFilter
from studio.store.documents import Documents, RunLabels
from studio.store.examples import ExampleStore
from studio.store.lists import Filter
from studio.store.records import (
    CategoryCount,
    ChatVote,
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
    Text,
    TraitScore,
    Violation,
)
from studio.store.studiofile import StudioFile
from studio.store.workspace import Owner, Workspace

__all__ = [
    "CategoryCount",
    "ChatVote",
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
    "PeopleCount",
    "PeopleFilter",
    "Person",
    "Row",
    "RunLabel",
    "RunLabels",
    "Spent",
    "Status",
    "StudioFile",
    "Text",
    "TraitScore",
    "Violation",
    "Workspace",
]
