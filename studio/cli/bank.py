"""``studio bank``: the people who talk to the persona, composed, imported, listed and exported."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.cells import cell_len, set_cell_size
from rich.status import Status

from studio.bank import MOST_BUILT, Bad, Person, export_people, faults, heads, import_people
from studio.build.stages import bank_stage
from studio.cli.display import QUIET_S, show
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, Seed, SpecFile, WorkspaceFolder, group, open_session
from studio.cli.output import err, say, say_json, tell
from studio.text.inert import inert_line

COUNT = "Composed people wanted, beside those of the profiles and those who came with generating."
FIELD = "The field that holds a person's text, or NAME=THEIRS for another: name, age, traits, profession, ..."
FULL = "Every field, and not only those of the Synthetic Persona Bank."
EVERYBODY = "Also those of the profiles and those who came with generating."
NAMED = 20
"""Bad records that are named where people are really imported; a dry run names all."""
app = group(
    "Compose, import, list and export the people who talk to it.", "studio bank compose specs/taskmaster.yaml -n 60"
)


@app.command("compose")
def compose(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    count: Annotated[int, typer.Option("--count", "-n", metavar="N", min=1, max=MOST_BUILT, help=COUNT)] = 40,
    seed: Seed = 0,
    as_json: AsJson = False,
) -> None:
    """Compose coherent people, without a model, and keep them. Example: studio bank compose specs/mine.yaml -n 60"""
    with open_session(spec, workspace, seed=seed) as session:
        show(bank_stage, session, count)
        people = session.workspace.examples.people()
    if as_json:
        say_json({"people": len(people)})
    else:
        say(f"{len(people)} people: {heads(people).told}")


@app.command("import")
def import_file(
    spec: SpecFile,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="JSON, JSON lines, CSV, plain text or Parquet.")],
    workspace: WorkspaceFolder = WORKSPACE,
    field: Annotated[list[str] | None, typer.Option("--field", metavar="[NAME=]THEIRS", help=FIELD)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Read all, name every bad record, keep nothing.")] = False,
    skip_bad: Annotated[bool, typer.Option("--skip-bad", help="Import the others where some are bad.")] = False,
    as_json: AsJson = False,
) -> None:
    """Read people from a file: Synthetic Persona Bank, Persona Hub, FinePersonas, Nemotron-Personas or any other.

    Example: studio bank import specs/mine.yaml persona.jsonl --dry-run
    """
    wrong: list[Bad] = []

    def bad(found: Bad) -> None:
        if dry_run and not as_json:
            say(str(found))
        elif len(wrong) < NAMED or as_json:
            wrong.append(found)

    with open_session(spec, workspace) as session, _reading(file) as progress:
        store = session.workspace.examples
        try:
            reading = import_people(
                file, None if dry_run else store, field or (), skip_bad=skip_bad, bad=bad, progress=progress
            )
        finally:
            for one in wrong if not as_json else ():
                tell(str(one))
    if as_json:
        say_json(reading.model_dump() | {"bad_records": [one.model_dump() for one in wrong]})
        return
    short = f", {reading.people - reading.whole} of them not whole" if reading.whole < reading.people else ""
    kept = "dry run, nothing kept" if dry_run else f"{reading.added} added, {reading.known} known already"
    say(f"{reading.shape}: {reading.people} people{short}, {reading.bad} bad; {kept}")


@contextmanager
def _reading(file: Path) -> Iterator[Callable[[int], None]]:
    """Tells how many people were read: live on a terminal, else a line now and then."""
    last = time.monotonic()
    status = Status(f"reading {inert_line(file.name)}", console=err) if err.is_terminal else None

    def progress(count: int) -> None:
        nonlocal last
        if status is not None:
            status.update(f"{count} people")
        elif time.monotonic() - last >= QUIET_S:
            last = time.monotonic()
            tell(f"bank      {count} people read")

    if status is None:
        yield progress
    else:
        with status:
            yield progress


@app.command("export")
def export(
    spec: SpecFile,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .json, .jsonl or .parquet.")],
    workspace: WorkspaceFolder = WORKSPACE,
    full: Annotated[bool, typer.Option("--full", help=FULL)] = False,
    everybody: Annotated[bool, typer.Option("--everybody", help=EVERYBODY)] = False,
    as_json: AsJson = False,
) -> None:
    """Write the bank to a file in the shape of the Synthetic Persona Bank; Parquet has every field.

    Example: studio bank export specs/mine.yaml people.jsonl
    """
    with open_session(spec, workspace) as session, _reading(file) as progress:
        store = session.workspace.examples
        count = export_people(_counted(store.each_person(None if everybody else "bank"), progress), file, full=full)
    if as_json:
        say_json({"people": count, "file": str(file)})
    else:
        say(f"{count} people in {file}")


def _counted(people: Iterator[Person], progress: Callable[[int], None]) -> Iterator[Person]:
    for number, person in enumerate(people, 1):
        yield person
        if number % 1000 == 0:
            progress(number)


@app.command("list")
def listing(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    whole: Annotated[
        bool, typer.Option("--whole", help="Only whole people: each limit kept, nothing missing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List those who are kept. Example: studio bank list specs/taskmaster.yaml"""
    with open_session(spec, workspace) as session:
        people = [one for one in session.workspace.examples.each_person() if not (whole and faults(one))]
    if as_json:
        say_json([person.model_dump(mode="json") for person in people])
        return
    table = [
        (one.id, one.method or one.source, one.name, _age(one), one.profession or one.role, one.place, one.background)
        for one in people
    ]
    rows = [[inert_line(text) for text in row] for row in table]
    widths = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        say("  ".join(set_cell_size(text, width) for text, width in zip(row, widths, strict=True)).rstrip())
    if not people:
        say(f"nobody yet; studio bank compose {spec} makes some (without a bank, generating composes some of its own)")


def _age(person: Person) -> str:
    return "" if person.age is None else str(person.age)


@app.command("clear")
def clear(spec: SpecFile = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False) -> None:
    """Remove the people of the bank whom no example names. Example: studio bank clear specs/taskmaster.yaml"""
    with open_session(spec, workspace) as session:
        examples = session.workspace.examples
        removed, left = examples.remove_unused_people("bank"), len(examples.people())
    if as_json:
        say_json({"removed": removed, "people": left})
    else:
        say(f"{removed} removed, {left} stay")
