"""The plan of the next run: the accepted examples as they are now, by the recipe as it is now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from studio.build import Session
from studio.build.stages import begin_training, planned_run
from studio.dataset import Export, training_data
from studio.errors import UserError
from studio.evaluate.fingerprint import is_trial
from studio.jobs import Job
from studio.train.planning import preset_for
from studio.train.types import Recipe, TrainPlan
from studio.tui.live.runs import RunRow
from studio.tui.text import Part, duration
from studio.tui.widgets.layout import facts
from studio.tui.widgets.page import Shown

FORM = ("epochs", "learning_rate", "rank", "alpha", "batch_size", "micro_batch_size", "max_length", "method")
"""What of a recipe is changed in the window."""


@dataclass(frozen=True)
class Planned:
    """A plan, and what of the accepted examples it leaves out."""

    plan: TrainPlan
    export: Export
    stands_in_for: str = ""
    """The model to deploy on, where the run is a trial on another."""


def plan_now(session: Session) -> Planned:
    """Export what is accepted and plan its run. Raises UserError where there is nothing to train with. Reads and writes
    the disk, and may ask the hub for the base model."""
    export = training_data(session.workspace, session.loaded, session.snapshot)
    if not export.count and export.stale:
        told = f"the {export.stale} accepted examples were judged by an earlier version of the spec"
        raise UserError(told, remedy="generate (3) judges them again")
    plan, deployed = planned_run(session, export), session.loaded.spec.deployment.base_model
    return Planned(plan, export, deployed if is_trial(plan.base_model, deployed) else "")


def train_now(session: Session) -> Job:
    """Start the run of :func:`plan_now`, or go on with it where it was begun."""
    return begin_training(session, plan_now(session).plan)


def plan_page(planned: Planned, rows: Sequence[RunRow], training: str) -> Shown:
    """What ``s`` would train. ``rows`` are the runs there are, ``training`` the one that is being trained now."""
    plan, stale, known = planned.plan, planned.export.stale, known_run(planned.plan, rows)
    takes = None if known else estimate_s(plan, rows)
    recipe, preset = plan.recipe, preset_for(plan.base_model)
    as_preset = recipe.model_copy(update={"seed": preset.recipe.seed}) == preset.recipe
    pairs: list[tuple[str, Part]] = [
        ("plan", ("in training now", "$primary bold") if training == plan.run_id else _standing(known)),
        ("data", f"{plan.examples} accepted examples, {plan.data_hash[:8]}"),
        ("", (f"{stale} of an earlier spec left out: generate (3)" if stale else "", "$warning")),
        ("steps", f"{plan.steps} in {epochs(recipe)}, batch {recipe.batch_size}"),
        ("recipe", f"LoRA r {recipe.rank} a {recipe.alpha}, lr {recipe.learning_rate:g}"),
        ("preset", f"{preset.name}{'' if as_preset else ', changed'}"),
        ("base", plan.base_model),
        ("trial", (f"a stand-in for {planned.stands_in_for}" if planned.stands_in_for else "", "$warning")),
        ("adapter", f"{plan.adapter_mb:.1f} MB" if plan.adapter_mb and not plan.note else ""),
        ("note", (plan.note, "$warning")),
        ("time", "" if takes is None else f"about {duration(takes)}, as the last run went"),
    ]
    return lambda width: facts(pairs, width, name_width=9)


def estimate_s(plan: TrainPlan, rows: Sequence[RunRow]) -> float | None:
    """Seconds that a run will take, by the newest one of its kind here; None where there was none."""
    for row in rows:
        finished = row.run.finished
        if finished and finished.steps and finished.seconds > 0 and _costs(row.run.plan) == _costs(plan):
            return plan.steps * finished.seconds / finished.steps
    return None


def _costs(plan: TrainPlan) -> tuple[object, ...]:
    """What decides how long a step takes."""
    recipe = plan.recipe
    return plan.base_model, recipe.batch_size, recipe.micro_batch, recipe.max_length, recipe.rank, recipe.method


def known_run(plan: TrainPlan, rows: Sequence[RunRow]) -> RunRow | None:
    """The run of exactly this plan; one trained to its end before one that was not."""
    same = [row for row in rows if row.run.plan.fingerprint == plan.fingerprint]
    return next((row for row in same if row.whole), same[0] if same else None)


def _standing(known: RunRow | None) -> Part:
    if known is None:
        return ("not trained yet: s starts it", "$primary bold")
    if known.whole:
        return (f"trained already, {known.run.plan.run_id}", "$success")
    return ("begun, not finished: s resumes it", "$warning bold")


def epochs(recipe: Recipe) -> str:
    """``1 epoch``, ``2.5 epochs``."""
    return f"{recipe.epochs:g} epoch{'' if recipe.epochs == 1 else 's'}"


def recipe_values(recipe: Recipe) -> dict[str, str]:
    """What the form shows, by the names of :class:`Recipe`."""
    values = ((name, getattr(recipe, name)) for name in FORM)
    return {name: f"{value:g}" if isinstance(value, float) else str(value) for name, value in values}


def recipe_note(base_model: str) -> str:
    preset = preset_for(base_model)
    values = ", ".join(f"{name} {value}" for name, value in recipe_values(preset.recipe).items())
    return f"The preset {preset.name}: {values} ({preset.why.split(';')[0]})."
