"""The stages of a build: each sees what is already done, does only the rest, and gives what it came to."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from pydantic import BaseModel

from studio.bank import BankParams
from studio.build.authors import check_models, generate_entry
from studio.build.session import BuildEvent, Session, StageBegan, StageEnded, StageError, StageTold, Tell, run_job
from studio.dataset import Export, training_data
from studio.evaluate import Evaluation, evaluation_of, fingerprint, judge_info, restated
from studio.evaluate.job import EvaluateParams
from studio.files import as_seen
from studio.generate import CategoryTarget, GenerateParams, ScenarioBalance, balance, coverage, unfinished
from studio.generate.preview import Preview, PreviewMeter, Prompted, next_prompts
from studio.generate.spending import SpendingMeter
from studio.generate.types import GenerateFinished, Spending
from studio.jobs import Job, active, start
from studio.judge import known_agreement, open_judge
from studio.package import Package, find_package, package_id, packages
from studio.package.job import PackageParams
from studio.serve import end_unused
from studio.spec import keep_spec
from studio.train import Run, finished_run, plan, preparing, resume_or_start, resume_run
from studio.train.blend import blend_plan
from studio.train.preference import parent_run, preference_plan
from studio.train.run import SPEC
from studio.train.types import Objective, TrainPlan
from studio.triage import SampleReview

Params = TypeVar("Params", bound=BaseModel)
Found = TypeVar("Found")


@dataclass(frozen=True)
class Built:
    """What a build came to."""

    run: Run
    evaluation: Evaluation
    package: Package


async def build(tell: Tell, session: Session) -> Built:
    """All stages, one after the other, from a spec to a package: what is not done yet. Started again after an
    interruption it goes on where it was.

    Raises :class:`StageError` where a stage cannot be done.
    """
    spec = session.loaded.spec
    note = f"{spec.name}: {len(spec.traits)} traits, {len(spec.scenarios)} categories"
    tell(StageEnded(stage="spec", note=note))
    await generate_stage(tell, session)
    run = await train_stage(tell, session, await triage_stage(tell, session))
    evaluation = await evaluate_stage(tell, session, run)
    return Built(run, evaluation, await package_stage(tell, session, run, evaluation))


def wanted_examples(session: Session) -> int:
    """Accepted examples to make: what was asked for, or what the spec wants."""
    return session.loaded.spec.success.examples if session.examples is None else session.examples


def standing(session: Session) -> tuple[CategoryTarget, ...]:
    """Each category's target and what counts towards it."""
    return coverage(session.loaded, session.workspace, wanted_examples(session))


def spending(session: Session) -> Spending:
    """What calls to models cost so far, by the record of the workspace. Reads the store."""
    targets = standing(session)
    accepted, missing = sum(one.accepted for one in targets), sum(max(0, one.target - one.accepted) for one in targets)
    return SpendingMeter(session.workspace.examples, session.settings.max_cost_usd).read(accepted, missing)


def scenarios(session: Session) -> tuple[ScenarioBalance, ...]:
    """Each scenario against its part of its category's target."""
    return balance(session.loaded, session.workspace, wanted_examples(session))


def _asked(session: Session, params: type[Params], **more: Any) -> Params:
    """What a stage's job is asked."""
    return params(spec_path=str(session.loaded.path), workspace=str(session.root), **more)


async def _ensure(
    tell: Tell, session: Session, stage: str, find: Callable[[], Found | None], begin: Callable[[], Job], note: str = ""
) -> tuple[Found | None, bool]:
    """What is there already, or comes of the stage's job; and whether it was there."""
    if (found := find()) is not None:
        return found, True
    await run_job(tell, session, stage, begin, lambda: find() is not None, note)
    return find(), False


async def bank_stage(tell: Tell, session: Session, count: int) -> None:
    """Everybody of the spec's profiles and ``count`` composed people; on request alone, no build needs it."""
    jobs_dir, params = session.workspace.jobs_dir, _asked(session, BankParams, count=count, seed=session.seed)
    running = active(jobs_dir, "bank")
    if running is not None and running.request.params != params.model_dump(mode="json"):
        remedy = f"wait for it, or: studio jobs stop {running.id}"
        raise StageError("another bank is being built", where=running.id, remedy=remedy)

    def done() -> bool:
        return running is not None and running.view().state == "finished"

    await run_job(tell, session, "bank", partial(start, jobs_dir, "bank", "studio.bank.job:main", params), done)
    tell(StageEnded(stage="bank", note=f"{len(session.workspace.examples.people())} people"))


