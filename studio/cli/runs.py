"""``studio runs``: the training runs of a persona listed, shown, named, noted, deleted and compared."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from studio.build.runs import delete_run, deletion, run_summaries
from studio.cli.evaluate import print_gates
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, SpecFile, WorkspaceFolder, group, open_session
from studio.cli.output import cut, say, say_json, tell
from studio.errors import UserError
from studio.evaluate import evaluation_of
from studio.evaluate.compare import Which, compare_runs
from studio.evaluate.compare_text import comparison_lines
from studio.evaluate.curves import curves_svg
from studio.evaluate.gate_text import scope_text, wins_text
from studio.files import as_seen, write_atomic
from studio.text.inert import inert_line
from studio.train import find_run, name_run, note_run

WIDTH = 80
app = group("List, show, name, note, delete and compare training runs.", "studio runs compare before after")
Named = Annotated[str, typer.Argument(metavar="RUN", help="An id, the beginning of one, or a name.")]
SpecOption = Annotated[Path, typer.Option("--spec", metavar="SPEC", help="The persona's YAML file.")]
PROBES = "Compared on: open, tune or locked."


@app.command("list")
def listing(spec: SpecFile = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False) -> None:
    """List the runs, the newest first, with what they came to. Example: studio runs list specs/taskmaster.yaml"""
    with open_session(spec, workspace) as session:
        found = run_summaries(session.workspace)
    if as_json:
        say_json([one.model_dump(mode="json") for one in found])
        return
    if not found:
        say(f"no run yet: studio train {spec}")
    for one in found:
        name = cut(inert_line(one.name), 14)
        gates = f"{one.gates_passed}/{one.gates} gates" if one.gates else "not evaluated"
        state = gates if one.state == "trained" else one.state
        loss = "-" if one.loss is None else f"{one.loss:.3f}"
        say(f"{one.id:<16} {name:<14} {one.created:%m-%d %H:%M} {loss:>6} {state:<14} {megabytes(one.bytes):>9}")
        if one.note:
            say(f"  {cut(inert_line(one.note), WIDTH - 2)}")


@app.command("show")
def show_run(
    run: Named, spec: SpecOption = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False
) -> None:
    """Show all of one run: what it was trained by, its gates, what was packed. Example: studio runs show 3f2a"""
    with open_session(spec, workspace) as session:
        found = find_run(session.workspace, run)
        plan, recipe, finished = found.plan, found.plan.recipe, found.finished
        one = next(one for one in run_summaries(session.workspace) if one.id == plan.run_id)
        evaluation = evaluation_of(session.workspace, plan.run_id)
    if as_json:
        of = evaluation.model_copy(update={"results": ()}).model_dump(mode="json") if evaluation else None
        say_json({**one.model_dump(mode="json"), "run": found.model_dump(mode="json"), "evaluation": of})
        return
    rows = [("run", one.id), ("name", one.name), ("note", one.note), ("state", one.state), ("base", one.base_model)]
    rows += [("data", f"{one.examples} examples, {plan.data_hash[:12]}"), ("spec", plan.spec_hash[:12])]
    rates = f"lr {recipe.learning_rate:g}, {recipe.epochs:g} epochs, batch {recipe.batch_size}, seed {recipe.seed}"
    rows += [("recipe", f"{recipe.method} r {recipe.rank}, alpha {recipe.alpha}, {rates}")]
    if finished is not None:
        rows += [("steps", f"{finished.steps} of {plan.steps} in {finished.seconds:.0f} s")]
        rows += [("loss", f"{finished.loss:.4f}"), ("adapter", f"{finished.adapter_mb:.1f} MB")]
    rows += [("disk", megabytes(one.bytes)), *(("package", name) for name in one.packages)]
    for name, value in rows:
        if value:
            say(f"{name:<8} {inert_line(value)}")
    if evaluation is not None:
        say(f"verdict  {evaluation.verdict}")
        say(f"probes   {scope_text(evaluation)}")
        for line in wins_text(evaluation):
            say(line)
        print_gates(evaluation.gates)


@app.command("name")
def name(
    run: Named,
    name: Annotated[str, typer.Argument(metavar="NAME", help="Its new name; '' takes it away.")],
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    as_json: AsJson = False,
) -> None:
    """Give a run a name, which --run takes too. Example: studio runs name 3f2a before"""
    with open_session(spec, workspace) as session:
        found = find_run(session.workspace, run)
        tag = name_run(session.workspace, found, name)
    run_id = found.plan.run_id
    if as_json:
        say_json({"id": run_id, **tag.model_dump()})
    else:
        say(f"{run_id} is {tag.name}" if tag.name else f"{run_id} has no name")


@app.command("note")
def note(
    run: Named,
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What to remember of it; '' takes it away.")],
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    as_json: AsJson = False,
) -> None:
    """Keep a note on a run. Example: studio runs note before "only the first hundred examples" """
    with open_session(spec, workspace) as session:
        found = find_run(session.workspace, run)
        tag = note_run(session.workspace, found, text)
    if as_json:
        say_json({"id": found.plan.run_id, **tag.model_dump()})
    else:
        say(f"noted: {found.plan.run_id}" if tag.note else f"{found.plan.run_id} has no note")


@app.command("delete")
def delete(
    run: Named,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    force: Annotated[bool, typer.Option("--force", help="Even if it is evaluated, labelled or packed.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Delete a run: adapter, checkpoints, evaluation. Packages and people's labels stay; a terminal is asked first.

    Example: studio runs delete before --force
    """
    with open_session(spec, workspace) as session:
        found = find_run(session.workspace, run)
        run_id = found.plan.run_id
        planned = deletion(session.workspace, found)
        if not yes and (force or not planned.depending) and sys.stdin.isatty() and sys.stderr.isatty():
            hangs = f", which is {' and '.join(planned.depending)}" if planned.depending else ""
            tell(f"{run_id}{hangs}: {megabytes(planned.bytes)}")
            if not typer.confirm("Delete it?", err=True):
                raise UserError("nothing was deleted", where=run_id)
        done = delete_run(session.workspace, run_id, force=force)
    if as_json:
        say_json(done)
    else:
        say(f"deleted {done.run_id}: {megabytes(done.bytes)} freed")


@app.command("compare")
def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="The run before.")],
    second: Annotated[str, typer.Argument(metavar="B", help="The run after.")],
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    probes: Annotated[Which, typer.Option("--probes", help=PROBES)] = "open",
    plot: Annotated[Path | None, typer.Option("--plot", metavar="FILE.svg", help="Draw the loss curves.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compare two runs: loss, each metric's paired difference, probes that changed side, gates, settings.

    Example: studio runs compare before after --plot loss.svg
    """
    with open_session(spec, workspace) as session:
        before, after = (find_run(session.workspace, one) for one in (first, second))
        found = compare_runs(session.workspace, before, after, probes)
    if plot is not None:
        write_atomic(plot, curves_svg((found.first.curve, found.second.curve), (found.first.label, found.second.label)))
    if as_json:
        say_json(found)
        return
    for line in comparison_lines(found, WIDTH):
        say(line)
    if plot is not None:
        say(f"loss curves: {as_seen(plot)}")


def megabytes(size: int) -> str:
    """In units of 10^6 bytes."""
    return f"{size / 1e6:.1f} MB"
