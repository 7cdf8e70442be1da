"""What the training screen shows, as content: the plan, how the run stands, and the runs before it."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from studio.files import as_seen
from studio.train.presets import preset_for
from studio.train.types import Recipe, TrainFinished, TrainPlan, TrainStarted
from studio.tui.live.bridge import Snapshot
from studio.tui.live.progress import TrainProgress
from studio.tui.live.runs import RunRow
from studio.tui.screens.gate_lines import gates_content, tally
from studio.tui.screens.job_stage import job_state
from studio.tui.screens.planning import Planned
from studio.tui.text import Part, cells, clip, duration, join, lines, pad, rate, shown
from studio.tui.widgets.layout import facts, with_bar
from studio.tui.widgets.page import Shown


def plan_page(planned: Planned, rows: Sequence[RunRow], training: str) -> Shown:
    """What ``s`` would train. ``rows`` are the runs there are, ``training`` the one that is being trained now."""
    return lambda width: facts(_plan(planned, rows, training), width, name_width=9)


def _plan(planned: Planned, rows: Sequence[RunRow], training: str) -> list[tuple[str, Part]]:
    plan, stale, known = planned.plan, planned.export.stale, known_run(planned.plan, rows)
    takes = None if known else estimate_s(plan, rows)
    recipe, preset = plan.recipe, preset_for(plan.base_model)
    changed = "" if _same(recipe, preset.recipe) else ", changed"
    return [
        ("plan", ("in training now", "$primary bold") if training == plan.run_id else _standing(known)),
        ("data", f"{plan.examples} accepted examples, {plan.data_hash[:8]}"),
        ("", (f"{stale} of an earlier spec left out: generate (3)", "$warning") if stale else ""),
        ("steps", f"{plan.steps} in {epochs(recipe)}, batch {recipe.batch_size}"),
        ("recipe", f"LoRA r {recipe.rank} a {recipe.alpha}, lr {recipe.learning_rate:g}"),
        ("preset", f"{preset.name}{changed}"),
        ("base", plan.base_model),
        ("trial", (f"a stand-in for {planned.stands_in_for}" if planned.stands_in_for else "", "$warning")),
        ("adapter", f"{plan.adapter_mb:.1f} MB" if plan.adapter_mb and not plan.note else ""),
        ("note", (plan.note, "$warning")),
        ("time", "" if takes is None else f"about {duration(takes)}, as the last run went"),
    ]


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


def _same(recipe: Recipe, preset: Recipe) -> bool:
    return recipe.model_copy(update={"seed": preset.seed}) == preset


def _standing(known: RunRow | None) -> Part:
    if known is None:
        return ("not trained yet: s starts it", "$primary bold")
    if known.whole:
        return (f"trained already, {known.run.plan.run_id}", "$success")
    return ("begun, not finished: s resumes it", "$warning bold")


def known_run(plan: TrainPlan, rows: Sequence[RunRow]) -> RunRow | None:
    """The run of exactly this plan; one trained to its end before one that was not."""
    same = [row for row in rows if row.run.plan.fingerprint == plan.fingerprint]
    return next((row for row in same if row.whole), same[0] if same else None)


def job_lines(job: Snapshot, width: int) -> Content:
    """The run of a job: how it stands and how far it is, its figures, what is safe of it."""
    progress: TrainProgress = job.progress or TrainProgress()
    state = join((job.run_id, "bold"), "  " if job.run_id else "", job_state(job, ""))
    loads = job.alive and (progress.started is None or (progress.halted and job.view.state != "stopping"))
    if loads:
        saved = f"saved at step {progress.saved}, it resumes from there" if progress.saved else ""
        return lines([join(state, ", loading the libraries and the base model"), join((saved, "$quiet"))])
    if progress.started is None:
        return state
    done, steps = progress.done, progress.started.steps
    told = with_bar(join(state, f"  step {done} of {steps} "), done, steps, width)
    return lines([told, figures_line(progress, progress.started), saved_line(progress, progress.started)])


def row_lines(row: RunRow) -> Content:
    """As :func:`job_lines`, of a run that no job here is about."""
    plan, finished = row.run.plan, row.run.finished
    done = f"step {finished.steps if finished else 0} of {plan.steps}"
    name = join((plan.run_id, "bold"), "  ")
    if finished is None:
        return join(name, ("begun, not finished", "$warning"))
    if finished.stopped:
        return join(name, (f"stopped and saved at {done}", "$warning"))
    adapter = (f"  adapter {finished.adapter_mb:.1f} MB", "$quiet")
    gates = tally(row.evaluation.gates) if row.evaluation else join(("not evaluated yet", "$quiet"))
    return lines([join(name, ("trained", "$success"), f"  {done}"), join(_done(finished), adapter), gates])


def _done(finished: TrainFinished) -> Content:
    return join((f"done in {duration(finished.seconds)}: loss {finished.loss:.3f} in the last epoch", "$success"))


def figures_line(progress: TrainProgress, started: TrainStarted) -> Content:
    """Loss, learning rate, speed and what it runs on."""
    step = progress.step
    parts: list[Content] = []
    if step is not None:
        parts = [
            _pair("loss", f"{step.loss:.3f}"),
            _pair("lr", f"{step.learning_rate:.1e}"),
            _pair("epoch", f"{step.epoch:.1f}"),
            _pair("", f"{rate(step.rate)}"),
            _pair("ETA", duration(step.eta_s)) if progress.finished is None else Content(""),
        ]
    parts.append(_pair("on", f"{started.device}, {started.backend}"))
    return Content("  ").join(part for part in parts if part.plain)


def saved_line(progress: TrainProgress, started: TrainStarted) -> Content:
    """What is safe, and what there is to say of the run."""
    finished = progress.finished
    size = f"{started.trainable_parameters / 1e6:.2f}M of {started.total_parameters / 1e6:.1f}M weights"
    if finished is not None and not finished.stopped:
        return join(_done(finished), (f"  adapter {finished.adapter_mb:.1f} MB, {size}", "$quiet"))
    if finished is not None:
        return join((f"stopped and saved at step {finished.steps}; s resumes from there", "$warning"))
    saved = f"saved at step {progress.saved}" if progress.saved else "not saved yet"
    return join((f"{saved}  ", "$quiet"), (started.note, "$warning") if started.note else (size, "$quiet"))


def _pair(name: str, value: str) -> Content:
    return join((f"{name} " if name else "", "$quiet"), (value, "bold"))


def runs_heading() -> Content:
    """Over the lines of :func:`run_line` in a list."""
    return join((f"  {'run':<10} {'loss':>5} gates passed", "$quiet"))


def run_line(row: RunRow, width: int) -> Content:
    """``fa2b01cd99 0.412 12/13 gates``."""
    finished = row.run.finished
    loss = f"{finished.loss:.3f}" if finished else "  -  "
    if row.evaluation is not None:
        gates = row.evaluation.gates
        passed = sum(gate.status == "PASS" for gate in gates)
        state = (f"{passed}/{len(gates)} gates", "$success" if passed == len(gates) else "$warning")
    else:
        state = ("not evaluated", "$quiet") if row.whole else ("not finished", "$warning")
    name = clip(row.run.plan.run_id.removeprefix("run-"), max(width - 20, 6))
    return join(pad(name, max(cells(name), 10)), " ", (loss, "bold"), " ", state)


def run_page(row: RunRow) -> Shown:
    """All of one run."""
    return lambda width: lines([_gates(row, width), Content(""), facts(_run(row), width)])


def _run(row: RunRow) -> list[tuple[str, Part]]:
    plan, finished = row.run.plan, row.run.finished
    recipe = plan.recipe
    return [
        ("run", plan.run_id),
        ("base", plan.base_model),
        ("examples", f"{plan.examples} from {as_seen(plan.data_path)}"),
        ("recipe", f"r {recipe.rank}, alpha {recipe.alpha}, dropout {recipe.dropout:g}, lr {recipe.learning_rate:g}"),
        ("", f"{epochs(recipe)}, batch {recipe.batch_size}, {recipe.scheduler}, {recipe.method}"),
        ("steps", f"{finished.steps if finished else 0} of {plan.steps}"),
        ("loss", f"{finished.loss:.4f}" if finished else "not finished"),
        ("time", duration(finished.seconds) if finished else ""),
        ("note", finished.note if finished else ""),
        ("adapter", f"{finished.adapter_mb:.2f} MB in {as_seen(finished.adapter_path)}" if finished else ""),
        ("spec", plan.spec_hash[:12]),
        ("fingerprint", plan.fingerprint),
    ]


def _gates(row: RunRow, width: int) -> Content:
    if row.evaluation is None:
        return shown("Not evaluated yet.", "$quiet")
    gates = row.evaluation.gates
    return lines([tally(gates), gates_content(gates, width)])


def epochs(recipe: Recipe) -> str:
    """``1 epoch``, ``2.5 epochs``."""
    return f"{recipe.epochs:g} epoch{'' if recipe.epochs == 1 else 's'}"


def recipe_values(recipe: Recipe) -> dict[str, str]:
    """What the form shows, by the names of :class:`Recipe`."""
    return {
        "epochs": f"{recipe.epochs:g}",
        "learning_rate": f"{recipe.learning_rate:g}",
        "rank": str(recipe.rank),
        "alpha": str(recipe.alpha),
        "batch_size": str(recipe.batch_size),
        "micro_batch_size": str(recipe.micro_batch_size),
        "max_length": str(recipe.max_length),
        "method": recipe.method,
    }


def recipe_note(base_model: str) -> str:
    preset = preset_for(base_model)
    values = ", ".join(f"{name} {value}" for name, value in recipe_values(preset.recipe).items())
    return f"The preset {preset.name}: {values} ({preset.why.split(';')[0]})."
