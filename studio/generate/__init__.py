"""Generating examples: scenario x person -> a written, judged and stored conversation."""

from studio.generate.author import Author, ModelAuthor, open_author
from studio.generate.batched import cancel_batches, generate_in_batches
from studio.generate.ledger import ScenarioBalance, balance, coverage
from studio.generate.progress import unfinished
from studio.generate.prompt import Authored, author_messages
from studio.generate.recorded import RECORDED, read_recordings
from studio.generate.run import generate
from studio.generate.submissions import away
from studio.generate.types import (
    CallFailed,
    CategoryTarget,
    ExampleScored,
    GenerateEvent,
    GenerateFinished,
    GenerateParams,
    GenerateProgressed,
    GenerateStarted,
)
from studio.llm.concurrency import read_concurrency, set_concurrency

__all__ = [
    "RECORDED",
    "Author",
    "Authored",
    "CallFailed",
    "CategoryTarget",
    "ExampleScored",
    "GenerateEvent",
    "GenerateFinished",
    "GenerateParams",
    "GenerateProgressed",
    "GenerateStarted",
    "ModelAuthor",
    "ScenarioBalance",
    "author_messages",
    "away",
    "balance",
    "cancel_batches",
    "coverage",
    "generate",
    "generate_in_batches",
    "open_author",
    "read_concurrency",
    "read_recordings",
    "set_concurrency",
    "unfinished",
]
