"""``studio bank write``, ``from-text``, ``relations``, ``enrich``, ``profiles``: a model writes people; ``dedup`` and
``report``: what a bank is worth."""

from __future__ import annotations

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from studio.bank.chart import figures, svg
from studio.bank.diversity import SAMPLE, WORDS, Diversity, compare, diversity
from studio.bank.export import export_people
from studio.bank.file_dedup import dedup_people, read_all, write_kept, write_removed
from studio.bank.model_job import (
    CONCURRENCY,
    EnrichTask,
    FromTextTask,
    ProfilesTask,
    RelationsTask,
    Task,
    WriteTask,
)
from studio.bank.person import Person
from studio.bank.quality import Removal
from studio.bank.relations import MOST_HOPS
from studio.bank.types import HopFinished, PeopleFinished
from studio.build.people import people_stage
from studio.cli import options
from studio.cli.display import QUIET_S, duration, show
from studio.cli.options import DEFAULT_SPEC, OFFLINE, WORKSPACE, asks_models, open_session
from studio.cli.output import cell, out, say, say_json, tell, tell_prose
from studio.embed import disk_embedder
from studio.errors import UserError
from studio.files import as_seen, write_atomic
from studio.llm import ModelSettings
from studio.store.records import Method


class Who(StrEnum):
    """What somebody is asked for whom a text is about: :data:`studio.bank.from_text.WHO`."""

    READ = "read"
    WRITE = "write"
    LIKE = "like"
    DISLIKE = "dislike"


Count = Annotated[int, typer.Option("--count", "-n", metavar="N", min=1, help="People wanted in all, of this run.")]
STRICT = "Take two for one from half of their words or meaning on, instead of nine tenths."
Strict = Annotated[bool, typer.Option("--strict", help=STRICT)]
LANGUAGE = "The language that people are to be in, as a tag such as en; any takes all."
Language = Annotated[str, typer.Option("--language", metavar="TAG", help=LANGUAGE)]
Concurrency = Annotated[int, typer.Option("--concurrency", metavar="N", min=1, max=1024, help="Calls at once.")]
SEED = "Another seed writes other people; the same one goes on where it was."
Seed = Annotated[int, typer.Option("--seed", metavar="N", min=0, help=SEED)]
FIELDS = "What a field of the file is: NAME for the text of a person, or name=NAME, age=NAME, ..."
Fields = Annotated[list[str] | None, typer.Option("--field", metavar="[OURS=]NAME", help=FIELDS)]
JUDGES = ("judge_endpoint", "judge_model", "judge_key_variable")
"""The options of models that no command here has a use for."""
SPEC_OF = "The persona whose bank is meant, where no file is named."
SVG = "Write the picture there: bars of the shares, and the measures."
REMOVED = "Write who went there, as JSON lines: record, reason, twin, similarity."
REMOVE = "Remove who goes from the workspace's bank, but for those whom an example names."
QUALITY = "Also remove by the heuristics: length, refusals, template leftovers, repeated names and openings."


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


def dedup(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A file of people; the workspace's bank if not given.")
    ] = None,
    kept: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write who stays there, in the format of the file.")
    ] = None,
    removed: Annotated[Path | None, typer.Option("--removed", metavar="FILE", help=REMOVED)] = None,
    remove: Annotated[bool, typer.Option("--remove", help=REMOVE)] = False,
    spec: Annotated[Path, typer.Option("--spec", metavar="SPEC", help=SPEC_OF)] = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    field: Fields = None,
    strict: Strict = False,
    quality: Annotated[bool, typer.Option("--quality", help=QUALITY)] = False,
    language: Language = "any",
    as_json: options.AsJson = False,
) -> None:
    """Find people who are there twice, in words (MinHash, verified) and in meaning (embeddings); the first stays.

    Example: studio bank dedup people.jsonl --out kept.jsonl --removed twins.jsonl
    """
    if remove and file is not None:
        raise UserError("--remove is for the workspace's bank", remedy="--out FILE writes who stays of a file")
    _, people = _bank(file, spec, workspace, field or [])
    removals, found = dedup_people(
        people,
        disk_embedder(),
        strict=strict,
        quality=quality,
        language=None if language == "any" else language,
        progress=_Progress("dedup", len(people)),
    )
    if kept is not None and file is not None:
        write_kept(file, kept, [removal is None for removal in removals])
    elif kept is not None:
        stay = (person for person, removal in zip(people, removals, strict=True) if removal is None)
        export_people(stay, kept, full=True)
    if removed is not None:
        write_removed(removed, removals)
    gone = _remove(spec, workspace, people, removals) if remove else 0
    if as_json:
        files = {"out": _named(kept), "removed_file": _named(removed), "removed_from_bank": gone}
        say_json(found.model_dump(mode="json") | files)
        return
    say(f"{found.kept} of {found.people} stay, {found.removed} go{_reasons(found.reasons)}; {duration(found.seconds)}")
    if remove:
        say(f"{gone} were removed from the bank" + (", examples name the others" if gone < found.removed else ""))
    elif kept is None and found.removed:
        say("nothing was changed: --out FILE keeps who stays, --removed FILE who goes, with their twins")


