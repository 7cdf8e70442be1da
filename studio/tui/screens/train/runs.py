"""Runs in words: the one of a job as it goes, those before it on a line each, and all of one."""

from __future__ import annotations

from textual.content import Content

from studio.files import as_seen
from studio.train.types import TrainFinished, TrainStarted
from studio.tui.live.bridge import Snapshot
from studio.tui.live.progress import TrainProgress
from studio.tui.live.runs import RunRow
from studio.tui.screens.job_stage import job_state
from studio.tui.screens.train.plan import epochs
from studio.tui.text import Part, cells, clip, duration, join, lines, pad, rate, shown
from studio.tui.widgets.gates import gates_content, tally
from studio.tui.widgets.layout import facts, with_bar

HEADING = join((f"  {'run':<10} {'loss':>5} gates passed", "$quiet"))
"""Over the lines of :func:`run_line` in a list."""


def job_lines(job: Snapshot, width: int) -> Content:
    """The run of a job: how it stands and how far it is, its figures, what is safe of it."""
    progress: TrainProgress = job.progress or TrainProgress()
    started = progress.started
    state = join((job.run_id, "bold"), "  " if job.run_id else "", job_state(job, ""))
    if job.alive and (started is None or (progress.halted and job.view.state != "stopping")):
        saved = f"saved at step {progress.saved}, it resumes from there" if progress.saved else ""
        doing = progress.awaited or "loading the libraries and the base model"
        return lines([join(state, f", {doing}"), join((saved, "$quiet"))])
    if started is None:
        return state
    done, steps = progress.done, started.steps
    told = with_bar(join(state, f"  step {done} of {steps} "), done, steps, width)
    return lines([told, _figures(progress, started), saved_line(progress, started)])


def _figures(progress: TrainProgress, started: TrainStarted) -> Content:
    """Loss, learning rate, speed and what it runs on."""
    step, found = progress.step, [("on ", f"{started.device}, {started.backend}")]
    if step is not None:
        eta = [] if progress.finished else [("ETA ", duration(step.eta_s))]
        values = [("loss ", f"{step.loss:.3f}"), ("lr ", f"{step.learning_rate:.1e}"), ("epoch ", f"{step.epoch:.1f}")]
        found = [*values, ("", rate(step.rate)), *eta, *found]
    return Content("  ").join(join((name, "$quiet"), (value, "bold")) for name, value in found)


def saved_line(progress: TrainProgress, started: TrainStarted) -> Content:
    """What is safe, and what there is to say of the run."""
    finished = progress.finished
    size = f"{started.trainable_parameters / 1e6:.2f}M of {started.total_parameters / 1e6:.1f}M weights"
    if finished is not None and not finished.stopped:
        return _done(finished, f", {size}")
    if finished is not None:
        return join((f"stopped and saved at step {finished.steps}; s resumes from there", "$warning"))
    saved = f"saved at step {progress.saved}" if progress.saved else "not saved yet"
    return join((f"{saved}  ", "$quiet"), (started.note, "$warning") if started.note else (size, "$quiet"))


def _done(finished: TrainFinished, more: str = "") -> Content:
    told = f"done in {duration(finished.seconds)}: loss {finished.loss:.3f} in the last epoch"
    return join((told, "$success"), (f"  adapter {finished.adapter_mb:.1f} MB{more}", "$quiet"))


def row_lines(row: RunRow) -> Content:
    """As :func:`job_lines`, of a run that no job here is about."""
    plan, finished = row.run.plan, row.run.finished
    name = join((plan.run_id, "bold"), "  ")
    if finished is None:
        return join(name, ("begun, not finished", "$warning"))
    done = f"step {finished.steps} of {plan.steps}"
    if finished.stopped:
        return join(name, (f"stopped and saved at {done}", "$warning"))
    gates = tally(row.evaluation.gates) if row.evaluation else join(("not evaluated yet", "$quiet"))
    return lines([join(name, ("trained", "$success"), f"  {done}"), _done(finished), gates])


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


def run_page(row: RunRow, width: int) -> Content:
    """All of one run."""
    plan, finished, gates = row.run.plan, row.run.finished, row.evaluation.gates if row.evaluation else None
    recipe = plan.recipe
    told: list[tuple[str, Part]] = [
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
    of_gates = [shown("Not evaluated yet.", "$quiet")] if gates is None else [tally(gates), gates_content(gates, width)]
    return lines([*of_gates, Content(""), facts(told, width)])
