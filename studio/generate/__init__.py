"""Generating examples: scenario x person -> a written, judged and stored conversation."""

from studio.generate.author import author_request, open_author
from studio.generate.balance import ScenarioBalance, balance, coverage
from studio.generate.generation import generate
from studio.generate.schema import Authored
from studio.generate.types import (
    AuthorBrief,
    CallFailed,
    CategoryTarget,
    ExampleScored,
    GenerateEvent,
    GenerateFinished,
    GenerateParams,
    GenerateProgressed,
    GenerateStarted,
)

__all__ = [
    "AuthorBrief",
    "Authored",
    "CallFailed",
    "CategoryTarget",
    "ExampleScored",
    "GenerateEvent",
    "GenerateFinished",
    "GenerateParams",
    "GenerateProgressed",
    "GenerateStarted",
    "ScenarioBalance",
    "author_request",
    "balance",
    "coverage",
    "generate",
    "open_author",
]
