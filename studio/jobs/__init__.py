"""Long work that outlives the window: start, watch, stop, resume."""

from studio.jobs.context import JobContext
from studio.jobs.job import ALIVE, Job
from studio.jobs.starting import AlreadyRunning, active, follow, list_jobs, resume, start
from studio.jobs.types import Event, JobRequest, JobView, State

__all__ = [
    "ALIVE",
    "AlreadyRunning",
    "Event",
    "Job",
    "JobContext",
    "JobRequest",
    "JobView",
    "State",
    "active",
    "follow",
    "list_jobs",
    "resume",
    "start",
]
