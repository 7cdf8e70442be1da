"""Submissions: the batches of a workspace at a server, at most one of the author and one of the judge.

What is submitted is remembered before it is sent, and forgotten once it is collected: at any moment a kill leaves
nothing that would be paid twice. How a batch stood when the server was last asked is remembered with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import uuid4

from studio.chatml import Frozen
from studio.errors import UserError
from studio.judge import Judge
from studio.llm import BatchClient, BatchModel, BatchStatus, ModelError, ModelSettings, Purpose, Submitted, dollars
from studio.llm.batch import TABLE, Collected, Wanted, write_requests
from studio.llm.reservations import reservations_at
from studio.store import Workspace

FOLDER = "batches"
Role = Literal["author", "judge"]
ROLES: tuple[Role, ...] = ("judge", "author")
"""Judgements first: they complete what was paid for already."""
CANCEL_LOOKS, CANCEL_LOOK_S = 5, 2.0
"""How often, and after how many seconds, a batch that is being cancelled is looked at before it is left."""
Tell = Callable[[str], None]
"""Takes a line for a person."""


class BatchStands(Frozen):
    """How one batch stands: the author's, or the judge's."""

    role: str
    id: str
    status: str
    completed: int
    total: int


@dataclass(frozen=True)
class Models:
    """Who is asked in batches; ``judging`` is None where no model judges."""

    writing: BatchModel
    judging: BatchModel | None
    judge: Judge

    def of(self, role: Role) -> BatchModel | None:
        return self.writing if role == "author" else self.judging


def away(workspace: Workspace) -> list[Submitted]:
    """The batches that were submitted and not collected. Reads the disk, and asks nobody."""
    return workspace.studio.readable(TABLE, Submitted)


class Submissions:
    """Submits, looks, collects and cancels. ``collected`` counts the answers that were put on record."""

    def __init__(self, workspace: Workspace, settings: ModelSettings, models: Models, tell: Tell) -> None:
        self._workspace, self._models, self._tell = workspace, models, tell
        self._settings: Mapping[Role, ModelSettings] = {"author": settings, "judge": settings.judging}
        self.collected = 0
        self._reserve()

    async def look(self, role: Role) -> BatchStands | None:
        """How the batch of this role stands; None where there is none, or it has ended and is collected."""
        batch = self._workspace.studio.get(TABLE, role, Submitted)
        if batch is None:
            return None
        async with self._client(role, batch) as client:
            status = await self._known(client, role, batch)
            if not status.ended:
                return self._stands(role, batch, status)
            await self._collect(client, role, batch, status)
        return None

    async def cancel(self, role: Role) -> BatchStands | None:
        """As :meth:`look`, but the server is to end it. One that it has never heard of is forgotten."""
        batch = self._workspace.studio.get(TABLE, role, Submitted)
        if batch is None:
            return None
        async with self._client(role, batch) as client:
            found = await client.look(batch.batch_id) if batch.batch_id else await client.find(batch.token, batch.at)
            if found is None:
                self._tell(f"{role}: {batch.requests} requests were never submitted, and are forgotten")
                self._forget(role, batch)
                return None
            batch, status = self._keep(role, batch, found), await _cancelled(client, found)
            if not status.ended:
                return self._stands(role, batch, status)
            await self._collect(client, role, batch, status, rest="forgotten")
        return None

    async def submit(self, role: Role, wanted: list[Wanted]) -> BatchStands:
        model, settings = self._models.of(role), self._settings[role]
        assert model is not None, "it has wanted something"
        prices = [one.usd for one in wanted]
        purpose: Purpose = "author" if role == "author" else "judge"
        batch = Submitted(
            token=uuid4().hex,
            place=settings.place,
            model=model.name,
            purpose=purpose,
            requests=len(wanted),
            room=model.room,
            counts={one.key: one.count for one in wanted if one.count},
            usd=None if None in prices else sum(usd for usd in prices if usd is not None),
            at=datetime.now(UTC),
        )
        write_requests(self._file(batch.token), wanted)
        self._workspace.studio.put(TABLE, role, batch)
        self._reserve()
        async with self._client(role, batch) as client:
            try:
                status = await client.submit(self._file(batch.token), batch.token)
            except ModelError as error:
                if error.status is not None and 400 <= error.status < 500:  # it says that it has not taken it
                    self._forget(role, batch)
                raise
        most = f", at most {dollars(batch.usd)}" if batch.usd else ""
        self._tell(f"{role}: {len(wanted)} requests submitted to {model.name}{most} ({status.id})")
        return self._stands(role, self._keep(role, batch, status), status)

    async def _known(self, client: BatchClient, role: Role, batch: Submitted) -> BatchStatus:
        """One of which nobody knows whether it was submitted is found by its token, else submitted now."""
        if batch.batch_id is not None:
            return await client.look(batch.batch_id)
        status = await client.find(batch.token, batch.at)
        if status is None:
            status = await client.submit(self._file(batch.token), batch.token)
        self._keep(role, batch, status)
        return status

    async def _collect(
        self, client: BatchClient, role: Role, batch: Submitted, status: BatchStatus, rest: str = "to be asked again"
    ) -> None:
        model = self._models.of(role)
        assert model is not None, "who opened the client has looked"
        done = model.collect(batch, await client.lines(status))
        self.collected += done.answers
        self._tell(f"{role}: {_outcome(status, done, batch.requests, rest)}")
        self._forget(role, batch)

    def _keep(self, role: Role, batch: Submitted, status: BatchStatus) -> Submitted:
        heard = {"batch_id": status.id, "status": status.status, "completed": status.completed}
        kept = batch.model_copy(update={**heard, "heard": datetime.now(UTC)})
        self._workspace.studio.put(TABLE, role, kept)
        return kept

    def _forget(self, role: Role, batch: Submitted) -> None:
        self._workspace.studio.remove(TABLE, role)
        self._file(batch.token).unlink(missing_ok=True)
        self._reserve()

    def _reserve(self) -> None:
        """Have whoever asks at once count what the batches may cost."""
        reservations_at(self._workspace.folder).stand(sum(one.usd or 0.0 for one in away(self._workspace)))

    def _stands(self, role: Role, batch: Submitted, status: BatchStatus) -> BatchStands:
        self._keep(role, batch, status)
        counted = status.total or batch.requests
        self._tell(f"{role}: {status.status} {status.completed}/{counted}")
        return BatchStands(role=role, id=status.id, status=status.status, completed=status.completed, total=counted)

    def _file(self, token: str) -> Path:
        return self._workspace.folder / FOLDER / f"{token}.jsonl"

    @asynccontextmanager
    async def _client(self, role: Role, batch: Submitted) -> AsyncIterator[BatchClient]:
        """Where the batch is. Raises :class:`UserError` where that is another place or model than is set now."""
        model, settings = self._models.of(role), self._settings[role]
        if model is None or (batch.place, batch.model) != (settings.place, model.name):
            remedy = f"name them again ({role}), or wait until it was collected with them"
            raise UserError(f"a batch is under way of {batch.model} at {batch.place}", where="--batch", remedy=remedy)
        client = BatchClient(settings, model.name)
        try:
            yield client
        finally:
            with suppress(OSError):
                await client.close()


async def _cancelled(client: BatchClient, batch: BatchStatus) -> BatchStatus:
    """How it stands once the server was told to end it, and had a moment for that."""
    status = batch
    try:
        if not batch.ended and batch.status != "cancelling":
            status = await client.cancel(batch.id)
    except ModelError:  # it may have come to its end meanwhile, and cannot be cancelled any more
        status = await client.look(batch.id)
        if not status.ended:
            raise
    for _ in range(CANCEL_LOOKS):
        if status.ended:
            break
        await asyncio.sleep(CANCEL_LOOK_S)
        status = await client.look(batch.id)
    return status


def _outcome(status: BatchStatus, done: Collected, requests: int, rest: str) -> str:
    """``completed, 298 of 300 answered; 2 are asked again (overloaded)``."""
    told = f"{status.status}, {done.answers} of {requests} answered"
    if status.problem:
        told += f" ({status.problem})"
    if again := requests - done.answers - done.given_up:
        told += f"; {again} {rest}"
    if done.given_up:
        told += f"; {done.given_up} given up"
    if done.reasons:
        told += f": {'; '.join(sorted(done.reasons)[:2])}"
    return told
