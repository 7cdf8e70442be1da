"""``studio dataset``: preferences, snapshots and what differs between them, files in and out."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, get_args

import typer

from studio.bank.records import Bad
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, SpecFile, WorkspaceFolder, group, open_session
from studio.cli.output import cut, out, say, say_json, tell
from studio.dataset import STREAM, Snapshot, contents, diff, find_snapshot, snapshots, take_snapshot
from studio.dataset.foreign import Shape
from studio.dataset.formats import FORMATS, Format, export_dataset
from studio.dataset.preferences import MINIMUM, Preferences, Signal, preferences
from studio.dataset.read import json_line
from studio.dataset.splits import Side
from studio.embed import disk_embedder
from studio.errors import UserError
from studio.files import as_seen, write_atomic
from studio.judge import known_agreement, open_judge
from studio.text.inert import inert_line

app = group("The dataset: preferences, snapshots, files in and out.", "studio dataset snapshot specs/mine.yaml")
STDOUT = (STREAM, Path("/dev/stdout"))
NAMED = 5
"""Bad records that are named where the import is refused."""
WORDS = 160
"""Columns of a line where there is no terminal."""
OUTCOMES = {
    "pending": "pending",
    "known": "known already",
    "duplicate": "rejected as near-duplicates",
    "held_out": "rejected: a held-out message",
    "rules": "rejected by a rule",
}
SpecOption = Annotated[Path, typer.Option("--spec", metavar="FILE", help="The persona's YAML file.")]
SnapshotId = Annotated[str, typer.Argument(metavar="ID", help="A snapshot, by id or by how it begins.")]
People = Annotated[bool, typer.Option("--people", help="Only what a person decided; no judge's word.")]
Force = Annotated[bool, typer.Option("--force", help="Replace what is there, whatever it holds.")]


@app.command("preferences")
def show_preferences(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    people: People = False,
    listed: Annotated[bool, typer.Option("--list", help="A line for each signal, with where it comes from.")] = False,
    path: Annotated[Path | None, typer.Option("--out", metavar="FILE", help="Write all signals as JSON lines.")] = None,
    as_json: AsJson = False,
) -> None:
    """Count what decisions and votes say of replies, and what DPO and KTO still lack.

    Example: studio dataset preferences specs/mine.yaml --list
    """
    with open_session(spec, workspace) as session:
        found = preferences(session.workspace, session.loaded, people_only=people)
    if path is not None:
        write_atomic(path, "".join(json_line(one.model_dump(mode="json")) for one in found.signals))
        tell(f"{len(found.signals)} signals: {as_seen(path)}")
    if as_json:
        missing = {"dpo": found.missing_for_dpo, "kto": found.missing_for_kto}
        told = {"counts": found.counts, "left_out": found.left_out, "minimum": MINIMUM, "missing": missing}
        signals = [one.model_dump(mode="json") for one in found.signals] if listed else []
        say_json(told | {"pairs": len(found.pairs), "labelled": len(found.labelled)} | {"signals": signals})
        return
    for one in found.signals if listed else ():
        line = f"{one.kind:<11} {one.source:<11} {one.by:<6} {'+'.join(one.origins)}  {_replies(one)}"
        say(cut(line, out.width - 1 if out.is_terminal else WORDS))
    for name, count in found.counts.items():
        say(f"{count:6}  {name}")
    if found.left_out:
        say("left out: " + ", ".join(f"{count} {why}" for why, count in found.left_out.items()))
    for line in _ready(found):
        say(line)


def _replies(one: Signal) -> str:
    return " > ".join(inert_line(reply)[:WORDS] for reply in (one.chosen, one.rejected) if reply)


def _ready(found: Preferences) -> tuple[str, str]:
    lacks = [f"{count} more {name}" for name, count in found.missing_for_kto.items() if count]
    dpo = f"{found.missing_for_dpo} more pairs" if found.missing_for_dpo else "enough"
    return (
        f"DPO: {len(found.pairs)} pairs, {dpo}" + (f" (at least {MINIMUM})" if found.missing_for_dpo else ""),
        f"KTO: {len(found.labelled)} replies, "
        + (f"{' and '.join(lacks)} (at least {MINIMUM} of each)" if lacks else "enough"),
    )


@app.command("snapshot")
def snapshot(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    share: Annotated[
        float | None, typer.Option("--validation", metavar="SHARE", min=0, max=0.5, help="Of all, 0 to 0.5 (0.1).")
    ] = None,
    meaning: Annotated[
        bool, typer.Option("--meaning", help="Keep what means the same on one side too: 10 ms an example.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Freeze what is accepted now: lists of train and validation that studio train goes by.

    Example: studio dataset snapshot specs/mine.yaml --validation 0.1
    """
    with open_session(spec, workspace) as session:
        embedder = disk_embedder() if meaning else None
        found = take_snapshot(session.workspace, session.loaded, share, embedder=embedder)
    if as_json:
        say_json(found)
        return
    say(_line(found))
    if found.note:
        tell(found.note)


@app.command("list")
def listing(spec: SpecFile = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False) -> None:
    """List the snapshots, the newest last. Example: studio dataset list specs/mine.yaml"""
    with open_session(spec, workspace) as session:
        found = snapshots(session.workspace)
    if as_json:
        say_json([one.model_dump(mode="json") for one in found])
        return
    for one in found:
        say(_line(one))
    if not found:
        tell("no snapshot yet; studio dataset snapshot takes one, and so does a training")


