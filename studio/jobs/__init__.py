"""Long work that outlives the window: start, watch, stop, resume."""

from studio.jobs.context import JobContext
from studio.jobs.follow import follow
from studio.jobs.job import Job
from studio.jobs.listing import active, list_jobs
from studio.jobs.start import AlreadyRunning, resume, start
from studio.jobs.types import ENDED, LIVING, Event, JobRequest, JobView, State

__all__ = [
    "ENDED",
    "LIVING",
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
