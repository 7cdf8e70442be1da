"""``studio status``: how each stage of a persona stands, and what to do next."""

from __future__ import annotations

from studio.build import Session
from studio.build.status import status_of
from studio.cli.options import DEFAULT_SPEC, WORKSPACE, AsJson, SpecFile, WorkspaceFolder, open_session
from studio.cli.output import say, say_json, tell_prose
from studio.jobs import list_jobs
from studio.text.inert import inert_line

SIGNS = {"done": "done", "running": "running", "needs": "next", "failed": "failed", "none": ""}


def tell_next(session: Session) -> None:
    """At the end of a stage's command: what to do next, and how."""
    step = status_of(session).next
    tell_prose(f"Next: {step.told}: {step.command}")


def status_command(
    spec: SpecFile = DEFAULT_SPEC, workspace: WorkspaceFolder = WORKSPACE, as_json: AsJson = False
) -> None:
    """Show how each stage stands, which jobs run, and the next step with its command.

    Example: studio status specs/taskmaster.yaml
    """
    with open_session(spec, workspace) as session:
        found = status_of(session)
        alive = [job for job in list_jobs(session.workspace.jobs_dir) if job.alive]
    if as_json:
        say_json({**found.model_dump(mode="json"), "jobs": [{"id": job.id, "stage": job.stage} for job in alive]})
        return
    say(f"{inert_line(found.persona)}: {inert_line(found.spec)}")
    for key, one in enumerate(found.stages, start=1):
        say(f"{key} {one.stage:<9} {SIGNS[one.mark]:<8} {inert_line(one.told)}".rstrip())
    for job in alive:
        say(f"running: {job.id} (studio jobs watch {job.id})")
    say(found.next.line)
    say(f"      {inert_line(found.next.command)}")