def _line(one: Snapshot) -> str:
    left_out = sum(one.left_out.values())
    return (
        f"{one.id}  {one.created:%Y-%m-%d %H:%M}  {one.train} train, {one.validation} validation, "
        f"{one.scenarios} scenarios, {one.people} people" + (f", {left_out} left out" if left_out else "")
    )


@app.command("diff")
def difference(
    first: SnapshotId,
    second: Annotated[str | None, typer.Argument(metavar="ID", help="The other; the newest if not given.")] = None,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    as_json: AsJson = False,
) -> None:
    """Tell what was added, removed, edited or moved between the sides. Example: studio dataset diff data-1f data-9c"""
    with open_session(spec, workspace) as session:
        known = snapshots(session.workspace)
        before = find_snapshot(session.workspace, first)
        after = find_snapshot(session.workspace, second) if second else known[-1]
        found = diff(contents(session.workspace, before.id), contents(session.workspace, after.id))
    told = found.model_dump(mode="json")
    if as_json:
        say_json({"before": before.id, "after": after.id, **told})
        return
    say(f"{before.id} -> {after.id}: " + ", ".join(f"{len(ids)} {what}" for what, ids in told.items()))
    for what, ids in told.items():
        for name in ids:
            say(f"{what:<8} {name}")


@app.command("export")
def export(
    path: Annotated[Path, typer.Option("--out", metavar="PATH", help="A file, - for stdout; a folder for hf.")],
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    format: Annotated[Format, typer.Option("--format", help="What it is written as.")] = "chatml",
    snapshot: Annotated[
        str | None, typer.Option("--snapshot", metavar="ID", help="This one; what is accepted now if not given.")
    ] = None,
    side: Annotated[Side | None, typer.Option("--side", help="One side; both if not given.")] = None,
    people: People = False,
    force: Force = False,
    as_json: AsJson = False,
) -> None:
    """Write the dataset for other tools; hf is a folder for a hub, with a dataset card.

    Example: studio dataset export specs/mine.yaml --format hf --out my-dataset
    """
    piped = path in STDOUT
    if piped and as_json:
        raise UserError("--json and --out - both want stdout", remedy="leave one out")
    with open_session(spec, workspace) as session:
        agreement = None
        if format == "hf":
            judge = open_judge(session.settings, session.loaded, session.workspace.examples)
            agreement = known_agreement(session.loaded, judge)
        done = export_dataset(
            session.workspace,
            session.loaded,
            format,
            sys.stdout.buffer if piped else path,
            snapshot=snapshot,
            side=side,
            people_only=people,
            agreement=agreement,
            force=force,
        )
    if as_json:
        say_json(done)
        return
    (tell if piped else say)(f"{done.rows} rows, {FORMATS[done.format]}: {'stdout' if piped else as_seen(done.path)}")
    if done.left_out and any(done.left_out.values()):
        tell(
            "left out: "
            + ", ".join(f"{count} {why.replace('_', ' ')}" for why, count in done.left_out.items() if count)
        )


@app.command("import")
def import_command(
    spec: SpecFile,
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Ends in .jsonl, .json, .csv, .tsv or .parquet.")],
    workspace: WorkspaceFolder = WORKSPACE,
    format: Annotated[str, typer.Option("--format", metavar="SHAPE", help="auto, or a shape of those above.")] = "auto",
    fields: Annotated[
        list[str] | None,
        typer.Option("--field", metavar="OURS=COLUMN", help="messages, user, assistant or scenario; may be repeated."),
    ] = None,
    scenario: Annotated[str, typer.Option(metavar="ITEM", help="The scenario of records that name none.")] = "",
    skip_bad: Annotated[
        bool, typer.Option("--skip-bad", help="Keep the good records of a file with bad ones.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Name each bad record, and add nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Add conversations of a file as pending examples: all of them, or none.

    Shapes: chatml, openai, sharegpt, alpaca, prompt (and completion), columns.

    Example: studio dataset import specs/mine.yaml talks.jsonl --scenario "Asks the way" --dry-run
    """
    from studio.dataset.importing import import_file

    if format != "auto" and format not in get_args(Shape):
        raise UserError(f"no such format: {format}", remedy=f"auto, {', '.join(get_args(Shape))}")
    wrong: list[Bad] = []

    def bad(found: Bad) -> None:
        if dry_run and not as_json:
            say(str(found))
        elif as_json or len(wrong) < NAMED:
            wrong.append(found)

    with open_session(spec, workspace) as session:
        shape = next((one for one in get_args(Shape) if one == format), None)
        try:
            done = import_file(
                session.loaded,
                session.workspace,
                file,
                shape=shape,
                fields=tuple(fields or ()),
                scenario=scenario,
                skip_bad=skip_bad,
                write=not dry_run,
                bad=bad,
            )
        except UserError:
            for one in () if as_json else wrong:
                tell(str(one))
            raise
    if as_json:
        say_json(done.model_dump() | {"dry_run": dry_run, "bad_records": [one.model_dump() for one in wrong]})
        return
    listed = ", ".join(f"{done.outcomes[one]} {words}" for one, words in OUTCOMES.items() if one in done.outcomes)
    kept = "dry run, nothing kept" if dry_run else f"{done.added} added"
    say(f"{done.shape}: {done.records} records, {done.bad} bad; {listed or 'none to keep'}; {kept}")
    if not dry_run and done.outcomes.get("pending"):
        tell("pending ones are judged when generating begins the next time, or decided by you in triage")
