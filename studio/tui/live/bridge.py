"""The only place where other processes meet the window: it tails jobs and the store, and posts frozen snapshots."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from textual.message import Message

from studio.errors import UserError
from studio.tui.stages import ENTRIES, Entry, Mark

if TYPE_CHECKING:
    from studio.build import Session
    from studio.jobs import Job
    from studio.jobs.record import JobView

ALIVE = ("starting", "running", "stopping")
BUSY_S = 0.1
"""Between two looks while a job lives."""
IDLE_S = 0.5
SETTLED_NS = 3_000_000_000


@dataclass(frozen=True)
class Snapshot:
    """A stage's newest job. ``progress`` is folded from its events by the stage's own ``progress`` module."""

    stage: str
    job: Job
    view: JobView
    progress: Any = None

    @property
    def alive(self) -> bool:
        return self.view.state in ALIVE

    def asked(self, name: str) -> str:
        """One of the words that the job was asked with; empty where there is no such."""
        value = self.view.request.params.get(name)
        return value if isinstance(value, str) else ""

    @property
    def run_id(self) -> str:
        """The training run that the job makes or works on; empty where it is about none."""
        plan = self.view.request.params.get("plan")
        return str(plan.get("run_id", "")) if isinstance(plan, dict) else self.asked("run_id")

    @property
    def brief(self) -> str:
        """For the status line; empty unless it runs."""
        told: str = getattr(self.progress, "brief", "") if self.alive else ""
        return f"{self.stage} {told or self.view.state}" if self.alive else ""


@dataclass
class JobMoved(Message):
    """A stage's job has new events, another state, or is another job."""

    snapshot: Snapshot

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, JobMoved) and message.snapshot.stage == self.snapshot.stage


@dataclass
class StoreMoved(Message):
    """Some process changed the examples, or a stage stands otherwise."""

    version: int
    marks: dict[str, Mark]
    next_step: str
    """As ``Next: evaluate run 7d22 (6 s)``."""

    def can_replace(self, message: Message) -> bool:
        return isinstance(message, StoreMoved)


@dataclass
class LookFailed(Message):
    """The workspace could not be read, as where its studio.json is damaged. What was read before stands."""

    error: UserError


class Bridge:
    """Looks in a thread, posts on the loop. Nothing changed, nothing posted."""

    def __init__(self, session: Session, post: Callable[[Message], object]) -> None:
        self._session, self._post = session, post
        self._tails = [_Tail(entry, session) for entry in ENTRIES if entry.jobs]
        self._marked_for: object = None
        """The version of the store, and the jobs with their states, that the marks are of."""
        self._problem = ""
        """What the last look could not read; it is posted once."""
        self._woken = asyncio.Event()

    def wake(self) -> None:
        """Look now: something was just started, stopped or written."""
        self._woken.set()

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            self._woken.clear()
            for message in await asyncio.to_thread(self.look):
                self._post(message)
            busy = any(tail.snapshot and tail.snapshot.alive for tail in self._tails)
            try:
                await asyncio.wait_for(self._woken.wait(), BUSY_S if busy else IDLE_S)
            except TimeoutError:
                continue

    def look(self) -> list[Message]:
        """What changed since the last look. Reads the disk."""
        from studio.build.status import status_of

        messages: list[Message] = [JobMoved(snapshot) for tail in self._tails if (snapshot := tail.look())]
        try:
            version = self._session.workspace.examples.data_version()
            wanted = version, [(one.job.id, one.view.state) for tail in self._tails if (one := tail.snapshot)]
            if wanted != self._marked_for:
                alive = [one.stage for tail in self._tails if (one := tail.snapshot) and one.alive]
                status = status_of(self._session, alive)
                self._marked_for = wanted
                messages.append(StoreMoved(version, status.marks, status.next.line))
            self._problem = ""
        except UserError as error:  # what was read before is shown on; each look tries again
            if self._problem != str(error):
                messages.append(LookFailed(error))
            self._problem = str(error)
        return messages


class _Tail:
    """The newest job of one stage, read from where the last look ended."""

    def __init__(self, entry: Entry, session: Session) -> None:
        self._entry = entry
        self.snapshot: Snapshot | None = None
        self._jobs_dir = session.workspace.jobs_dir
        self._listed = -1
        self._offset = 0
        self._job: Job | None = None

    def look(self) -> Snapshot | None:
        """The snapshot if it differs from the last one."""
        job = self._newest()
        if job is None:
            return None
        before = self.snapshot
        if before is None or before.job.id != job.id:
            before, self._offset = None, 0
        elif not before.alive and not job.alive and not self._has_more(job):
            return None
        view = job.view()  # before the events: a job that ended has told everything by now
        events, self._offset = job.events(self._offset)
        if before is not None and not events and before.view == view:
            return None
        progress = self._entry.fold(before.progress if before else None, events)
        self.snapshot = Snapshot(self._entry.stage, job, view, progress)
        return self.snapshot

    def _newest(self) -> Job | None:
        """Listed again only while the folder of jobs changes: a job's folder is there before its request is."""
        from studio.jobs import list_jobs

        try:
            changed = self._jobs_dir.stat().st_mtime_ns
        except OSError:
            return None
        fresh = time.time_ns() - changed < SETTLED_NS
        if changed != self._listed or fresh:
            self._listed = changed
            self._job = next((job for job in list_jobs(self._jobs_dir) if job.stage in self._entry.jobs), None)
        return self._job

    def _has_more(self, job: Job) -> bool:
        """Whether a job that has ended left something unread: a resumed one writes to the same folder."""
        try:
            return (job.folder / "events.jsonl").stat().st_size > self._offset
        except OSError:
            return False
