"""The only place where other processes meet the window: it tails jobs and the store, and posts frozen snapshots."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.message import Message

from studio.errors import UserError
from studio.tui.marks import marks_of
from studio.tui.screens import ENTRIES, Entry, Fold
from studio.tui.snapshot import JobMoved, LookFailed, Mark, Snapshot, StoreMoved

if TYPE_CHECKING:
    from studio.build import Session
    from studio.jobs import Job

BUSY_S = 0.1
"""Between two looks while a job lives."""
IDLE_S = 0.5
SETTLED_NS = 3_000_000_000


class Bridge:
    """Looks in a thread, posts on the loop. Nothing changed, nothing posted."""

    def __init__(self, session: Session, post: Callable[[Message], object]) -> None:
        self._session, self._post = session, post
        self._tails = [_Tail(entry, session) for entry in ENTRIES if entry.fold]
        self._marked_for: object = None
        """The version of the store, and the jobs with their states, that the marks are of."""
        self._marks: dict[str, Mark] = {}
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
        messages: list[Message] = [JobMoved(snapshot) for tail in self._tails if (snapshot := tail.look())]
        try:
            version = self._session.workspace.examples.data_version()
            wanted = version, [(one.job.id, one.view.state) for tail in self._tails if (one := tail.snapshot)]
            if wanted != self._marked_for:
                self._marks = marks_of(self._session)
                self._marked_for = wanted
                messages.append(StoreMoved(version, self._with_running()))
            self._problem = ""
        except UserError as error:
            messages += self._failed(error)
        return messages

    def _failed(self, error: UserError) -> list[Message]:
        """What was read before is shown on; each look tries again."""
        known, self._problem = self._problem, str(error)
        return [] if self._problem == known else [LookFailed(error)]

    def _with_running(self) -> dict[str, Mark]:
        alive = {tail.entry.stage for tail in self._tails if tail.snapshot and tail.snapshot.alive}
        return {stage: "running" if stage in alive else mark for stage, mark in self._marks.items()}


class _Tail:
    """The newest job of one stage, read from where the last look ended."""

    def __init__(self, entry: Entry, session: Session) -> None:
        self.entry = entry
        self.snapshot: Snapshot | None = None
        self._jobs_dir = session.workspace.jobs_dir
        self._listed = -1
        self._offset = 0
        self._fold: Fold | None = None
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
        self._fold = self._fold or self.entry.folder()
        progress = self._fold(before.progress if before else None, events)
        self.snapshot = Snapshot(self.entry.stage, job, view, progress)
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
            jobs = list_jobs(self._jobs_dir, self.entry.job or self.entry.stage)
            self._job = jobs[0] if jobs else None
        return self._job

    def _has_more(self, job: Job) -> bool:
        """Whether a job that has ended left something unread: a resumed one writes to the same folder."""
        try:
            return (job.folder / "events.jsonl").stat().st_size > self._offset
        except OSError:
            return False
