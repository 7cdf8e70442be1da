"""Long work that outlives the window: start, watch, stop, resume."""

from studio.jobs.context import JobContext
from studio.jobs.job import BrokenJob, Job, active, broken_jobs, follow, list_jobs, prunable, remove
from studio.jobs.record import ENDED, LIVING, Event, JobRequest, JobView, State
from studio.jobs.start import AlreadyRunning, resume, start

__all__ = [
    "ENDED",
    "LIVING",
    "AlreadyRunning",
    "BrokenJob",
    "Event",
    "Job",
    "JobContext",
    "JobRequest",
    "JobView",
    "State",
    "active",
    "broken_jobs",
    "follow",
    "list_jobs",
    "prunable",
    "remove",
    "resume",
    "start",
]
