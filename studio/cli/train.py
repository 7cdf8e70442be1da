"""``studio train``: an adapter from what was accepted, or from what decisions and votes prefer."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from rich.text import Text

from studio.build import Session
from studio.build.stages import (
    blend_stage,
    planned_preference,
    planned_run,
    preference_stage,
    train_stage,
    triage_stage,
)
from studio.cli import options
from studio.cli.display import show
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, open_session
from studio.cli.output import out, say, say_json
from studio.dataset import training_data
from studio.errors import UserError
from studio.text.inert import inert
from studio.train.blend import blend_parts
from studio.train.mask import MaskPreview, preview_mask
from studio.train.types import MAX_EPOCHS, MOST_SAMPLES, Backend, Logger, Run, TrainPlan

Signals = Annotated[
    Literal["dpo", "kto"] | None,
    typer.Option(
        "--from-signals",
        help="Go on from a finished run, by edits, rejections and votes: dpo takes pairs, kto replies.",
    ),
]
Parent = Annotated[
    str | None, typer.Option("--run", metavar="ID", help="With --from-signals: the run to go on from, not the newest.")
]


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
    max_length: Annotated[
        int | None, typer.Option(min=16, help="Tokens of a conversation; a reply that ends beyond is left out.")
    ] = None,
    target_modules: Annotated[
        str | None, typer.Option(metavar="NAMES", help="Layers that are adapted, by commas; or all-linear.")
    ] = None,
    validations: Annotated[
        int | None, typer.Option(min=0, max=100, help="Times that what is held back is measured, and probes sampled.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(min=0, help="End after so many validations without a lower loss.")
    ] = None,
    samples: Annotated[
        int | None, typer.Option(min=0, max=MOST_SAMPLES, help="Probes answered then: 4 on a GPU, else none.")
    ] = None,
    log_to: Annotated[Logger | None, typer.Option(help="Write the metrics there too, on this machine.")] = None,
    method: options.TrainMethod = None,
    backend: Annotated[Backend | None, typer.Option(help="auto: unsloth on a GPU where it is installed.")] = None,
    signals: Signals = None,
    run: Parent = None,
    beta: Annotated[float | None, typer.Option(help="With --from-signals: how far it is held to that run.")] = None,
    people_only: Annotated[
        bool, typer.Option("--people-only", help="With --from-signals: leave out the judge's word.")
    ] = False,
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", metavar="ID", help="Train on this one, not on what is accepted now.")
    ] = None,
    seed: options.Seed = 0,
    dry_run: Annotated[bool, typer.Option("--plan", help="Show the plan, and write and train nothing.")] = False,
    blend: Annotated[
        list[str] | None,
        typer.Option(
            "--blend", metavar="RUN:WEIGHT", help="Add up adapters of runs; given twice or more, no training."
        ),
    ] = None,
    mask: Annotated[
        int | None,
        typer.Option("--preview-mask", metavar="[N]", min=1, help="Show N examples (3) and what of them is learned."),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Train an adapter on what was accepted; stopped or killed, it goes on from its last checkpoint.

    With --from-signals it goes on from a finished run, by what people and the judge prefer; --blend A:1 --blend B:0.25
    adds up adapters instead.

    Example: studio train specs/taskmaster.yaml --epochs 4
    """
    alone = {"--run": run, "--beta": beta, "--people-only": people_only}
    if signals is None and (without := [name for name, value in alone.items() if value not in (None, False)]):
        raise UserError(f"{without[0]} goes with --from-signals", remedy="--from-signals dpo, or kto")
    if signals is not None and snapshot is not None:
        raise UserError("signals are those that there are now", remedy="leave out --snapshot")
    recipe = {
        "rank": rank,
        "learning_rate": learning_rate,
        "epochs": epochs,
        "batch_size": batch_size,
        "micro_batch_size": micro_batch_size,
        "max_length": max_length,
        "method": method,
        "backend": backend,
        "target_modules": target_modules and tuple(name.strip() for name in target_modules.split(",")),
        "validations": validations,
        "patience": patience,
        "samples": samples,
        "log_to": log_to,
        "beta": beta,
    }
    with open_session(spec, workspace, base=base, seed=seed, recipe=recipe, snapshot=snapshot) as session:
        if blend:
            ended = show(blend_stage, session, blend_parts(blend), rank)
            say_json(ended) if as_json else _print_run(ended)
            return
        if mask:
            _print_mask(preview_mask(_planned(session, signals, run, people_only, snapshot, write=True), mask), as_json)
            return
        if dry_run:
            planned = _planned(session, signals, run, people_only, snapshot)
            say_json(planned) if as_json else _print_plan(planned)
            return
        if signals:
            ended = show(preference_stage, session, signals, run, people_only)
        else:
            ended = show(train_stage, session, show(triage_stage, session))
    if as_json:
        say_json(ended)
    else:
        _print_run(ended)


