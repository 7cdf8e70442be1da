"""Following a job: its events as they come, until it ends."""

from __future__ import annotations

from collections.abc import AsyncIterator

from studio.jobs.job import Job
from studio.jobs.types import ENDED, Event

_AT_ONCE = 1 << 20
"""Bytes of events read between two turns of the loop."""


async def follow(job: Job, offset: int = 0, poll: float = 0.1) -> AsyncIterator[Event]:
    """Events from the byte ``offset`` on, then new ones, looked for every ``poll`` seconds, until the job has ended."""
    import asyncio

    while True:
        ended = job.view().state in ENDED  # looked at before the events: what has ended has told everything
        while True:
            events, after = job.events(offset, limit=_AT_ONCE)
            for event in events:
                yield event
            if after == offset:
                break
            offset = after
            await asyncio.sleep(0)
        if ended:
            return
        await asyncio.sleep(poll)
