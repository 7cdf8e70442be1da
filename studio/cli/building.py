"""``studio build``: all stages, headless."""

from __future__ import annotations

from rich.table import Table

from studio.build import Summary, build
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
from studio.cli.output import cell, out, say, say_json, tell
from studio.cli.run import open_session, show
from studio.doctor import environment
from studio.judge import limits_of

GATES_FAILED = 3
COLOURS = {"PASS": "green", "FAIL": "red", "UNDECIDED": "yellow"}


def build_command(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    endpoint: Endpoint = None,
    model: Model = None,
    judge_model: JudgeModel = None,
    base: Base = None,
    examples: Examples = None,
    method: TrainMethod = None,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> int:
    """Run every stage that is not done yet, from the spec to a verified package.

    Interrupted anywhere and started again, it goes on where it was. Exit status: 0 all gates passed,
    3 some did not, 2 bad input.

    Example: studio build specs/taskmaster.yaml --json
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
        recipe={"method": method},
    ) as session:
        found = environment(session.settings, base=session.base_model, folder=session.root)
        tell(f"Persona Studio: {session.loaded.spec.name} on {found.status_line}")
        summary = show(build(session))
    assert summary is not None, "a build that ends without an error ends with its summary"
    if as_json:
        say_json(summary)
    else:
        print_summary(summary)
    return 0 if summary.passed else GATES_FAILED


def print_summary(summary: Summary) -> None:
    """The table of gates, and where the package is."""
    table = Table(title="Quality gates", title_justify="left")
    table.add_column("gate")
    table.add_column("target", justify="right")
    table.add_column("value", justify="right")
    table.add_column("status")
    for gate in summary.gates:
        value = "not measured" if gate.value is None else f"{gate.value:.3g}"
        status = cell(gate.status)
        status.stylize(COLOURS[gate.status])
        table.add_row(cell(gate.name), cell(f"{gate.target:g}"), cell(value), status)
    out.print(table)
    if limits := limits_of(summary.evaluation.judge):
        say(limits)
    proof = "verified" if summary.package.verified else "NOT verified"
    say(f"Package ({proof}): {summary.package.path}")
