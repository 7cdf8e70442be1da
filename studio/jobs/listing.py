"""Finding jobs in a workspace's folder of jobs."""

from __future__ import annotations

from pathlib import Path

from studio.errors import UserError
from studio.jobs.job import Job


def list_jobs(jobs_dir: Path, stage: str | None = None) -> list[Job]:
    """All jobs, or those of one stage, newest first. A folder without a readable ``job.json`` is none."""
    found = []
    for folder in jobs_dir.iterdir() if jobs_dir.is_dir() else ():
        job = Job(folder)
        try:
            request = job.request
        except (UserError, NotADirectoryError):
            continue
        if stage is None or request.stage == stage:
            found.append(job)
    return sorted(found, key=lambda job: (job.request.created, job.id), reverse=True)


def active(jobs_dir: Path, stage: str) -> Job | None:
    """The living job of a stage, if there is one."""
    return next((job for job in list_jobs(jobs_dir, stage) if job.alive), None)
