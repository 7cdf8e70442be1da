"""``studio generate`` and ``evaluate``: one stage each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Annotated

import typer

from studio.build import categories, gathered
from studio.build.stages import (
    evaluate_stage,
    generate_stage,
    scenarios,
)
from studio.build.types import Session
from studio.cli.options import (
    DEFAULT_SPEC,
    WORKSPACE,
    AsJson,
    Author,
    Base,
    Endpoint,
    Examples,
    JudgeModel,
    Model,
    Seed,
    SpecFile,
    WorkspaceFolder,
)
from studio.cli.output import say, say_json
from studio.cli.run import open_session, show
from studio.cli.scores import print_gates, print_scores, print_verdict
from studio.errors import UserError
from studio.evaluate import Evaluation
from studio.generate import ScenarioBalance
from studio.train import Run, find_run, runs

RunId = Annotated[str | None, typer.Option("--run", metavar="ID", help="A training run; the newest one if not given.")]
Balance = Annotated[bool, typer.Option("--balance", help="Show how many examples each scenario has, and write none.")]


def generate(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    endpoint: Endpoint = None,
    model: Model = None,
    judge_model: JudgeModel = None,
    author: Author = None,
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
        author=author,
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
        print_gates(evaluation.gates)
        print_verdict(evaluation)
    return 0 if evaluation.passed else 3


def chosen_run(session: Session, run_id: str | None) -> Run:
    """The run that was named, or the newest finished one."""
    if run_id:
        return find_run(session.workspace, run_id)
    finished = [run for run in runs(session.workspace) if run.finished and not run.finished.stopped]
    if not finished:
        raise UserError("no finished training run yet", remedy=f"studio train {session.loaded.path}")
    return finished[0]