def report(
    file: Annotated[
        Path | None, typer.Argument(metavar="[FILE]", help="A file of people; the workspace's bank if not given.")
    ] = None,
    against: Annotated[Path | None, typer.Option("--against", metavar="FILE", help="Another bank beside it.")] = None,
    spec: Annotated[Path, typer.Option("--spec", metavar="SPEC", help=SPEC_OF)] = DEFAULT_SPEC,
    workspace: options.WorkspaceFolder = WORKSPACE,
    picture: Annotated[Path | None, typer.Option("--svg", metavar="FILE", help=SVG)] = None,
    n: Annotated[int, typer.Option("--sample", metavar="N", min=2, help="People drawn for the measures.")] = SAMPLE,
    words: Annotated[int, typer.Option("--words", metavar="N", min=3, help="Words kept of each of them.")] = WORDS,
    field: Fields = None,
    as_json: options.AsJson = False,
) -> None:
    """Tell who is in a bank and how diverse it is, at a fixed number and length; two banks side by side.

    Example: studio bank report people.jsonl --against other.jsonl --svg diversity.svg
    """
    name, people = _bank(file, spec, workspace, field or [])
    found = [(name, diversity(people, disk_embedder(), n, words))] if against is None else []
    if against is not None:
        one, other = compare(people, read_all(against, field or ()), disk_embedder(), n, words)
        found = [(name, one), (against.name, other)]
    if picture is not None:
        write_atomic(picture, svg(found))
    if as_json:
        banks = [{"bank": name, **one.model_dump(mode="json")} for name, one in found]
        say_json({"banks": banks, "svg": _named(picture)})
        return
    _tables(found)
    if picture is not None:
        say(f"picture: {as_seen(picture)}")


def register(group: typer.Typer) -> None:
    """Add these commands to those of ``studio bank``."""
    commands = (write, from_text, relations, enrich, profiles, dedup, report)
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
        f"{made} people by {end.method}, {end.removed} removed{_reasons(end.reasons)}{errors}; "
        f"{end.calls} calls, {cost}, {duration(end.seconds)}"
    )


def _hop(hop: HopFinished) -> str:
    return (
        f"hop {hop.hop}: {hop.people} people, Vendi {hop.vendi:.1f} of {hop.n} (hop 1: {hop.first_vendi:.1f}), "
        f"nearest {hop.nearest_distance:.2f}, drift of ages {hop.age_divergence:.2f}, of jobs {hop.job_divergence:.2f}"
    )


def _reasons(reasons: Any) -> str:
    told = ", ".join(f"{reason} {count}" for reason, count in sorted(reasons.items(), key=lambda one: -one[1]))
    return f" ({told})" if told else ""


def _bank(file: Path | None, spec: Path, workspace: Path, fields: list[str]) -> tuple[str, list[Person]]:
    if file is not None:
        return file.name, read_all(file, fields)
    with open_session(spec, workspace) as session:
        people = session.workspace.examples.people()
        name = session.loaded.spec.name
    if not people:
        raise UserError("nobody is in the bank", where=name, remedy="studio bank compose or write make people")
    return name, people


def _tables(found: list[tuple[str, Diversity]]) -> None:
    first = found[0][1]
    measures = Table(box=None, pad_edge=False)
    for title in (f"{first.measures.n} people, {first.measures.words} words", *(name for name, _ in found)):
        measures.add_column(cell(title), justify="left" if title[0].isdigit() and not measures.columns else "right")
    measures.add_row(cell("people in all"), *(cell(one.people) for _, one in found))
    for row in zip(*(figures(one.measures) for _, one in found), strict=True):
        measures.add_row(cell(row[0][0]), *(cell(figure) for _, figure in row))
    out.print(measures)
    for place, attribute in enumerate(first.shares):
        shares = Table(box=None, pad_edge=False)
        shares.add_column(cell(f"\n{attribute.attribute}"))
        of = [{share.value: share.share for share in one.shares[place].values} for _, one in found]
        for name, one in found:
            about = f"{one.shares[place].different} different, evenness {one.shares[place].evenness:.2f}"
            shares.add_column(cell(f"{name}\n{about}" if len(found) > 1 else f"\n{about}"), justify="right")
        for value in dict.fromkeys(value for one in of for value in one):
            shares.add_row(cell(value), *(cell(f"{one.get(value, 0):.1%}") for one in of))
        out.print(shares)


def _remove(spec: Path, workspace: Path, people: list[Person], removals: list[Removal | None]) -> int:
    with open_session(spec, workspace) as session:
        gone = [person.id for person, removal in zip(people, removals, strict=True) if removal is not None]
        return session.workspace.examples.remove_people(gone)


def _named(path: Path | None) -> str | None:
    return None if path is None else as_seen(path)


class _Progress:
    """A line now and then of how many are done."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._last = what, total, time.monotonic()

    def __call__(self, done: int) -> None:
        if time.monotonic() - self._last >= QUIET_S and done < self._total:
            self._last = time.monotonic()
            tell(f"{self._what:<9} {done}/{self._total} people")
