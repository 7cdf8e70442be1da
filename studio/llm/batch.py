"""The Batch API: requests in a file that a server answers within a day, at half the price, by the ledger's keys.

What is wanted is put in a queue, submitted, left and collected. Each answer goes on record under its key as if it had
come at once, so that whoever asks again finds it there. Nothing is paid twice: a batch bears a token by which it is
found where the word that it was submitted got lost, and collecting it again adds nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from studio.chatml import Frozen
from studio.files import write_atomic
from studio.llm.budget import longest_usd
from studio.llm.client import OpenAIModel
from studio.llm.errors import AttemptError, as_model_error, one_line
from studio.llm.ledger import CallLog, Delivery, Ledger
from studio.llm.prices import load_prices
from studio.llm.response import Answer
from studio.llm.retry import Answered, Ask, Completions, Deadline
from studio.llm.settings import ModelSettings
from studio.llm.transport import Transport, refused_by
from studio.llm.types import Purpose

if TYPE_CHECKING:
    from openai.types import Batch as _Batch

SHARE = 0.5
"""Of the price of a call that is answered at once (OpenAI, https://platform.openai.com/docs/guides/batch)."""
MOST_REQUESTS, MOST_BYTES = 50_000, 150_000_000
"""Of one batch; OpenAI takes 200 MB."""
TOKEN = "persona_studio"
"""The key of our token in a batch's metadata."""
TABLE = "batches"
"""Where the workspace keeps its :class:`Submitted`."""
_SKEW_S = 3600.0
"""By how much the server's clock may go wrong."""
_KEY = re.compile("[0-9a-f]{64}")
_ENDED = ("completed", "failed", "expired", "cancelled")
_UNDONE = (408, 409, 425, 429)
"""Statuses of requests that were not done, and may be another time."""


@dataclass(frozen=True)
class Wanted:
    """One request to be answered in a batch. ``count`` answers to it are on record already."""

    key: str
    count: int
    body: Mapping[str, Any]
    usd: float | None
    """The price of its longest answer in a batch; None where no price is known."""

    @property
    def line(self) -> str:
        """As it stands in the file."""
        asked = {"custom_id": self.key, "method": "POST", "url": "/v1/chat/completions", "body": dict(self.body)}
        return json.dumps(asked, separators=(",", ":")) + "\n"


class Submitted(BaseModel):
    """A batch as the workspace remembers it: written before it is submitted, forgotten once it is collected."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    token: str
    place: str
    model: str
    purpose: Purpose
    requests: int
    room: int = 1
    counts: dict[str, int] = {}
    """How many answers were on record before, of those requests of which there were any."""
    usd: float | None = None
    batch_id: str | None = None
    """None until it is known that the server has it."""
    at: datetime
    status: str = ""
    """The server's word, and how many it had answered, when it was last asked."""
    completed: int = 0
    heard: datetime | None = None


class BatchStatus(Frozen):
    """How a batch stands at the server. ``problem`` is why it failed, in one line."""

    id: str
    status: str
    total: int = 0
    completed: int = 0
    failed: int = 0
    files: tuple[str, ...] = ()
    """The ids of the files with what came of its requests."""
    problem: str = ""

    @property
    def ended(self) -> bool:
        return self.status in _ENDED


@dataclass
class Collected:
    """What came of a batch's requests: answers put on record, and those to be asked again or given up."""

    answers: int = 0
    undone: int = 0
    given_up: int = 0
    reasons: set[str] = field(default_factory=set)


class BatchModel(OpenAIModel):
    """As :class:`OpenAIModel`, but what is not on record is put in ``queue``; who asked gets ModelError ``queued``.

    The very first request to a model of which nothing is known is asked at once, at the full price: a parameter that
    it refuses is met within a second then, and not in every answer of a batch a day later.
    """

    def __init__(self, settings: ModelSettings, model: str, call_log: CallLog) -> None:
        super().__init__(settings, model, call_log=call_log)
        self.queue: dict[str, Wanted] = {}
        self._completions = self._asking = _Queued(settings, model, call_log, self.queue)
        self._record = call_log

    @property
    def room(self) -> int:
        """By how much answers may be longer than asked for; see :class:`studio.llm.capabilities.Capabilities`."""
        return self._asking.endpoint.capabilities.room

    def collect(self, batch: Submitted, lines: Iterable[bytes]) -> Collected:
        """Put what came of a batch on record. What is there already stays as it is."""
        found = Collected()
        for line in lines:
            try:
                told = json.loads(line)
                key, response = told["custom_id"], told.get("response") or {}
                status, body = int(response.get("status_code") or 0), response.get("body")
            except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
                continue  # no line of a result: what it stood for is asked again
            if not isinstance(key, str) or not _KEY.fullmatch(key):
                continue
            if status == 200:
                self._keep(batch, f"{key}:{batch.counts.get(key, 0)}", json.dumps(body).encode())
                found.answers += 1
            else:
                self._failed(batch, key, status, body or told.get("error"), found)
        return found

    def _keep(self, batch: Submitted, entry: str, body: bytes) -> None:
        delivery = Delivery.of(body, {})
        usage = self._asking.usage(delivery.answer.tokens if isinstance(delivery.answer, Answer) else None, 0.0)
        if usage.cost_usd is not None:
            usage = usage.model_copy(update={"cost_usd": usage.cost_usd * SHARE})
        elif self._settings.max_cost_usd is not None and batch.usd is not None:
            usage = usage.model_copy(update={"cost_usd": batch.usd / batch.requests})
        self._ledger(batch, entry).keep_now(delivery, usage)
        if delivery.outcome == "cut":
            self._asking.endpoint.capabilities.more_room(batch.room)

    def _failed(self, batch: Submitted, key: str, status: int, body: object, found: Collected) -> None:
        """A request without an answer. What the server finds wrong with it is not asked again, unless otherwise."""
        failure = refused_by(status, json.dumps(body).encode(), {}, self._settings.key())
        found.reasons.add(f"{failure.said[:200]} ({status})" if status else failure.said[:200])
        sent = dict.fromkeys(
            ("temperature", "seed", "top_p", "reasoning_effort", self._asking.endpoint.capabilities.cap)
        )
        refused = 400 <= status < 500 and status not in _UNDONE and failure.kind == "refused"
        if not refused or self._asking.endpoint.capabilities.learned(failure, sent):
            found.undone += 1
            return
        self._ledger(batch, f"{key}:{batch.counts.get(key, 0)}").give_up(failure.said)
        found.given_up += 1

    def _ledger(self, batch: Submitted, entry: str) -> Ledger:
        key, _, count = entry.rpartition(":")
        return Ledger(self._record, key, batch.purpose, batch.model, count=int(count))


class _Queued(Completions):
    """Puts requests in a queue instead of asking."""

    def __init__(self, settings: ModelSettings, model: str, log: CallLog, queue: dict[str, Wanted]) -> None:
        super().__init__(settings, model, log=log)
        self._queue, self._tried = queue, False

    async def answer(self, ask: Ask, used: Any, deadline: Deadline, ledger: Ledger) -> Answered:
        capabilities = self.endpoint.capabilities
        if not (capabilities.proven or self._tried):
            self._tried = True
            return await super().answer(ask, used, deadline, ledger)
        await load_prices(self._settings)
        body = self.body(ask, used, capabilities.room)
        usd = longest_usd(self._settings, self.model, body)
        wanted = Wanted(ledger.key, ledger.count, body, None if usd is None else usd * SHARE)
        self._queue[wanted.key] = wanted
        raise AttemptError("queued")


class BatchClient:
    """Batches at one endpoint. Raises :class:`studio.llm.ModelError`."""

    def __init__(self, settings: ModelSettings, model: str) -> None:
        self._settings, self._model, self._transport = settings, model, Transport(settings)

    async def submit(self, file: Path, token: str) -> BatchStatus:
        """Have the requests of ``file`` answered within a day. The token is what :meth:`find` finds it by."""
        async with self._told() as client:
            uploaded = await client.files.create(file=(file.name, file.read_bytes()), purpose="batch")
            made = await client.batches.create(
                input_file_id=uploaded.id,
                endpoint="/v1/chat/completions",
                completion_window="24h",
                metadata={TOKEN: token},
            )
        return _status(made)

    async def find(self, token: str, since: datetime) -> BatchStatus | None:
        """The batch that was submitted with ``token``, ``since`` then, if any was. They come newest first."""
        oldest = since.timestamp() - _SKEW_S
        async with self._told() as client:
            async for one in client.batches.list(limit=100):
                if isinstance(one.created_at, int) and one.created_at < oldest:
                    break
                if isinstance(one.metadata, Mapping) and one.metadata.get(TOKEN) == token:
                    return _status(one)
        return None

    async def look(self, batch_id: str) -> BatchStatus:
        async with self._told() as client:
            return _status(await client.batches.retrieve(batch_id))

    async def cancel(self, batch_id: str) -> BatchStatus:
        """Have it ended: what is answered by then, in the minutes that it takes, is in its files."""
        async with self._told() as client:
            return _status(await client.batches.cancel(batch_id))

    async def lines(self, batch: BatchStatus) -> list[bytes]:
        """What came of the requests, a line each. An expired batch has some answers too."""
        found: list[bytes] = []
        async with self._told() as client:
            for file in batch.files:
                found += (await client.files.content(file)).content.splitlines()
        return [line for line in found if line.strip()]

    async def close(self) -> None:
        await self._transport.close()

    @asynccontextmanager
    async def _told(self) -> AsyncIterator[Any]:
        try:
            async with self._transport.library() as client:
                yield client
        except AttemptError as failure:
            raise as_model_error(failure, self._settings, self._model) from None


def write_requests(file: Path, wanted: Iterable[Wanted]) -> None:
    file.parent.mkdir(exist_ok=True)
    write_atomic(file, "".join(one.line for one in wanted))


def fitting(wanted: Iterable[Wanted], left_usd: float | None) -> list[Wanted]:
    """As many requests as go into one batch, and into what is left of a budget."""
    found: list[Wanted] = []
    size, usd = 0, 0.0
    for one in wanted:
        size, usd = size + len(one.line), usd + (one.usd or 0.0)
        if len(found) == MOST_REQUESTS or size > MOST_BYTES or (left_usd is not None and usd > left_usd):
            break
        found.append(one)
    return found


def _status(batch: _Batch) -> BatchStatus:
    """What the server tells, of which nothing is taken on trust."""
    counts = batch.request_counts
    errors = (batch.errors.data if batch.errors else None) or []
    said = "; ".join(dict.fromkeys(f"{one.message}" for one in errors[:3]))
    return BatchStatus(
        id=f"{batch.id}",
        status=f"{batch.status}",
        total=(counts.total if counts else 0) or 0,
        completed=(counts.completed if counts else 0) or 0,
        failed=(counts.failed if counts else 0) or 0,
        files=tuple(f"{file}" for file in (batch.output_file_id, batch.error_file_id) if file),
        problem=one_line(said, None)[:300],
    )
