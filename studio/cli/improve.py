"""``studio improve``: a gate that is not passed becomes examples, a retrain and a delta, round by round."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from studio.build.improve import EXAMPLES, ROUNDS, ImproveOptions, improve
from studio.build.improve_record import Improvement, improvements
from studio.cli import options
from studio.cli.display import show
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import say, say_json
from studio.files import as_seen
from studio.llm import ModelSettings

GATES_FAILED, WAITS = 3, 4
EXAMPLES_WANTED = "Examples to write in a round; never more than are accepted already, so that half stays old."
AUTO = "Let the judge alone accept; without it every round waits for your review of its examples."


@asks_models()
def improve_command(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    run: options.RunId = None,
    examples: Annotated[int, typer.Option("--examples", metavar="N", min=1, help=EXAMPLES_WANTED)] = EXAMPLES,
    rounds: Annotated[int, typer.Option("--rounds", metavar="N", min=1, help="Rounds at most.")] = ROUNDS,
    auto: Annotated[bool, typer.Option("--auto", help=AUTO)] = False,
    history: Annotated[
        bool, typer.Option("--history", help="Show every round that there was, and do nothing.")
    ] = False,
    settings: ModelSettings = OFFLINE,
    seed: options.Seed = 0,
    concurrency: Annotated[int | None, typer.Option("--concurrency", metavar="N", min=1, help="Calls at once.")] = None,
    as_json: options.AsJson = False,
) -> int:
    """Diagnose the gates that are not passed, write examples for the weakest, train from scratch, measure the delta.

    Ends where the gates pass, where nothing improves, or at a budget. Interrupted anywhere, the same command goes on.
    Exit status: 0 approved, 3 not, 4 examples wait for your review.

    Example: studio improve specs/taskmaster.yaml --auto --endpoint URL --model NAME
    """
    more: dict[str, Any] = {"seed": seed, "concurrency": concurrency}
    with open_session(spec, workspace, settings, **more) as session:
        if history:
            found = improvements(session.workspace)
            say_json({"improvements": found_json(found)}) if as_json else _print_all(found)
            return 0
        asked = ImproveOptions(examples=examples, rounds=rounds, auto=auto, run_id=run)
        end = show(improve, session, asked)
        path = as_seen(session.loaded.path)
    if as_json:
        say_json(found_json([end])[0])
    else:
        _print(end)
        if end.waits:
            say(f"look at them: studio triage list {path}; then the same command goes on")
    return WAITS if end.waits else 0 if end.passed else GATES_FAILED


def found_json(found: list[Improvement]) -> list[dict[str, Any]]:
    """For scripts: with the line of each round."""
    told = [one.model_dump(mode="json") for one in found]
    for one, mine in zip(found, told, strict=True):
        mine["lines"], mine["waits"] = [step.line for step in one.rounds], one.waits
    return told


def _print_all(found: list[Improvement]) -> None:
    for one in found:
        _print(one)
    if not found:
        say("nothing was improved yet")


def _print(one: Improvement) -> None:
    """The diagnosis of each round and its line, why it ended, and what the locked probes say."""
    say(f"{one.id}, from {one.first}")
    shown: tuple[object, ...] = ()
    for step in one.rounds:
        for finding in step.findings:
            say(f"  {finding.line}")
        say(step.line)
        shown = step.findings
    if one.findings != shown:
        for finding in one.findings:
            say(f"  {finding.line}")
    if one.ended:
        say(f"ended: {one.ended}")
    if one.locked:
        say(f"on the locked probes: {', '.join(delta.text for delta in one.locked)}")
    if one.verdict:
        say(f"verdict: {one.verdict}")
