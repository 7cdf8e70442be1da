"""``studio train``."""

from __future__ import annotations

from typing import Annotated

import typer

from studio.build.stages import planned_run, train_stage, triage_stage
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, Base, Seed, SpecFile, TrainMethod, WorkspaceFolder
from studio.cli.output import say, say_json
from studio.cli.run import open_session, show
from studio.train import Run
from studio.train.types import MAX_EPOCHS, Backend, TrainPlan
from studio.triage import Export, export_chatml

DryRun = Annotated[bool, typer.Option("--plan", help="Show the plan, and write and train nothing.")]


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
    if plan.adapter_mb is not None:
        say(f"adapter {plan.adapter_mb:.1f} MB")
    if plan.note:
        say(f"note    {plan.note}")
    say("nothing is trained yet; the same command without --plan trains it")
