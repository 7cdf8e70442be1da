"""``studio bank study``: how much a model's outputs change with the person, by how alike two people are."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from studio.bank.study import (
    BINS,
    DEFAULT,
    ENTRY,
    LEGEND,
    PAIRS,
    SAMPLE,
    Study,
    StudyParams,
    latest_study,
    read_prompt,
    report,
    svg,
)
from studio.build.items import items_stage
from studio.cli import options
from studio.cli.bank_model import JUDGES
from studio.cli.display import duration, show
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import say, say_json, tell_prose
from studio.errors import UserError
from studio.files import as_seen, write_atomic
from studio.inference import ItemsFinished
from studio.llm import ModelSettings, resolve_settings

PAIRS_A_BIN = "Pairs wanted of each similarity."
BIN = "A persona similarity, +- .05; .4, .6 and .8 if none is named."
TASK = "A prompt of ours; free and constrained if neither --task nor --prompt is given."
PROMPT = "A text file with a prompt of your own; {person} in it becomes the person."
OTHER = "A second model, to compare with; at the same server if no --other-endpoint is given."
PEOPLE = "People of the bank who are compared to find the pairs, at most."
PLOT = "Write the box plots there, as SVG."


class TaskName(StrEnum):
    """A prompt of :data:`studio.bank.study.TASKS`."""

    FREE = "free"
    CONSTRAINED = "constrained"
    MATH = "math"


@asks_models(*JUDGES)
def study(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    pairs: Annotated[int, typer.Option("--pairs", metavar="N", min=3, max=1000, help=PAIRS_A_BIN)] = PAIRS,
    bins: Annotated[list[float] | None, typer.Option("--bin", metavar="X", min=0.05, max=0.95, help=BIN)] = None,
    tasks: Annotated[list[TaskName] | None, typer.Option("--task", help=TASK)] = None,
    prompts: Annotated[list[Path] | None, typer.Option("--prompt", metavar="FILE", help=PROMPT)] = None,
    other_model: Annotated[str | None, typer.Option("--other-model", metavar="NAME", help=OTHER)] = None,
    other_endpoint: Annotated[
        str | None, typer.Option("--other-endpoint", metavar="URL", help="The server of the second model.")
    ] = None,
    other_key: Annotated[
        str | None, typer.Option("--other-key-variable", metavar="NAME", help="The variable with its key.")
    ] = None,
    sample: Annotated[int, typer.Option("--sample", metavar="N", min=2, help=PEOPLE)] = SAMPLE,
    plot: Annotated[Path | None, typer.Option("--plot", metavar="FILE", help=PLOT)] = None,
    seed: options.Seed = 0,
    concurrency: Annotated[
        int | None, typer.Option("--concurrency", metavar="N", min=1, max=1024, help="Outputs at once.")
    ] = None,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> None:
    """Ask a model once for each of two people, at temperature 0, and tell how alike the outputs are.

    By persona similarity and prompt: a prompt that leaves nothing to the person needs no bank.

    Example: studio bank study specs/taskmaster.yaml --pairs 20 --plot study.svg
    """
    given = [one.value for one in tasks] if tasks else [] if prompts else list(DEFAULT)
    other = None
    if other_model is not None or other_endpoint is not None:
        other = resolve_settings(
            endpoint=other_endpoint or settings.endpoint,
            model=other_model or settings.model,
            key_variable=other_key or (settings.key_variable if other_endpoint is None else None),
            max_cost=settings.max_cost_usd,
            retry_failed=settings.retry_failed,
        )
    own = dict(read_prompt(path) for path in prompts or ())
    with open_session(spec, workspace, settings, seed=seed) as session:
        params = StudyParams(
            spec_path=str(session.loaded.path.absolute()),
            workspace=str(session.root),
            settings=settings,
            seed=seed,
            concurrency=concurrency,
            pairs=pairs,
            bins=tuple(sorted(set(bins))) if bins else BINS,
            tasks=tuple(dict.fromkeys(given)),
            prompts=own,
            other=other,
            sample=sample,
        )
        end = show(items_stage, session, "study", ENTRY, params)
        found = latest_study(session.workspace)
    if found is None or not found.alike:
        raise UserError("no pair has both of its outputs", where="study", remedy="run the same command to go on")
    if plot is not None:
        write_atomic(plot, svg(found))
    if as_json:
        picture = None if plot is None else as_seen(plot)
        say_json({"run": end.model_dump(mode="json"), "study": found.model_dump(mode="json"), "plot": picture})
        return
    _tell(found, end)
    if plot is not None:
        say(f"picture: {as_seen(plot)}")


def register(group: typer.Typer) -> None:
    """Add this command to those of ``studio bank``."""
    group.command("study")(study)


def _tell(study: Study, end: ItemsFinished) -> None:
    used = ", ".join(f"{one.used} at {one.centre:g} (of {one.seen} seen)" for one in study.bins)
    say(f"pairs: {used}; {study.compared} people compared")
    if end.note:
        tell_prose(end.note)
    for title, text in report(study).items():
        say(f"\n{title}\n{text}")
    say(f"\n{LEGEND}; of cosines")
    cost = "cost unknown" if end.cost_usd is None else f"${end.cost_usd:.2f}" if end.cost_usd else "no cost"
    errors = f", {end.errors} failed" if end.errors else ""
    say(f"{end.done} outputs{errors}; {end.calls} calls, {cost}, {duration(end.seconds)}")
