"""``studio build`` and ``train``: all stages, or one, headless."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

import typer

from studio.build import Built, Session, build
from studio.build.authors import Roles, roles
from studio.build.stages import planned_run, train_stage, triage_stage
from studio.cli import options
from studio.cli.display import show
from studio.cli.evaluate import GATES_FAILED, print_gates, print_verdict
from studio.cli.generate import counts
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import say, say_json, tell_prose
from studio.dataset import training_data
from studio.doctor import environment
from studio.evaluate import Interval
from studio.evaluate.types import SideMetrics
from studio.files import as_seen
from studio.judge import LEARNED, judge_agreement, open_judge
from studio.llm import ModelSettings
from studio.train.types import MAX_EPOCHS, Backend, TrainPlan


@asks_models()
def build_command(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    settings: ModelSettings = OFFLINE,
    base: options.Base = None,
    examples: options.Examples = None,
    method: options.TrainMethod = None,
    seed: options.Seed = 0,
    as_json: options.AsJson = False,
) -> int:
    """Run every stage that is not done yet, from the spec to a verified package.

    Interrupted anywhere and started again, it goes on where it was. Exit status: 0 all gates passed,
    3 some did not, 2 bad input.

    Example: studio build specs/taskmaster.yaml --json
    """
    more: dict[str, Any] = {"base": base, "examples": examples, "seed": seed, "recipe": {"method": method}}
    with open_session(spec, workspace, settings, **more) as session:
        at_work = _roles(session).model_dump()
        found = environment(settings, base=session.base_model, folder=session.root, **at_work)
        tell_prose(f"Persona Studio: {session.loaded.spec.name} on {found.status_line}")
        built = show(build, session)
        summary = _summary(session, built)
    if as_json:
        say_json(summary)
    else:
        print_verdict(built.evaluation)
        print_gates(built.evaluation.gates)
        proven = "verified" if built.package.verification.verified else "NOT verified"
        say(f"package ({proven}): {as_seen(built.package.path)}")
    return 0 if built.evaluation.passed else GATES_FAILED


def _roles(session: Session) -> Roles:
    """Who writes and who judges; the agreement of a learned judge is measured where it is not known yet."""
    found = roles(session.settings, session.loaded)
    if found.judge == LEARNED and found.agreement is None:
        tell_prose("Learning a judge from the labels and measuring it on others, once: half a minute.")
        asyncio.run(
            judge_agreement(session.loaded, open_judge(session.settings, session.loaded, session.workspace.examples))
        )
        found = roles(session.settings, session.loaded)
    return found


def _summary(session: Session, built: Built) -> dict[str, Any]:
    """What the build came to, for scripts. ``agreement`` is the judge's kappa by trait; empty where not measured."""
    evaluation, finished = built.evaluation, built.run.finished
    assert finished is not None, "only a finished run is evaluated"
    return {
        "spec": {"name": session.loaded.spec.name, "hash": session.loaded.hash},
        **counts(session),
        "run": {"id": built.run.plan.run_id} | finished.model_dump(include={"steps", "loss", "seconds"}),
        "evaluation": {
            "judge": evaluation.judge.model_dump(include={"name", "agreement"}),
            "verdict": evaluation.verdict,
            "scope": evaluation.scope,
            "looks": evaluation.looks,
            "base": _side(evaluation.base),
            "tuned": _side(evaluation.tuned),
            "win_rate": _value(evaluation.win_rate),
            "beats_prompt": _value(evaluation.beats_prompt),
        },
        "gates": [gate.model_dump(include={"name", "target", "value", "status"}) for gate in evaluation.gates],
        "package": {"path": built.package.path, "verified": built.package.verification.verified},
    }


def _side(side: SideMetrics) -> dict[str, Any]:
    return {
        "overall": _value(side.overall),
        "traits": {name: mean.value for name, mean in side.traits.items()},
        "violations": _value(side.violations),
        "latency_s": side.latency_s,
    }


def _value(found: Interval | None) -> float | None:
    return found.value if found else None


def train(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    base: options.Base = None,
    rank: Annotated[int | None, typer.Option(min=1, help="LoRA rank.")] = None,
    learning_rate: Annotated[float | None, typer.Option("--lr", help="Peak learning rate.")] = None,
    epochs: Annotated[float | None, typer.Option(min=0, max=MAX_EPOCHS, help="Passes over the data.")] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, help="Examples an optimiser step.")] = None,
    micro_batch_size: Annotated[
        int | None, typer.Option(min=1, help="Of these at once, at most: saves memory.")
    ] = None,
    max_length: Annotated[int | None, typer.Option(min=16, help="Tokens of a conversation; the rest is cut.")] = None,
    method: options.TrainMethod = None,
    backend: Annotated[Backend | None, typer.Option(help="auto: unsloth on a GPU where it is installed.")] = None,
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", metavar="ID", help="Train on this one, not on what is accepted now.")
    ] = None,
    seed: options.Seed = 0,
    dry_run: Annotated[bool, typer.Option("--plan", help="Show the plan, and write and train nothing.")] = False,
    as_json: options.AsJson = False,
) -> None:
    """Train an adapter on what was accepted; stopped or killed, it goes on from its last checkpoint.

    Example: studio train specs/taskmaster.yaml --epochs 4
    """
    recipe = {
        "rank": rank,
        "learning_rate": learning_rate,
        "epochs": epochs,
        "batch_size": batch_size,
        "micro_batch_size": micro_batch_size,
        "max_length": max_length,
        "method": method,
        "backend": backend,
    }
    with open_session(spec, workspace, base=base, seed=seed, recipe=recipe, snapshot=snapshot) as session:
        if dry_run:
            planned = planned_run(session, training_data(session.workspace, session.loaded, snapshot, write=False))
            say_json(planned) if as_json else _print_plan(planned)
            return
        run = show(train_stage, session, show(triage_stage, session))
    if as_json:
        say_json(run)
    elif finished := run.finished:
        say(f"run {finished.run_id}: {finished.steps} steps, loss {finished.loss:.3f}, {finished.seconds:.0f} s")
        say(f"adapter ({finished.adapter_mb:.1f} MB): {finished.adapter_path}")
        if finished.note:
            say(f"note: {finished.note}")


def _print_plan(plan: TrainPlan) -> None:
    recipe = plan.recipe
    epochs = f"{recipe.epochs:g} epoch{'' if recipe.epochs == 1 else 's'}"
    say(f"run     {plan.run_id}")
    held_back = f", {plan.validation_examples} held back for validation" if plan.validation_examples else ""
    say(f"data    {plan.examples} accepted examples{held_back}, {plan.snapshot}")
    say(f"steps   {plan.steps}: {epochs}, batch {recipe.batch_size}, at most {recipe.max_length} tokens a conversation")
    rates = f"lr {recipe.learning_rate:g}, {recipe.scheduler}"
    say(f"recipe  {recipe.method} r {recipe.rank}, alpha {recipe.alpha}, {rates}")
    say(f"base    {plan.base_model}")
    if plan.adapter_mb is not None:
        say(f"adapter {plan.adapter_mb:.1f} MB")
    if plan.note:
        say(f"note    {plan.note}")
    say("nothing is trained yet; the same command without --plan trains it")