async def generate_stage(tell: Tell, session: Session) -> None:
    """Examples until every category has its target."""
    wanted, settings, jobs_dir = wanted_examples(session), session.settings, session.workspace.jobs_dir
    finished: list[GenerateFinished] = []

    def listen(event: BuildEvent) -> None:
        if isinstance(event, StageTold) and event.event.kind == "generate_finished":
            finished.append(GenerateFinished.model_validate(event.event.data, extra="ignore"))
        tell(event)

    def done() -> bool:
        return not unfinished(session.loaded, session.workspace, settings, wanted)

    skipped = active(jobs_dir, "generate") is None and done()
    if not skipped:
        await check_models(session)  # says at once that nobody is there, or that no model is named
        await run_job(listen, session, "generate", lambda: begin_generating(session), done)
    targets, last = standing(session), finished[-1] if finished else None
    short = ", ".join(f"{one.category} {one.accepted}/{one.target}" for one in targets if one.accepted < one.target)
    if short and not skipped:
        remedy = "some were rejected since; run the same command to write others for them"
        if last is not None and not last.complete:
            remedy = last.note
        raise StageError(f"categories short of their target: {short}", remedy=remedy)
    thin = f"; {last.note}" if last and last.note else ""
    accepted = sum(one.accepted for one in targets)
    tell(StageEnded(stage="generate", skipped=skipped, note=f"{accepted} accepted{thin}"))


async def preview_stage(tell: Tell, session: Session, prompts: tuple[Prompted, ...]) -> Preview:
    """Examples of the prompts that :func:`previewed` gave, and what they tell of the whole."""
    jobs_dir, params = session.workspace.jobs_dir, generate_params(session, len(prompts))
    if (running := active(jobs_dir, "generate")) is not None:
        remedy = f"it shows what they cost; or: studio jobs stop {running.id}"
        raise StageError("examples are being made already", where=running.id, remedy=remedy)
    await check_models(session)
    meter = PreviewMeter(session.loaded, session.workspace, params)
    if prompts:
        begin = partial(begin_generating, session, len(prompts))
        await run_job(tell, session, "generate", begin, lambda: False, f"{len(prompts)} examples to look at")
    found = meter.read(prompts)
    tell(StageEnded(stage="generate", note=f"{found.accepted} of {found.made} accepted"))
    return found


def previewed(session: Session, number: int) -> tuple[Prompted, ...]:
    """What a model will be asked for the next examples. Asks nobody."""
    return next_prompts(session.loaded, session.workspace, generate_params(session, number))


def generate_params(session: Session, preview: int | None = None) -> GenerateParams:
    more = {"settings": session.settings, "seed": session.seed, "examples": wanted_examples(session)}
    more["check_fit"] = session.check_fit
    return _asked(session, GenerateParams, concurrency=session.concurrency, preview=preview, **more)


def begin_generating(session: Session, preview: int | None = None) -> Job:
    """Start the job that makes examples until every category has its target; of a ``preview``, so many."""
    params = generate_params(session, preview)
    return start(session.workspace.jobs_dir, "generate", generate_entry(session.settings), params)


async def triage_stage(tell: Tell, session: Session) -> Export:
    """What passed, as training data; and a stratified sample of it drawn for a person's review."""
    tell(StageBegan(stage="triage"))
    review = SampleReview(session.workspace, session.loaded)
    export = training_data(session.workspace, session.loaded, session.snapshot)
    left_out = f", {export.held_out} left out that say a held-out message" if export.held_out else ""
    held_back = f", {export.validation_count} held back for validation" if export.validation_count else ""
    note = f"{export.count} exported{held_back}{left_out}, {review.wanted} sampled for review"
    tell(StageEnded(stage="triage", note=note))
    return export


async def train_stage(tell: Tell, session: Session, export: Export) -> Run:
    """A run for exactly this data, base model and recipe."""
    if wait := preparing(session.base_model):
        tell(StageBegan(stage="train", note=wait))
    return await _trained(tell, session, await asyncio.to_thread(planned_run, session, export))


async def preference_stage(
    tell: Tell, session: Session, objective: Objective, run_id: str | None = None, people_only: bool = False
) -> Run:
    """A run of DPO or KTO on the adapter of a finished run, from all signals that there are now."""
    planned = await asyncio.to_thread(planned_preference, session, objective, run_id, people_only)
    return await _trained(tell, session, planned)


async def blend_stage(tell: Tell, session: Session, parts: Sequence[tuple[str, float]], rank: int | None = None) -> Run:
    """A run that is the weighted sum of finished runs' adapters."""
    planned = await asyncio.to_thread(blend_plan, session.loaded, session.workspace, parts, rank)
    return await _trained(tell, session, planned)


