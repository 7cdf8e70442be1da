"""``studio bank talk`` and ``talk-export``: people of the bank talk with each other, and what they said as ChatML."""

from __future__ import annotations

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from studio.bank.talk import CAP, ENTRY, KIND, LEAST_CAP, MOST_CAP, Side, Talk, TalkParams, export_talks
from studio.build.items import items_stage
from studio.cli import options
from studio.cli.bank_model import JUDGES
from studio.cli.bank_report import reasons_line
from studio.cli.display import duration, show
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import say, say_json, tell_prose
from studio.errors import UserError
from studio.files import as_seen
from studio.inference import ItemsFinished
from studio.llm import ModelSettings

FAULTS = ("role flip",)
"""Reasons that are the simulator's own."""
COUNT = "Conversations wanted in the workspace in all."
TURNS = "Turns of a conversation at most, of both sides together."
ONE_CALL = "Have each whole conversation written in one answer: cheaper, and the two sound more alike."
LANGUAGE = "The language that they talk, as a tag such as en; any takes all; the spec's if not given."
SEED = "Another seed draws other pairs from now on; those that were drawn stay."


class Sides(StrEnum):
    """Whose turns are the assistant's."""

    FIRST = "first"
    SECOND = "second"
    BOTH = "both"


_SIDES: dict[Sides, tuple[Side, ...]] = {
    Sides.FIRST: ("first",),
    Sides.SECOND: ("second",),
    Sides.BOTH: ("first", "second"),
}


@asks_models(*JUDGES)
def talk(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    count: Annotated[int, typer.Option("--count", "-n", metavar="N", min=1, help=COUNT)] = 50,
    turns: Annotated[int, typer.Option("--turns", metavar="N", min=LEAST_CAP, max=MOST_CAP, help=TURNS)] = CAP,
    one_call: Annotated[bool, typer.Option("--one-call", help=ONE_CALL)] = False,
    language: Annotated[str, typer.Option("--language", metavar="TAG", help=LANGUAGE)] = "",
    seed: Annotated[int, typer.Option("--seed", metavar="N", min=0, help=SEED)] = 0,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", metavar="N", min=1, max=1024, help="Conversations at once.")
    ] = None,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> None:
    """Have people of the bank talk with each other, two at a time, each asked as itself.

    Code draws relation, ages, mood, tone and medium, and ends it: no goodbye loops. Stopped and started again it
    goes on.

    Example: studio bank talk specs/taskmaster.yaml -n 50 --turns 12 --endpoint http://localhost:8000/v1 --model NAME
    """
    with open_session(spec, workspace, settings, seed=seed) as session:
        params = TalkParams(
            spec_path=str(session.loaded.path.absolute()),
            workspace=str(session.root),
            settings=settings,
            seed=seed,
            concurrency=concurrency,
            count=count,
            turns=turns,
            one_call=one_call,
            language=language,
        )
        end = show(items_stage, session, "talk", ENTRY, params)
        kept = session.workspace.documents.readable(KIND, Talk)
    relations = dict(Counter(one.scene.kind for one in kept).most_common())
    mean = sum(len(one.turns) for one in kept) / len(kept) if kept else 0.0
    faults = sum(end.reasons.get(reason, 0) for reason in FAULTS)
    if as_json:
        more = {"relations": relations, "mean_turns": mean, "simulator_faults": faults}
        say_json(end.model_dump(mode="json") | more)
        return
    say(_ending(end, mean, faults))
    say(f"relations: {', '.join(f'{kind} {number}' for kind, number in relations.items())}")
    if end.note:
        tell_prose(end.note)


def talk_export(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON lines are written there.")],
    side: Annotated[Sides, typer.Option("--side", help="Whose turns are the assistant's.")] = Sides.BOTH,
    system: Annotated[
        bool, typer.Option("--system/--no-system", help="Put the person before it, as a system message.")
    ] = True,
    spec: Annotated[Path, typer.Option("--spec", metavar="SPEC", help="The persona's YAML file.")] = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    as_json: options.AsJson = False,
) -> None:
    """Write the conversations as ChatML: one side is the assistant, the other one the user.

    Example: studio bank talk-export talks.jsonl --side both --spec specs/taskmaster.yaml
    """
    with open_session(spec, workspace) as session:
        talks = session.workspace.documents.readable(KIND, Talk)
        if not talks:
            remedy = f"studio bank talk {spec} makes some"
            raise UserError("there are no conversations", where=session.loaded.spec.name, remedy=remedy)
    count = export_talks(talks, file, _SIDES[side], with_system=system)
    if as_json:
        say_json({"conversations": len(talks), "lines": count, "file": as_seen(file)})
    else:
        say(f"{count} lines of {len(talks)} conversations in {as_seen(file)}")


def register(group: typer.Typer) -> None:
    """Add these commands to those of ``studio bank``."""
    group.command("talk")(talk)
    group.command("talk-export")(talk_export)


def _ending(end: ItemsFinished, mean: float, faults: int) -> str:
    cost = "cost unknown" if end.cost_usd is None else f"${end.cost_usd:.2f}" if end.cost_usd else "no cost"
    made = f"{end.done - end.known} new of {end.done}" if end.known else str(end.done)
    of_simulator = f", {faults} of them the simulator's faults" if faults else ""
    errors = f", {end.errors} failed" if end.errors else ""
    return (
        f"{made} conversations, {mean:.1f} turns on average, {end.removed} removed{reasons_line(end.reasons)}"
        f"{of_simulator}{errors}; {end.calls} calls, {cost}, {duration(end.seconds)}"
    )
