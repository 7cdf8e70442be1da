"""``studio workspace``: check what lies on the disk, back it up, and bring it back."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, WorkspaceFolder, named
from studio.cli.output import say, say_json, tell
from studio.errors import UserError
from studio.files import as_seen
from studio.jobs import list_jobs
from studio.spec import load
from studio.store import recovery
from studio.store.salvage import salvage

app = typer.Typer(
    help="Check, back up and restore a persona's workspace.",
    epilog="Example: studio workspace check specs/taskmaster.yaml",
    no_args_is_help=True,
    rich_markup_mode=None,
)
SpecFile = Annotated[Path, typer.Argument(metavar="SPEC", help="The persona's YAML file.")]


@app.command("check")
def check(spec: SpecFile = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False) -> None:
    """Read everything, and name what is damaged; nothing is written. Example: studio workspace check"""
    folder = _folder(spec, workspace)
    found = recovery.check(folder)
    if as_json:
        say_json(found)
    for problem in () if as_json else found.problems:
        say(problem)
    if found.problems:
        remedy = "studio workspace restore salvages what is sound, or goes back to a backup"
        raise UserError(f"{len(found.problems)} things are damaged", where=as_seen(folder), remedy=remedy)
    if not as_json:
        say(f"{as_seen(folder)} is sound: {found.examples} examples, version {found.version}")


@app.command("backup")
def backup(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="DIR", help="A new folder, instead of one in the workspace.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Copy examples.db and studio.json, also while jobs run. Example: studio workspace backup --out ~/taskmaster"""
    done = recovery.backup(_folder(spec, workspace), out)
    if as_json:
        say_json({"path": str(done)})
    else:
        say(f"backed up: {as_seen(done)}")


@app.command("restore")
def restore(
    spec: SpecFile = DEFAULT_SPEC,
    workspace: WorkspaceFolder = WORKSPACE,
    source: Annotated[
        Path | None,
        typer.Option("--from", metavar="BACKUP", help="A backup's folder, or a copy of examples.db; else salvage."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Salvage what is sound into a new examples.db, or bring a backup back; the old one is kept.

    Example: studio workspace restore --from workspace/taskmaster/backups/20260101-120000-000
    """
    folder = _folder(spec, workspace)
    if running := [job.id for job in list_jobs(folder / "jobs") if job.alive]:
        raise UserError(f"{running[0]} runs", where=as_seen(folder), remedy=f"studio jobs stop {running[0]}")
    done = salvage(folder) if source is None else recovery.restore(folder, source)
    if as_json:
        say_json(done)
        return
    say(f"{done.examples} examples are there")
    if done.kept is not None:
        say(f"what was there is kept: {as_seen(done.kept)}")
    for table, count in done.lost.items():
        tell(f"lost: {count} of {table}")


def _folder(spec: Path, workspace: Path) -> Path:
    """The workspace's, which need not be one that can be opened."""
    folder = workspace.absolute() / load(named(spec)).spec.slug
    if not folder.is_dir():
        raise UserError("no workspace here yet", where=as_seen(folder), remedy="studio generate begins one")
    return folder
