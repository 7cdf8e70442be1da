"""All stages, one after the other, from a spec to a package."""

from __future__ import annotations

from studio.build.jobs import Stream
from studio.build.stages import (
    evaluate_stage,
    generate_stage,
    package_stage,
    standing,
    train_stage,
    triage_stage,
)
from studio.build.types import (
    BuildEnded,
    CategorySummary,
    EvaluationSummary,
    GateSummary,
    Gathered,
    JudgeSummary,
    PackageSummary,
    RunSummary,
    Session,
    SideSummary,
    SpecSummary,
    StageEnded,
    Summary,
)
from studio.evaluate import Evaluation
from studio.package import Package
from studio.store import Filter
from studio.train import Run
from studio.triage import Export


async def build(session: Session) -> Stream:
    """Run what is not done yet. Started again after an interruption it goes on where it was.

    Raises :class:`studio.build.types.StageError` where a stage cannot be done; ends with :class:`BuildEnded`.
    """
    spec = session.loaded.spec
    yield StageEnded(stage="spec", note=f"{spec.name}: {len(spec.traits)} traits, {len(spec.scenarios)} categories")
    async for event in generate_stage(session):
        yield event
    exports: list[Export] = []
    async for event in triage_stage(session, exports.append):
        yield event
    runs: list[Run] = []
    async for event in train_stage(session, exports[0], runs.append):
        yield event
    evaluations: list[Evaluation] = []
    async for event in evaluate_stage(session, runs[0], evaluations.append):
        yield event
    made: list[Package] = []
    async for event in package_stage(session, runs[0], evaluations[0], made.append):
        yield event
    yield BuildEnded(summary=summarise(session, runs[0], evaluations[0], made[0]), evaluation=evaluations[0])


def summarise(session: Session, run: Run, evaluation: Evaluation, package: Package) -> Summary:
    """What the build came to, as ``--json`` shows it."""
    finished = run.finished
    assert finished is not None, "only a finished run is evaluated"
    return Summary(
        spec=SpecSummary(name=session.loaded.spec.name, hash=session.loaded.hash),
        examples=gathered(session),
        categories=categories(session),
        run=RunSummary(id=run.plan.run_id, steps=finished.steps, loss=finished.loss, seconds=finished.seconds),
        evaluation=EvaluationSummary(
            judge=JudgeSummary(name=evaluation.judge.name, agreement=evaluation.judge.agreement),
            verdict=evaluation.verdict,
            base=SideSummary.of(evaluation.base),
            tuned=SideSummary.of(evaluation.tuned),
            win_rate=evaluation.win_rate.value if evaluation.win_rate else None,
        ),
        gates=tuple(
            GateSummary(name=gate.name, target=gate.target, value=gate.value, status=gate.status)
            for gate in evaluation.gates
        ),
        package=PackageSummary(path=package.path, verified=package.verification.verified),
    )


def gathered(session: Session) -> Gathered:
    """How many examples there are."""
    examples = session.workspace.examples
    return Gathered(
        generated=examples.count(Filter()),
        accepted=examples.count(Filter(status="accepted")),
        rejected=examples.count(Filter(status="rejected")),
    )


def categories(session: Session) -> dict[str, CategorySummary]:
    """Each category's target and what counts towards it."""
    return {one.category: CategorySummary(target=one.target, accepted=one.accepted) for one in standing(session)}
