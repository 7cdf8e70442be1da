"""``studio jobs``: what runs in a workspace, whoever started it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from studio.build import StageBegan, StageEnded, StageTold, Tell
from studio.cli.display import show
from studio.cli.options import WORKSPACE, AsJson, WorkspaceFolder, group
from studio.cli.output import say, say_json, tell
from studio.errors import UserError
from studio.files import as_seen
from studio.jobs import ENDED, BrokenJob, Job, JobView, broken_jobs, follow, list_jobs, prunable, remove
from studio.text.inert import inert_line

STOP_S, CANCEL_S, KILL_S = 60.0, 15.0, 5.0
"""How long a job that is asked to stop may take to save, then to let go of what it waits for, then to be gone."""
PRUNE_DAYS = 14.0
app = group("List, watch, stop and prune what runs and ran.", "studio jobs list --running")
Part = Annotated[str, typer.Argument(metavar="JOB", help="A job's id, or any part of it, such as its stage.")]


@app.command("list")
def listing(
    workspace: WorkspaceFolder = WORKSPACE,
    running: Annotated[bool, typer.Option("--running", help="Only those that run.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the jobs of every persona, the newest first. Example: studio jobs list --running"""
    found = [
        {"id": job.id, "persona": job.folder.parent.parent.name, "stage": job.stage}
        | job.view().model_dump(mode="json", include={"state", "pid", "error", "started", "ended"})
        for job in _jobs(workspace, running=running)
    ]
    broken = [] if running else _broken(workspace)
    found += [
        {"id": one.folder.name, "persona": one.folder.parent.parent.name, "stage": None}
        | {"state": "unreadable", "pid": None, "error": one.reason, "started": None, "ended": None}
        for one in broken
    ]
    if as_json:
        say_json(found)
        return
    for one in found:
        error = f"  {inert_line(one['error'])}" if one["error"] else ""
        say(f"{one['id']:<34} {one['state']:<9} {one['persona']}{error}")
    for unreadable in broken:
        tell(f"unreadable: mend or remove {as_seen(unreadable.folder)}")


@app.command("watch")
def watch(job: Part, workspace: WorkspaceFolder = WORKSPACE) -> None:
    """Follow a job until it ends; ctrl+c leaves it running. Example: studio jobs watch train"""
    found = _the_one(job, workspace)
    show(_watched, found)
    view = found.view()
    if view.state != "finished":
        raise UserError(view.error or f"it is {view.state}", where=found.id, remedy=f"studio jobs log {found.id}")


@app.command("stop")
def stop(
    job: Part,
    workspace: WorkspaceFolder = WORKSPACE,
    timeout: Annotated[
        float, typer.Option(metavar="SECONDS", min=0, help="How long it may take before it is pressed.")
    ] = STOP_S,
) -> None:
    """Ask a job to save and end, and wait until it has; one that does not is told again, then killed.

    What was saved is kept either way. Example: studio jobs stop train
    """
    found = _the_one(job, workspace, running=True)
    tell(f"stopping {found.id}; what is done is kept")
    view = _stopped(found, timeout)
    if view.state not in ENDED:
        raise UserError("it was killed and still runs", where=found.id, remedy=f"studio jobs log {found.id}")
    say(f"{view.state} {found.id}")


@app.command("prune")
def prune(
    workspace: WorkspaceFolder = WORKSPACE,
    days: Annotated[
        float, typer.Option(metavar="N", min=0, help="Forget those that ended more than N days ago.")
    ] = PRUNE_DAYS,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which.")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget old jobs that have ended: their folders with events and logs, never what they made.

    The newest of each stage stays. Example: studio jobs prune --days 7 --dry-run
    """
    found = [job for folder in _job_folders(workspace) for job in prunable(folder, days)]
    for job in found:
        if not dry_run:
            remove(job)
        if not as_json:
            say(f"{'would forget' if dry_run else 'forgot'} {job.id}")
    if as_json:
        say_json({"pruned": [job.id for job in found], "dry_run": dry_run})
    elif not found:
        say("no job to forget")


@app.command("log")
def log(
    job: Part,
    workspace: WorkspaceFolder = WORKSPACE,
    lines: Annotated[int, typer.Option("--lines", "-n", metavar="N", min=1, help="So many at most.")] = 50,
) -> None:
    """Show the end of what a job printed. Example: studio jobs log train -n 20"""
    found = _the_one(job, workspace)
    tell(f"{found.paths.log}")
    say(found.log_tail(lines) or "it printed nothing")


async def _watched(tell: Tell, job: Job) -> None:
    tell(StageBegan(stage=job.stage, note=job.id))
    async for event in follow(job):
        tell(StageTold(stage=job.stage, event=event))
    if job.view().state == "finished":
        tell(StageEnded(stage=job.stage, note="finished"))


def _stopped(job: Job, timeout: float) -> JobView:
    job.stop()
    view = job.wait(timeout)
    if view.state not in ENDED:
        tell(f"not stopped after {timeout:g} s: asked again, to give up what it waits for")
        job.stop()
        view = job.wait(CANCEL_S)
    if view.state not in ENDED:
        tell(f"not stopped after {CANCEL_S:g} s more: killed; it can be resumed from what it saved")
        job.kill()
        view = job.wait(KILL_S)
    return view


def _job_folders(workspace: Path) -> list[Path]:
    return [path / "jobs" for path in workspace.iterdir() if path.is_dir()] if workspace.is_dir() else []


def _broken(workspace: Path) -> list[BrokenJob]:
    return [one for folder in _job_folders(workspace) for one in broken_jobs(folder)]


def _jobs(workspace: Path, *, running: bool = False) -> list[Job]:
    """Of every persona in the workspace, the newest first."""
    found = [job for folder in _job_folders(workspace) for job in list_jobs(folder) if job.alive or not running]
    return sorted(found, key=lambda job: (job.request.created, job.id), reverse=True)


def _the_one(part: str, workspace: Path, *, running: bool = False) -> Job:
    """The newest job with ``part`` in its id; where several run, ``part`` has to tell them apart."""
    every = [job for job in _jobs(workspace, running=running) if part in job.id]
    alive = every if running else [job for job in every if job.alive]
    if len(alive) > 1:
        raise UserError(f"{len(alive)} jobs run that are named so", remedy=f"one of {_listed(alive)}")
    if not every:
        known = _listed(_jobs(workspace, running=running)) or "none"
        raise UserError(f"no {'running ' if running else ''}job {part}", remedy=f"there are: {known}")
    return (alive or every)[0]


def _listed(jobs: list[Job]) -> str:
    return ", ".join(job.id for job in jobs[:5]) + (", ..." if len(jobs) > 5 else "")
