"""The stages as a build runs them: each sees what is already done, and does only the rest."""

from __future__ import annotations

from collections.abc import Callable

from studio.build.authors import check_models, generate_entry
from studio.build.jobs import Stream, run_job
from studio.build.training import begin_training
from studio.build.types import Session, StageBegan, StageEnded, StageError, StageTold
from studio.evaluate import Evaluation, evaluation_of, fingerprint, judge_info, restated
from studio.evaluate.job import EvaluateParams
from studio.files import as_seen
from studio.generate import (
    CategoryTarget,
    GenerateParams,
    ScenarioBalance,
    balance,
    coverage,
    unfinished,
)
from studio.generate.types import GenerateFinished
from studio.jobs import Job, active, start
from studio.judge import known_agreement, open_judge
from studio.package import Package, find_package, package_id, packages
from studio.package.job import PackageParams
from studio.train import Run, finished_run, plan, preset_for, resolve_base, with_recipe
from studio.train.types import TrainPlan
from studio.triage import Export, export_chatml, sample_ids


def wanted_examples(session: Session) -> int:
    """Accepted examples to make: what was asked for, or what the spec wants."""
    return session.loaded.spec.success.examples if session.examples is None else session.examples


def standing(session: Session) -> tuple[CategoryTarget, ...]:
    """Each category's target and what counts towards it."""
    return coverage(session.loaded, session.workspace, wanted_examples(session))


def scenarios(session: Session) -> tuple[ScenarioBalance, ...]:
    """Each scenario against its part of its category's target."""
    return balance(session.loaded, session.workspace, wanted_examples(session))


async def generate_stage(session: Session) -> Stream:
    """Examples until every category has its target."""

    def begin() -> Job:
        params = GenerateParams(
            spec_path=str(session.loaded.path),
            workspace=str(session.root),
            settings=session.settings,
            seed=session.seed,
            examples=wanted_examples(session),
        )
        return start(session.workspace.jobs_dir, "generate", generate_entry(session.settings), params)

    def done() -> bool:
        return not unfinished(session.loaded, session.workspace, session.settings, wanted_examples(session))

    if active(session.workspace.jobs_dir, "generate") is None and done():
        yield StageEnded(stage="generate", skipped=True, note=_accepted(session))
        return
    await check_models(session)  # says at once that nobody is there, or that no model is named
    last: GenerateFinished | None = None
    async for event in run_job(session, "generate", begin, done):
        if isinstance(event, StageTold) and event.event.kind == "generate_finished":
            last = GenerateFinished.model_validate(event.event.data)
        yield event
    if not _met(standing(session)):
        missing = ", ".join(f"{one.category} {one.accepted}/{one.target}" for one in standing(session) if _short(one))
        raise StageError(f"categories short of their target: {missing}", remedy=_remedy(last))
    thin = f"; {last.note}" if last is not None and last.note else ""
    yield StageEnded(stage="generate", note=_accepted(session) + thin)


async def triage_stage(session: Session, keep: Callable[[Export], None]) -> Stream:
    """What passed, as training data; and a random sample laid aside for a person's review."""
    yield StageBegan(stage="triage")
    sample = sample_ids(session.workspace)
    export = export_chatml(session.workspace, session.loaded)
    keep(export)
    left_out = f", {export.held_out} left out that say a held-out message" if export.held_out else ""
    note = f"{export.count} exported{left_out}, {len(sample)} sampled for review"
    yield StageEnded(stage="triage", note=note)


async def train_stage(session: Session, export: Export, keep: Callable[[Run], None]) -> Stream:
    """A run for exactly this data, base model and recipe."""
    planned = planned_run(session, export)

    def find() -> Run | None:
        return finished_run(session.workspace, planned.fingerprint)

    run, skipped = find(), True
    if run is None:
        skipped, note = False, f"{planned.steps} steps on {planned.base_model}"
        async for event in run_job(
            session, "train", lambda: begin_training(session, planned), lambda: find() is not None, note
        ):
            yield event
        run = find()
        if run is None:
            raise StageError("the training ended before its last step", remedy="run the same command to go on")
    yield StageEnded(stage="train", skipped=skipped, note=_loss(run))
    keep(run)


