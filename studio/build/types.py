"""What a build is asked, what it tells, and what it comes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studio.chatml import Frozen
from studio.errors import UserError
from studio.evaluate.types import Evaluation, GateStatus, SideMetrics
from studio.jobs.types import Event
from studio.llm import ModelSettings
from studio.spec import LoadedSpec
from studio.store import Workspace

STAGES = ("spec", "generate", "triage", "train", "evaluate", "package")


@dataclass(frozen=True)
class Session:
    """One persona in one workspace, and the choices of whoever works on it."""

    loaded: LoadedSpec
    workspace: Workspace
    root: Path
    settings: ModelSettings
    base: str | None = None
    """Base model instead of the spec's."""
    recipe: dict[str, Any] = field(default_factory=dict)
    """Hyperparameters instead of the preset's, by the names of ``studio.train.types.Recipe``."""
    examples: int | None = None
    """Accepted examples wanted instead of the spec's."""
    seed: int = 0

    @property
    def base_model(self) -> str:
        return self.base or self.loaded.spec.deployment.base_model


class StageBegan(Frozen):
    stage: str
    note: str = ""


class StageTold(Frozen):
    """An event of the stage's own job, as its log holds it."""

    stage: str
    event: Event


class StageEnded(Frozen):
    """``skipped`` where it was already done and nothing had to be done again."""

    stage: str
    note: str = ""
    skipped: bool = False


class StageError(UserError):
    """A stage that could not be done. What it did so far is kept."""


class Gathered(Frozen):
    generated: int
    accepted: int
    rejected: int


class CategorySummary(Frozen):
    target: int
    accepted: int


class RunSummary(Frozen):
    id: str
    steps: int
    loss: float
    seconds: float


class SideSummary(Frozen):
    overall: float | None
    traits: dict[str, float]
    violations: float | None
    latency_s: float | None

    @classmethod
    def of(cls, side: SideMetrics) -> SideSummary:
        return cls(
            overall=side.overall.value if side.overall else None,
            traits={name: mean.value for name, mean in side.traits.items()},
            violations=side.violations.value if side.violations else None,
            latency_s=side.latency_s,
        )


class JudgeSummary(Frozen):
    """``agreement`` is the quadratic-weighted kappa with people by trait; empty where it was not measured."""

    name: str
    agreement: dict[str, float]


class EvaluationSummary(Frozen):
    judge: JudgeSummary
    verdict: str
    base: SideSummary
    tuned: SideSummary
    win_rate: float | None


class GateSummary(Frozen):
    name: str
    target: float
    value: float | None
    status: GateStatus


class SpecSummary(Frozen):
    name: str
    hash: str


class PackageSummary(Frozen):
    path: str
    verified: bool


class Summary(Frozen):
    """The object that ``studio build --json`` ends with."""

    spec: SpecSummary
    examples: Gathered
    categories: dict[str, CategorySummary]
    run: RunSummary
    evaluation: EvaluationSummary
    gates: tuple[GateSummary, ...]
    package: PackageSummary

    @property
    def passed(self) -> bool:
        return all(gate.status == "PASS" for gate in self.gates)


class BuildEnded(Frozen):
    """``evaluation`` is what ``summary`` tells in short."""

    summary: Summary
    evaluation: Evaluation


BuildEvent = StageBegan | StageTold | StageEnded | BuildEnded
