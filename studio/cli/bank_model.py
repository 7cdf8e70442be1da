"""``studio bank write``, ``from-text``, ``relations``, ``enrich``, ``profiles``: a model writes people."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from studio.bank.model_job import (
    CONCURRENCY,
    EnrichTask,
    FromTextTask,
    ProfilesTask,
    RelationsTask,
    Task,
    WriteTask,
)
from studio.bank.relations import MOST_HOPS
from studio.bank.types import HopFinished, PeopleFinished
from studio.build.people import people_stage
from studio.cli import options
from studio.cli.bank_report import Language, Strict, reasons_line
from studio.cli.display import duration, show
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import say, say_json, tell_prose
from studio.files import as_seen
from studio.llm import ModelSettings
from studio.store.records import Method


class Who(StrEnum):
    """What somebody is asked for whom a text is about: :data:`studio.bank.from_text.WHO`."""

    READ = "read"
    WRITE = "write"
    LIKE = "like"
    DISLIKE = "dislike"


Count = Annotated[int, typer.Option("--count", "-n", metavar="N", min=1, help="People wanted in all, of this run.")]
Concurrency = Annotated[int, typer.Option("--concurrency", metavar="N", min=1, max=1024, help="Calls at once.")]
SEED = "Another seed writes other people; the same one goes on where it was."
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help=SEED)]
JUDGES = ("judge_endpoint", "judge_model", "judge_key_variable")
"""The options of models that no command here has a use for."""


@asks_models(*JUDGES)
def write(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    count: Count = 100,
    extreme: Annotated[
        bool, typer.Option("--extreme", help="Draw hard ones: hostile, erratic, overwhelmed ...")
    ] = False,
    strict: Strict = False,
    language: Language = "en",
    seed: Seed = 0,
    concurrency: Concurrency = CONCURRENCY,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> None:
    """Have a model write people from weighted components. Stopped and started again it goes on.

    Example: studio bank write specs/taskmaster.yaml -n 500 --endpoint http://localhost:8000/v1 --model NAME
    """
    task = WriteTask(count=count, extreme=extreme)
    _make(spec, workspace, task, seed, strict, language, concurrency, settings, as_json)


@asks_models(*JUDGES)
def from_text(
    texts: Annotated[
        list[Path], typer.Argument(metavar="TEXT...", help="Files and folders: text, JSON, CSV, Parquet.")
    ],
    spec: Annotated[Path, typer.Option("--spec", metavar="SPEC", help="The persona's YAML file.")] = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    count: Count = 100,
    asked: Annotated[
        list[Who] | None, typer.Option("--who", help="Who would do so; all four where none is named.")
    ] = None,
    column: Annotated[
        str | None, typer.Option("--field", metavar="NAME", help="The field or column that holds the text.")
    ] = None,
    strict: Strict = False,
    language: Language = "en",
    seed: Seed = 0,
    concurrency: Concurrency = CONCURRENCY,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> None:
    """Have a model infer who would read, write, like or dislike a text.

    Example: studio bank from-text docs/ notes.jsonl --spec specs/taskmaster.yaml -n 200 --who read --who dislike
    """
    paths = tuple(str(path.absolute()) for path in texts)
    more = {"asked": tuple(one.value for one in asked)} if asked else {}
    task = FromTextTask.model_validate({"paths": paths, "count": count, "column": column, **more})
    _make(spec, workspace, task, seed, strict, language, concurrency, settings, as_json)


@asks_models(*JUDGES)
def relations(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    hops: Annotated[int, typer.Option("--hops", metavar="N", min=1, max=MOST_HOPS, help="How far to go.")] = 2,
    budget: Annotated[int, typer.Option("--budget", metavar="N", min=1, help="People a hop, at most.")] = 50,
    roots: Annotated[
        Method, typer.Option("--from", metavar="METHOD", help="Begin with those made by it; with all if not given.")
    ] = "",
    strict: Strict = False,
    language: Language = "en",
    seed: Seed = 0,
    concurrency: Concurrency = CONCURRENCY,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> None:
    """Have a model write people close to those who are there, hop by hop, from patient to complainant.

    It tells how far each hop drifts, and stops where diversity falls.

    Example: studio bank relations specs/taskmaster.yaml --hops 3 --budget 100
    """
    task = RelationsTask(hops=hops, budget=budget, roots=roots)
    _make(spec, workspace, task, seed, strict, language, concurrency, settings, as_json)


@asks_models(*JUDGES)
def enrich(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    count: Annotated[
        int | None, typer.Option("--count", "-n", metavar="N", min=1, help="Short people at most; all if not given.")
    ] = None,
    strict: Strict = False,
    language: Language = "en",
    seed: Seed = 0,
    concurrency: Concurrency = CONCURRENCY,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> None:
    """Have a model make whole people of short ones, such as imported lines; they take their place.

    Example: studio bank enrich specs/taskmaster.yaml
    """
    task = EnrichTask(count=count)
    _make(spec, workspace, task, seed, strict, language, concurrency, settings, as_json)


@asks_models(*JUDGES)
def profiles(
    spec: options.SpecFile = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    count: Count = 100,
    strict: Strict = False,
    language: Language = "en",
    seed: Seed = 0,
    concurrency: Concurrency = CONCURRENCY,
    settings: ModelSettings = OFFLINE,
    as_json: options.AsJson = False,
) -> None:
    """Have a model write a fresh person and query for the topics and user types of the spec, in turn.

    Example: studio bank profiles specs/bank-support.yaml -n 240
    """
    task = ProfilesTask(count=count)
    _make(spec, workspace, task, seed, strict, language, concurrency, settings, as_json)


def register(group: typer.Typer) -> None:
    """Add these commands to those of ``studio bank``."""
    commands = (write, from_text, relations, enrich, profiles)
    for command in commands:
        group.command(command.__name__.replace("_", "-"))(command)


def _make(
    spec: Path,
    workspace: Path,
    task: Task,
    seed: int,
    strict: bool,
    language: str,
    concurrency: int,
    settings: ModelSettings,
    as_json: bool,
) -> None:
    spoken = None if language == "any" else language
    with open_session(spec, workspace, settings, seed=seed) as session:
        end, hops = show(people_stage, session, task, strict=strict, language=spoken, concurrency=concurrency)
        there = len(session.workspace.examples.people())
    if as_json:
        say_json(end.model_dump(mode="json") | {"hops": [hop.model_dump(mode="json") for hop in hops], "people": there})
        return
    for hop in hops:
        say(_hop(hop))
    say(_ending(end))
    if end.note:
        tell_prose(end.note)
    if end.removed:
        say(f"who went and why: {as_seen(end.journal)}")


def _ending(end: PeopleFinished) -> str:
    cost = "cost unknown" if end.cost_usd is None else f"${end.cost_usd:.2f}" if end.cost_usd else "no cost"
    made = f"{end.done - end.known} new of {end.done}" if end.known else str(end.done)
    errors = f", {end.errors} calls failed" if end.errors else ""
    return (
        f"{made} people by {end.method}, {end.removed} removed{reasons_line(end.reasons)}{errors}; "
        f"{end.calls} calls, {cost}, {duration(end.seconds)}"
    )


def _hop(hop: HopFinished) -> str:
    return (
        f"hop {hop.hop}: {hop.people} people, Vendi {hop.vendi:.1f} of {hop.n} (hop 1: {hop.first_vendi:.1f}), "
        f"nearest {hop.nearest_distance:.2f}, drift of ages {hop.age_divergence:.2f}, of jobs {hop.job_divergence:.2f}"
    )
