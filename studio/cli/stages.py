"""``studio generate``, ``train``, ``evaluate`` and ``package``: one stage each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated

import typer

from studio.build import categories, gathered
from studio.build.stages import (
    evaluate_stage,
    generate_stage,
    package_stage,
    planned_run,
    scenarios,
    train_stage,
    triage_stage,
)
from studio.build.types import Session
from studio.cli.options import (
    DEFAULT_SPEC,
    WORKSPACE,
    AsJson,
    Base,
    Endpoint,
    Examples,
    JudgeModel,
    Model,
    Seed,
    SpecFile,
    TrainMethod,
    WorkspaceFolder,
)
from studio.cli.output import say, say_json
from studio.cli.run import open_session, show
from studio.cli.scores import print_gates, print_scores
from studio.errors import UserError
from studio.evaluate import Evaluation, evaluation_of
from studio.generate import ScenarioBalance
from studio.package import Package
from studio.train import Run, find_run, runs
from studio.train.types import MAX_EPOCHS, Backend, TrainPlan
from studio.triage import Export, export_chatml

RunId = Annotated[str | None, typer.Option("--run", metavar="ID", help="A training run; the newest one if not given.")]
Balance = Annotated[bool, typer.Option("--balance", help="Show how many examples each scenario has, and write none.")]
DryRun = Annotated[bool, typer.Option("--plan", help="Show the plan, and write and train nothing.")]


def generate(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    endpoint: Endpoint = None,
    model: Model = None,
    judge_model: JudgeModel = None,
    base: Base = None,
    examples: Examples = None,
    seed: Seed = 0,
    balance: Balance = False,
    as_json: AsJson = False,
) -> None:
    """Write and judge examples until every category has its target.

    Example: studio generate specs/taskmaster.yaml --examples 60
    """
    with open_session(
        spec,
        workspace,
        endpoint=endpoint,
        model=model,
        judge_model=judge_model,
        base=base,
        examples=examples,
        seed=seed,
    ) as session:
        if balance:
            _print_balance(scenarios(session), as_json)
            return
        show(generate_stage(session))
        counts, targets = gathered(session), categories(session)
    if as_json:
        shown = {name: one.model_dump() for name, one in targets.items()}
        say_json({"examples": counts.model_dump(), "categories": shown})
        return
    for name, one in targets.items():
        say(f"{name:<24} {one.accepted:>4} of {one.target}")
    say(f"{counts.accepted} accepted, {counts.rejected} rejected")


def _print_balance(found: Sequence[ScenarioBalance], as_json: bool) -> None:
    """A line a scenario, marked where it is missing, under- or over-represented in its category."""
    if as_json:
        say_json({"scenarios": [one.model_dump(mode="json") for one in found]})
        return
    width = max((len(one.scenario) for one in found), default=0)
    for category, rows in groupby(found, key=lambda one: one.category):
        say(category)
        for one in rows:
            mark = "" if one.standing == "even" else one.standing
            say(f"  {one.scenario:<{width}} {one.accepted:>4} of about {one.share:<5.3g} {mark}".rstrip())


def train(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    base: Base = None,
    rank: Annotated[int | None, typer.Option(min=1, help="LoRA rank.")] = None,
    learning_rate: Annotated[float | None, typer.Option("--lr", help="Peak learning rate.")] = None,
    epochs: Annotated[float | None, typer.Option(min=0, max=MAX_EPOCHS, help="Passes over the data.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Examples an optimiser step.")] = None,
    micro_batch_size: Annotated[
        int | None, typer.Option(min=1, help="Of these at once, at most: saves memory.")
    ] = None,
    max_length: Annotated[int | None, typer.Option(min=16, help="Tokens of a conversation; the rest is cut.")] = None,
    method: TrainMethod = None,
    backend: Annotated[Backend | None, typer.Option(help="auto: unsloth on a GPU where it is installed.")] = None,
    seed: Seed = 0,
    dry_run: DryRun = False,
    as_json: AsJson = False,
) -> None:
    """Train an adapter on what was accepted; stopped or killed, it goes on from its last checkpoint.

    Example: studio train specs/taskmaster.yaml --epochs 4
    """
    recipe: dict[str, object] = {
        "rank": rank,
        "learning_rate": learning_rate,
        "epochs": epochs,
        "batch_size": batch_size,
        "micro_batch_size": micro_batch_size,
        "max_length": max_length,
        "method": method,
        "backend": backend,
    }
    with open_session(spec, workspace, base=base, seed=seed, recipe=recipe) as session:
        if dry_run:
            planned = planned_run(session, export_chatml(session.workspace, session.loaded, write=False))
            say_json(planned) if as_json else _print_plan(planned)
            return
        exports: list[Export] = []
        show(triage_stage(session, exports.append))
        done: list[Run] = []
        show(train_stage(session, exports[0], done.append))
    finished = done[0].finished
    if as_json:
        say_json(done[0])
    elif finished:
        say(f"run {finished.run_id}: {finished.steps} steps, loss {finished.loss:.3f}, {finished.seconds:.0f} s")
        say(f"adapter ({finished.adapter_mb:.1f} MB): {finished.adapter_path}")
        if finished.note:
            say(f"note: {finished.note}")


def _print_plan(plan: TrainPlan) -> None:
    recipe = plan.recipe
    epochs = f"{recipe.epochs:g} epoch{'' if recipe.epochs == 1 else 's'}"
    say(f"run     {plan.run_id}")
    say(f"data    {plan.examples} accepted examples, {plan.data_hash[:12]}")
    say(f"steps   {plan.steps}: {epochs}, batch {recipe.batch_size}, at most {recipe.max_length} tokens a conversation")
    rates = f"lr {recipe.learning_rate:g}, {recipe.scheduler}"
    say(f"recipe  {recipe.method} r {recipe.rank}, alpha {recipe.alpha}, {rates}")
    say(f"base    {plan.base_model}")
    say("nothing is trained yet; the same command without --plan trains it")


def evaluate(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    run: RunId = None,
    endpoint: Endpoint = None,
    model: Model = None,
    judge_model: JudgeModel = None,
    as_json: AsJson = False,
) -> int:
    """Score base and tuned on the held-out probes and decide the quality gates.

    Example: studio evaluate specs/taskmaster.yaml --json
    """
    with open_session(spec, workspace, endpoint=endpoint, model=model, judge_model=judge_model) as session:
        done: list[Evaluation] = []
        show(evaluate_stage(session, chosen_run(session, run), done.append))
    evaluation = done[0]
    if as_json:
        say_json(evaluation.model_copy(update={"results": ()}))
    else:
        print_scores(evaluation)
        print_gates(evaluation.gates, evaluation.judge)
    return 0 if evaluation.passed else 3


def package(
    spec: SpecFile = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE, run: RunId = None, as_json: AsJson = False
) -> None:
    """Pack an evaluated run into a folder to deploy, and prove it by loading it back.

    Example: studio package specs/taskmaster.yaml
    """
    with open_session(spec, workspace) as session:
        chosen = chosen_run(session, run)
        evaluation = evaluation_of(session.workspace, chosen.plan.run_id)
        if evaluation is None:
            raise UserError(f"run {chosen.plan.run_id} is not evaluated", remedy=f"studio evaluate {spec}")
        made: list[Package] = []
        show(package_stage(session, chosen, evaluation, made.append))
    if as_json:
        say_json(made[0])
    else:
        say(f"{made[0].path} (verified in {made[0].verification.seconds:.0f} s)")


def chosen_run(session: Session, run_id: str | None) -> Run:
    """The run that was named, or the newest finished one."""
    if run_id:
        return find_run(session.workspace, run_id)
    finished = [run for run in runs(session.workspace) if run.finished and not run.finished.stopped]
    if not finished:
        raise UserError("no finished training run yet", remedy=f"studio train {session.loaded.path}")
    return finished[0]
