"""``studio evaluate``: score a run, and say what its evaluation came to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer
from rich.text import Text

from studio.build import Session
from studio.build.stages import evaluate_stage
from studio.cli import options
from studio.cli.display import show
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import cell, out, say, say_json
from studio.cli.status import tell_next
from studio.cli.suite_text import print_suites
from studio.errors import UserError
from studio.evaluate import Evaluation, Gate, Interval, evaluation_of
from studio.evaluate.gate_text import bound, label, measured, percent, scope_text, shown_text, source_text, wins_text
from studio.evaluate.gates import out_of_reach, reach_text
from studio.evaluate.probes import part_sizes
from studio.evaluate.trust import trust_lines
from studio.llm import ModelSettings
from studio.train import Run, find_run, runs

GATES_FAILED = 3
LOCKED = "Open the locked third too, for a verdict; looks are counted and paid for."
COLOURS = {"PASS": "green", "FAIL": "red", "UNDECIDED": "yellow"}


@asks_models("author")
def evaluate(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    run: options.RunId = None,
    locked: Annotated[bool, typer.Option("--locked", help=LOCKED)] = False,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> int:
    """Score base and tuned on the held-out probes, and what the quality gates come to.

    A third of the probes is locked: without --locked it stays so, nothing is approved, and looking costs nothing. A
    build opens it. Exit status: 0 approved, 3 not.

    Example: studio evaluate specs/taskmaster.yaml --locked --json
    """
    with open_session(spec, workspace, settings) as session:
        evaluation = show(evaluate_stage, session, chosen_run(session, run), locked)
        tell_next(session)
    if as_json:
        parts = part_sizes(row.probe for row in evaluation.results)
        about = {"verdict": evaluation.verdict, "probes": len(evaluation.counted), "parts": parts}
        about |= {"out_of_reach": out_of_reach(evaluation)}
        say_json({**evaluation.model_copy(update={"results": ()}).model_dump(mode="json"), **about})
    else:
        _print_scores(evaluation)
        print_suites(evaluation.suites)
        print_gates(evaluation.gates)
        print_verdict(evaluation)
    return 0 if evaluation.passed else GATES_FAILED


def chosen_run(session: Session, run_id: str | None) -> Run:
    """The run that was named, or the newest finished one."""
    if run_id:
        return find_run(session.workspace, run_id)
    finished = [run for run in runs(session.workspace) if run.finished and not run.finished.stopped]
    if not finished:
        raise UserError("no finished training run yet", remedy=f"studio train {session.loaded.path}")
    return finished[0]


def evaluated_run(session: Session, run_id: str | None) -> tuple[Run, Evaluation]:
    """The same, with its evaluation."""
    run = chosen_run(session, run_id)
    found = evaluation_of(session.workspace, run.plan.run_id)
    if found is None:
        raise UserError(f"run {run.plan.run_id} is not evaluated", remedy=f"studio evaluate {session.loaded.path}")
    return run, found


def _print_scores(evaluation: Evaluation) -> None:
    """Base beside tuned, who says so, and what decides nothing."""
    base, tuned = evaluation.base, evaluation.tuned
    rows: list[tuple[str, Interval | float | None, Interval | float | None]] = [
        ("overall (0..10)", base.overall, tuned.overall),
        *((f"{name} (0..2)", base.traits.get(name), tuned.traits.get(name)) for name in evaluation.traits),
        ("violations", base.violations, tuned.violations),
        ("required terms kept", base.kept, tuned.kept),
        ("cut at max_tokens", base.cut, tuned.cut),
        ("latency p95 (s)", base.latency_s, tuned.latency_s),
    ]
    say(f"{'':<30} {'base':>8} {'tuned':>8}")
    for name, left, right in rows:
        say(f"{name:<30} {_figure(left):>8} {_figure(right):>8}")
    if (delta := evaluation.delta) is not None:
        between = f"{percent(delta.level)}: {delta.low:+.2f} to {delta.high:+.2f}"
        say(f"tuned less base: {delta.value:+.2f} of 10, {between}, n {delta.n}")
    say(f"by {source_text(evaluation)}")
    for line in wins_text(evaluation):
        say(line)
    for line in trust_lines(evaluation):
        say(line)
    for one in evaluation.shown:
        if one.name != "beats_prompt":
            say(shown_text(one))


def _figure(found: Interval | float | None) -> str:
    value = found.value if isinstance(found, Interval) else found
    return "-" if value is None else f"{value:.2f}"


def print_gates(gates: Sequence[Gate]) -> None:
    """A line a gate: ``PASS  overall  7.61 >= 7.5``."""
    names = max((len(label(gate.name)) for gate in gates), default=0)
    for gate in gates:
        status = cell(f"{gate.status:<9}")
        status.stylize(COLOURS[gate.status])
        line = f" {label(gate.name):<{names}} {measured(gate):>8} {bound(gate):<8}  {gate.note}"
        out.print(Text.assemble(status, cell(line.rstrip())), soft_wrap=True)


def print_verdict(evaluation: Evaluation) -> None:
    """``trial: undecided, 9 of 12 gates passed``; on which probes, and what those are too few to decide."""
    passed = sum(gate.status == "PASS" for gate in evaluation.gates)
    say(f"{evaluation.verdict}, {passed} of {len(evaluation.gates)} gates passed")
    say(scope_text(evaluation))
    if told := reach_text(evaluation):
        say(told)