async def _trained(tell: Tell, session: Session, planned: TrainPlan) -> Run:
    steps = f"{planned.steps} steps" if planned.steps else f"{len(planned.blend)} adapters"
    note = f"{steps} on {planned.base_model}"
    find = partial(finished_run, session.workspace, planned.fingerprint)
    run, skipped = await _ensure(tell, session, "train", find, partial(begin_training, session, planned), note)
    if run is None or run.finished is None:
        raise StageError("the training ended before its last step", remedy="run the same command to go on")
    note = f"loss {run.finished.loss:.3f} after {run.finished.steps} steps"
    tell(StageEnded(stage="train", skipped=skipped, note=note))
    return run


def planned_run(session: Session, export: Export) -> TrainPlan:
    """The run that this data, base model and recipe come to."""
    changes = {"seed": session.seed, **session.recipe}
    return plan(session.loaded, export, base=session.base, changes=changes)


def planned_preference(
    session: Session,
    objective: Objective,
    run_id: str | None = None,
    people_only: bool = False,
    *,
    write: bool = True,
) -> TrainPlan:
    """The run that the signals, the parent's adapter and the recipe come to."""
    parent, changes = parent_run(session.workspace, run_id), {"seed": session.seed, **session.recipe}
    more: dict[str, Any] = {"changes": changes, "people_only": people_only, "write": write}
    return preference_plan(session.loaded, session.workspace, objective, parent, **more)


def begin_training(session: Session, plan: TrainPlan) -> Job:
    """Start the run of ``plan``, or go on with it; the spec that it is trained by is kept beside it.

    A model's worker that nobody uses ends first, for want of room. Raises as :func:`studio.train.start`.
    """
    workspace = session.workspace
    end_unused(workspace.jobs_dir)
    if session.loaded.hash == plan.spec_hash:
        keep_spec(session.loaded, workspace.runs_dir / plan.run_id / SPEC)
    return resume_or_start(workspace, plan)


def resume_training(session: Session, job: Job) -> Job:
    """Go on with the run of a training job that ended, whatever the spec says now."""
    end_unused(session.workspace.jobs_dir)
    return resume_run(session.workspace, job)


async def evaluate_stage(tell: Tell, session: Session, run: Run, locked: bool = True) -> Evaluation:
    """Held-out probes through base and tuned: all for a verdict, else those that are not ``locked``.

    A verdict that is there already is given in either case: it has looked at all of them.
    """
    judge, run_id = open_judge(session.settings, session.loaded, session.workspace.examples), run.plan.run_id
    wanted = fingerprint(session.loaded, run, judge)

    def find() -> Evaluation | None:
        kept = evaluation_of(session.workspace, run_id)
        if kept is None or kept.fingerprint != wanted:
            return None
        return kept if kept.is_verdict or not locked else None

    def find_whole() -> Evaluation | None:
        """One with replies that could not be judged is tried again, once a build."""
        return kept if (kept := find()) is not None and kept.whole else None

    params = _asked(session, EvaluateParams, run_id=run_id, settings=session.settings, locked=locked)
    begin = partial(start, session.workspace.jobs_dir, "evaluate", "studio.evaluate.job:main", params)
    note = "loading the base model and the adapter"
    done, skipped = await _ensure(tell, session, "evaluate", find_whole, begin, note)
    done = done or find()
    if done is None:
        raise StageError("the evaluation ended before its last probe", remedy="run the same command to go on")
    agreement = known_agreement(session.loaded, judge)  # labels may have come since
    done = restated(session.workspace, done, judge_info(judge, agreement) if agreement else None)
    base, tuned = done.base.overall, done.tuned.overall
    scores = f"overall {base.value:.2f} -> {tuned.value:.2f} of 10" if base and tuned else "no reply could be judged"
    tell(StageEnded(stage="evaluate", skipped=skipped, note=scores))
    return done


async def package_stage(tell: Tell, session: Session, run: Run, evaluation: Evaluation) -> Package:
    """The folder to deploy, proven by loading it back."""
    name = package_id(session.loaded.spec.slug, evaluation)
    params = _asked(session, PackageParams, run_id=run.plan.run_id, evaluation_id=evaluation.id)
    begin = partial(start, session.workspace.jobs_dir, "package", "studio.package.job:main", params)
    find = partial(find_package, session.workspace, name)
    package, skipped = await _ensure(tell, session, "package", find, begin)
    if package is None:
        made = next((one for one in packages(session.workspace) if one.id == name), None)
        why = f": {made.verification.note}" if made else ""
        raise StageError(f"the package is not what was trained{why}", remedy="see its README.md, then run again")
    tell(StageEnded(stage="package", skipped=skipped, note=as_seen(package.path)))
    return package