def _planned(
    session: Session,
    signals: Literal["dpo", "kto"] | None,
    run: str | None,
    people_only: bool,
    snapshot: str | None,
    write: bool = False,
) -> TrainPlan:
    """``write``: put the data where the plan says that it is."""
    if signals:
        return planned_preference(session, signals, run, people_only, write=write)
    return planned_run(session, training_data(session.workspace, session.loaded, snapshot, write=write))


def _print_mask(found: MaskPreview, as_json: bool) -> None:
    """What is learned is green on a terminal, and between brackets elsewhere."""
    if as_json:
        say_json(found)
        return
    for number, row in enumerate(found.rows, 1):
        learned, tokens = sum(one.tokens for one in row if one.learned), sum(one.tokens for one in row)
        say(f"--- {number}: {learned} of {tokens} tokens are learned")
        text = Text()
        for one in row:
            piece = inert(one.text)
            if out.is_terminal:
                text.append(piece, style="bold green" if one.learned else "dim")
            else:
                text.append(f"[[{piece}]]" if one.learned else piece)
        out.print(text, soft_wrap=True)
    left_out = f"; {found.left_out} are left out, over max_length or without a reply" if found.left_out else ""
    say(f"{found.examples} are trained on{left_out}")


def _print_run(run: Run) -> None:
    if finished := run.finished:
        of = "" if run.plan.objective == "sft" else f" ({run.plan.objective} on {', '.join(run.plan.parents)})"
        say(f"run {finished.run_id}{of}: {finished.steps} steps, loss {finished.loss:.3f}, {finished.seconds:.0f} s")
        if finished.sft_loss is not None and run.plan.objective != "blend":
            say(f"loss {finished.sft_loss:.3f} on what was accepted")
        say(f"adapter ({finished.adapter_mb:.1f} MB): {finished.adapter_path}")
        if finished.note:
            say(f"note: {finished.note}")


def _print_plan(plan: TrainPlan) -> None:
    recipe = plan.recipe
    epochs = f"{recipe.epochs:g} epoch{'' if recipe.epochs == 1 else 's'}"
    say(f"run     {plan.run_id}")
    held_back = f", {plan.validation_examples} held back for validation" if plan.validation_examples else ""
    if plan.objective == "sft":
        say(f"data    {plan.examples} accepted examples{held_back}, {plan.snapshot}")
    else:
        counts = ", ".join(f"{count} {name}" for name, count in plan.signals.items())
        say(f"data    {plan.examples} {'pairs' if plan.objective == 'dpo' else 'replies'} ({counts})")
        say(f"from    {', '.join(plan.parents)}, which it is held to")
    say(f"steps   {plan.steps}: {epochs}, batch {recipe.batch_size}, at most {recipe.max_length} tokens a conversation")
    rates = f"lr {recipe.learning_rate:g}, {recipe.scheduler}"
    say(f"recipe  {recipe.method} r {recipe.rank}, alpha {recipe.alpha}, {rates}")
    if settings := plan.preference:
        held = f"{plan.objective} beta {settings.beta:g}"
        weights = f"weights {settings.desirable_weight:g} desirable, {settings.undesirable_weight:g} undesirable"
        say(f"        {held}, {weights if plan.objective == 'kto' else f'sft loss x {settings.sft_weight:g}'}")
    if plan.validation_examples and recipe.validations:
        patience = f", ended after {recipe.patience} without a lower loss" if recipe.patience else ""
        say(f"checked {recipe.validations} times on what is held back{patience}; the best adapter is kept")
    say(f"base    {plan.base_model}")
    if plan.adapter_mb is not None:
        say(f"adapter {plan.adapter_mb:.1f} MB")
    if plan.memory is not None:
        fit = plan.memory
        say(f"memory  about {fit.needed:.1f} GiB at most, {fit.free:.1f} free on the {fit.device}")
    if plan.suggested_rank is not None and plan.suggested_rank != recipe.rank:
        say(f"rank    up to {plan.suggested_rank} is within the spec's limit for the adapter")
    for note in (plan.note, *plan.warnings):
        if note:
            say(f"note    {note}")
    say("nothing is trained yet; the same command without --plan trains it")
