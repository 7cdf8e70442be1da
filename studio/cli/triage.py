"""``studio triage``: look at examples and decide, from a script or by hand; add some of one's own."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, get_args

import typer

from studio.chatml import Message
from studio.cli import by_hand
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, WorkspaceFolder
from studio.cli.output import say, say_json, tell
from studio.cli.run import open_session
from studio.cli.triage_rows import check_category, known_ids, print_rows
from studio.errors import UserError
from studio.store import Decision, Filter, Status
from studio.triage import REASONS, STREAM, Triage, export_chatml, sample_ids

STDOUT = (STREAM, Path("/dev/stdout"))
STATUSES: tuple[str, ...] = get_args(Status)
app = typer.Typer(
    help="Look at examples, decide, and export them.",
    epilog="Example: studio triage list --status rejected",
    no_args_is_help=True,
    rich_markup_mode=None,
)
app.command("new")(by_hand.new)
app.command("import")(by_hand.import_file)
SpecOption = Annotated[Path, typer.Option("--spec", metavar="FILE", help="The persona's YAML file.")]
SpecFile = Annotated[
    Path | None, typer.Argument(metavar="SPEC", help="The persona's YAML file; --spec FILE means the same.")
]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", help="Examples, by id or by how it begins.")]


@app.command("list")
def listing(
    file: SpecFile = None,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    status: Annotated[str | None, typer.Option(help="accepted, rejected or pending.")] = None,
    category: Annotated[str | None, typer.Option(help="A category of the spec.")] = None,
    text: Annotated[str | None, typer.Option("--search", help="Words in the conversation.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="Rows at most.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List examples with their scores.

    Example: studio triage list --status rejected --limit 20
    """
    if status not in (None, *STATUSES):
        raise UserError(f"no such status: {status}", remedy=", ".join(STATUSES))
    wanted = Filter.model_validate({"status": status, "category": category, "text": text})
    with open_session(file or spec, workspace) as session:
        check_category(session, category)
        rows = session.workspace.examples.rows(wanted, limit=limit)
        found = session.workspace.examples.count(wanted)
    if as_json:
        say_json([row.model_dump(mode="json") for row in rows])
    else:
        print_rows(rows)
    if len(rows) < found:
        tell(f"{len(rows)} of {found}; --limit N shows more")
    elif not found:
        tell(
            "no example is like that" if status or category or text else "no examples yet; studio generate writes some"
        )


@app.command("accept")
def accept(ids: Ids, spec: SpecOption = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE) -> None:
    """Accept examples. Example: studio triage accept 3f2a"""
    with open_session(spec, workspace) as session:
        triage = Triage.of_several(session.workspace)
        for name in known_ids(session, ids):
            triage.accept(name)
            say(f"accepted {name}")


@app.command("reject")
def reject(
    ids: Ids,
    reason: Annotated[str, typer.Option(help=f"One of: {', '.join(slug for slug, _ in REASONS.values())}.")],
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
) -> None:
    """Reject examples with a reason. Example: studio triage reject 3f2a --reason tone"""
    slugs = [slug for slug, _ in REASONS.values()]
    if reason not in slugs:
        raise UserError(f"no such reason: {reason}", remedy=f"one of {', '.join(slugs)}")
    with open_session(spec, workspace) as session:
        triage = Triage.of_several(session.workspace)
        for name in known_ids(session, ids):
            triage.reject(name, reason)
            say(f"rejected {name}")


@app.command("edit")
def edit(
    name: Annotated[str, typer.Argument(metavar="ID", help="An example, by id or by how it begins.")],
    assistant: Annotated[str, typer.Option(help="The reply as it ought to be.")],
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
) -> None:
    """Replace an example's last reply, and accept it. Example: studio triage edit 3f2a --assistant "Nice work!" """
    with open_session(spec, workspace) as session:
        row = session.workspace.examples.row(known_ids(session, [name])[0])
        assert row is not None, "known"
        edited = (*row.messages[:-1], Message(role="assistant", content=assistant))
        Triage(session.workspace).edit(row.example.id, edited)
        say(f"edited {row.example.id}")


@app.command("undo")
def undo(file: SpecFile = None, spec: SpecOption = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE) -> None:
    """Take back what was decided last, all of one command at once. Example: studio triage undo"""
    with open_session(file or spec, workspace) as session:
        say(_told("took back", Triage(session.workspace).undo()) or "nothing to undo")


@app.command("redo")
def redo(file: SpecFile = None, spec: SpecOption = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE) -> None:
    """Put back what undo took. Example: studio triage redo"""
    with open_session(file or spec, workspace) as session:
        say(_told("put back", Triage(session.workspace).redo()) or "nothing to redo")


@app.command("sample")
def sample(
    file: SpecFile = None,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    as_json: AsJson = False,
) -> None:
    """Show the random 10 % that a person ought to look at. Example: studio triage sample"""
    with open_session(file or spec, workspace) as session:
        rows = session.workspace.examples.rows(Filter(ids=sample_ids(session.workspace)), limit=100_000)
        if as_json:
            say_json([row.model_dump(mode="json") for row in rows])
            return
        print_rows(rows)
        say(f"{sum(row.decision is not None for row in rows)} of {len(rows)} reviewed")


@app.command("export")
def export(
    file: SpecFile = None,
    spec: SpecOption = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    path: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Instead of the workspace; - is stdout.")
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace the file, whatever it holds.")] = False,
    as_json: AsJson = False,
) -> None:
    """Write the accepted examples as ChatML JSONL. Example: studio triage export --out data.jsonl"""
    piped = path in STDOUT
    if piped and as_json:
        raise UserError("--json and --out - both want stdout", remedy="leave one out")
    target = sys.stdout.buffer if piped else path
    with open_session(file or spec, workspace) as session:
        done = export_chatml(session.workspace, session.loaded, target, force=force)
    if as_json:
        say_json(done)
    else:
        left_out = f" ({done.held_out} left out that say a held-out message)" if done.held_out else ""
        aside = piped or not done.path.is_file()  # what reads the data reads no words
        (tell if aside else say)(f"{done.count} examples: {done.path}{left_out}")


def _told(done: str, decisions: list[Decision]) -> str:
    """``took back: reject a1 b2``; empty where nothing was."""
    return f"{done}: {decisions[0].action} {' '.join(one.example_id for one in decisions)}" if decisions else ""