async def evaluate_stage(session: Session, run: Run, keep: Callable[[Evaluation], None]) -> Stream:
    """Held-out probes through base and tuned."""
    judge = open_judge(session.settings, session.loaded)
    wanted = fingerprint(session.loaded, run, judge)

    def begin() -> Job:
        params = EvaluateParams(
            spec_path=str(session.loaded.path),
            workspace=str(session.root),
            run_id=run.plan.run_id,
            settings=session.settings,
        )
        return start(session.workspace.jobs_dir, "evaluate", "studio.evaluate.job:main", params)

    def find() -> Evaluation | None:
        kept = evaluation_of(session.workspace, run.plan.run_id)
        return kept if kept is not None and kept.fingerprint == wanted else None

    def whole() -> bool:
        """One with replies that could not be judged is tried again, once a build."""
        return (kept := find()) is not None and kept.whole

    skipped = whole()
    if not skipped:
        async for event in run_job(session, "evaluate", begin, whole, "loading the base model and the adapter"):
            yield event
    done = find()
    if done is None:
        raise StageError("the evaluation ended before its last probe", remedy="run the same command to go on")
    agreement = known_agreement(session.loaded, judge)  # labels may have come since
    done = restated(session.workspace, done, judge_info(judge, agreement) if agreement else None)
    yield StageEnded(stage="evaluate", skipped=skipped, note=_scores(done))
    keep(done)


async def package_stage(session: Session, run: Run, evaluation: Evaluation, keep: Callable[[Package], None]) -> Stream:
    """The folder to deploy, proven by loading it back."""
    name = package_id(session.loaded.spec.slug, evaluation)

    def begin() -> Job:
        params = PackageParams(
            spec_path=str(session.loaded.path),
            workspace=str(session.root),
            run_id=run.plan.run_id,
            evaluation_id=evaluation.id,
        )
        return start(session.workspace.jobs_dir, "package", "studio.package.job:main", params)

    def find() -> Package | None:
        return find_package(session.workspace, name)

    package, skipped = find(), True
    if package is None:
        skipped = False
        async for event in run_job(session, "package", begin, lambda: find() is not None):
            yield event
        package = find()
        if package is None:
            made = next((one for one in packages(session.workspace) if one.id == name), None)
            why = f": {made.verification.note}" if made else ""
            raise StageError(f"the package is not what was trained{why}", remedy="see its README.md, then run again")
    yield StageEnded(stage="package", skipped=skipped, note=as_seen(package.path))
    keep(package)


def planned_run(session: Session, export: Export) -> TrainPlan:
    """The run that this data, base model and recipe come to."""
    changes = {"seed": session.seed, **session.recipe}
    with_recipe(preset_for(session.base_model).recipe, changes)  # a wrong value is told before a base is looked for
    if export.count:
        resolve_base(session.base_model)  # its preset follows from its size, which is known after that
    recipe = with_recipe(preset_for(session.base_model).recipe, changes)
    return plan(session.loaded, session.workspace, export, base=session.base, recipe=recipe)


def _remedy(last: GenerateFinished | None) -> str:
    """What helps where examples are missing after a job that ended with ``last``."""
    if last is None or last.complete:
        return "some were rejected since; run the same command to write others for them"
    return last.note


def _met(targets: tuple[CategoryTarget, ...]) -> bool:
    return not any(map(_short, targets))


def _short(one: CategoryTarget) -> bool:
    return one.accepted < one.target


def _accepted(session: Session) -> str:
    return f"{sum(one.accepted for one in standing(session))} accepted"


def _loss(run: Run) -> str:
    finished = run.finished
    return f"loss {finished.loss:.3f} after {finished.steps} steps" if finished else ""


def _scores(done: Evaluation) -> str:
    base, tuned = done.base.overall, done.tuned.overall
    return f"overall {base.value:.2f} -> {tuned.value:.2f} of 10" if base and tuned else "no reply could be judged"
