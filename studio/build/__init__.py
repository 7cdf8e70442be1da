"""From a spec to a package: every stage as a job, each doing only what is not done yet."""

from studio.build.build import build, categories, gathered, summarise
from studio.build.types import (
    STAGES,
    BuildEnded,
    BuildEvent,
    Session,
    StageBegan,
    StageEnded,
    StageError,
    StageTold,
    Summary,
)

__all__ = [
    "STAGES",
    "BuildEnded",
    "BuildEvent",
    "Session",
    "StageBegan",
    "StageEnded",
    "StageError",
    "StageTold",
    "Summary",
    "build",
    "categories",
    "gathered",
    "summarise",
]
