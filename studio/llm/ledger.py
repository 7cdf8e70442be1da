"""The ledger of calls: an answer is on record before it is read, and none is paid for twice, even after a kill.

Each delivered answer is one entry with its raw body and what came of it: refused, unreadable, cut and thought-only
ones too. A request that was given up stays so, until ``retry_failed`` reopens it.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Protocol
from weakref import WeakKeyDictionary, WeakValueDictionary

from studio.calls import CallRecord, Outcome, Spent
from studio.llm.errors import AttemptError, Kind
from studio.llm.response import Answer, read_answer, without_reasoning
from studio.llm.settings import ModelSettings
from studio.llm.types import Completion, Purpose, Request, Usage

KEY_VERSION = 2
"""Changes only when other requests are to count as the same: everything on record is then paid for again."""
_WORDING = ("title", "description")
_WRITERS: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[int, _Writer]] = WeakKeyDictionary()
_LOCKS: WeakKeyDictionary[asyncio.AbstractEventLoop, WeakValueDictionary[str, asyncio.Lock]] = WeakKeyDictionary()


class CallLog(Protocol):
    """Where calls are kept. ``add_calls`` returns True only when the records would survive a kill of the process, and
    False where it may not ``wait`` for others who write. It is called in any thread.

    The same key may be added twice (two equal requests in two processes); either record may win.
    """

    @property
    def path(self) -> Path | None:
        """The file, where other processes go on the same record; beside it they agree on what they reserve."""
        ...

    def call(self, key: str) -> CallRecord | None: ...

    def add_calls(self, records: Sequence[CallRecord], *, wait: bool = True) -> bool: ...

    def spent(self) -> Spent:
        """What all calls on record took."""
        ...


def call_key(settings: ModelSettings, model: str, request: Request, schema: Mapping[str, Any] | None = None) -> str:
    """What makes two calls the same: endpoint, model, messages, sampling, effort and schema; sha256 in hex.

    Left out is what does not change what was paid for: the purpose, the way in which structure is asked for, and the
    wording of a schema's titles and descriptions.
    """
    sampling = request.sampling
    asked = {
        "version": KEY_VERSION,
        "place": settings.place,
        "model": model,
        "messages": [[message.role, message.content] for message in request.messages],
        "sampling": [sampling.temperature, sampling.top_p, sampling.max_tokens, sampling.seed],
        "effort": settings.reasoning_effort,
        "schema": None if schema is None else _bare(schema),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _bare(part: Any, names: bool = False) -> Any:
    """A schema without its wording; ``names``: the keys are those of properties, which may be called anything."""
    if isinstance(part, list):
        return [_bare(one) for one in part]
    if not isinstance(part, Mapping):
        return part
    kept = {key: one for key, one in part.items() if names or key not in _WORDING}
    return {key: _bare(one, names=not names and key in ("properties", "$defs")) for key, one in kept.items()}


@dataclass(frozen=True)
class Delivery:
    """A response with status 200, examined: what can be read of it, or why nothing can. Nothing here raises."""

    body: bytes
    outcome: Outcome
    answer: Answer | AttemptError

    @classmethod
    def of(cls, body: bytes, headers: Mapping[str, str]) -> Delivery:
        try:
            answer = read_answer(body, headers)
        except AttemptError as error:
            return cls(body, "refused" if error.kind == "refused" else "unreadable", error)
        if answer.finish == "length":
            return cls(body, "cut", answer)
        return cls(body, "answered" if without_reasoning(answer.text).strip() else "empty", answer)


class Ledger:
    """The entries of the request with ``key``: its answers in order, valid or not, under ``key:0``, ``key:1``, ...

    Invalid answers are kept too: they cost as much, and a correction that was under way goes on where it was.
    """

    def __init__(
        self, log: CallLog | None, key: str, purpose: Purpose, model: str, *, retry_failed: bool = False, count: int = 0
    ) -> None:
        """``count`` is how many of its entries are known, and passed over."""
        self._log, self.key, self._purpose, self._model = log, key, purpose, model
        self._retry_failed, self.count = retry_failed, count

    def lock(self) -> asyncio.Lock:
        """Held while the request is asked: an equal one waits, and finds the answer on record."""
        locks = _LOCKS.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
        lock = locks.get(self.key)
        if lock is None or self._log is None:  # what is not on record may be asked twice at once
            lock = asyncio.Lock()
        if self._log is not None:
            locks[self.key] = lock
        return lock

    def recall(self) -> list[Completion]:
        """All answers on record that can be read, oldest first, of the rounds since it was last given up.

        Raises the :class:`AttemptError` with which it was refused or given up, unless such are to be asked again.
        """
        found: list[Completion] = []
        last: CallRecord | None = None
        while self._log is not None and (call := self._log.call(f"{self.key}:{self.count}")) is not None:
            self.count, last = self.count + 1, call
            if call.outcome in ("refused", "given up"):
                found = []
            elif (completion := _completion(call)) is not None:
                found.append(completion)
        if last is not None and last.outcome in ("refused", "given up") and not self._retry_failed:
            kind: Kind = "refused" if last.outcome == "refused" else "malformed"
            raise AttemptError(kind, f"{_reason(last)}; it is not asked again without --retry-failed")
        return found

    async def keep(self, delivery: Delivery, usage: Usage) -> None:
        """Record one more delivery; returns when it is safe."""
        record = self._entry(delivery.outcome, delivery.body.decode(errors="replace"), usage)
        if self._log is not None and not self._log.add_calls([record], wait=False):  # at once, wherever it can be
            await _writer(self._log).add(record)

    def keep_now(self, delivery: Delivery, usage: Usage) -> None:
        """As :meth:`keep`, where nothing else is under way."""
        self._add(delivery.outcome, delivery.body.decode(errors="replace"), usage)

    def keep_text(self, completion: Completion) -> None:
        """Record one more answer of which there is no whole body, as of a stream."""
        body = json.dumps({"text": completion.text, "finish": completion.finish}, ensure_ascii=False)
        self._add("cut" if completion.finish == "length" else "answered", body, completion.usage)

    def give_up(self, reason: str) -> None:
        """Record that its answers were in vain."""
        self._add("given up", json.dumps({"reason": reason}), Usage())

    def _add(self, outcome: Outcome, response: str, usage: Usage) -> None:
        record = self._entry(outcome, response, usage)
        if self._log is not None:
            self._log.add_calls([record])

    def _entry(self, outcome: Outcome, response: str, usage: Usage) -> CallRecord:
        self.count += 1
        return CallRecord(
            key=f"{self.key}:{self.count - 1}",
            purpose=self._purpose,
            model=self._model,
            outcome=outcome,
            response=response,
            prompt_tokens=usage.prompt_tokens,
            completion_tokens=usage.completion_tokens,
            cost_usd=usage.cost_usd,
            seconds=usage.seconds,
            at=datetime.now(UTC),
        )


class _Writer:
    """The one writer of a log that others write too, off the loop: what comes while it waits is written together."""

    def __init__(self, log: CallLog) -> None:
        self._log = log
        self._waiting: list[tuple[CallRecord, asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def add(self, record: CallRecord) -> None:
        safe = asyncio.get_running_loop().create_future()
        self._waiting.append((record, safe))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.ensure_future(self._write())
        await safe

    async def _write(self) -> None:
        while self._waiting:
            together, self._waiting = self._waiting, []
            failure: BaseException | None = None
            try:
                await asyncio.to_thread(self._log.add_calls, [record for record, _ in together])
            except BaseException as error:  # each of the calls raises it
                failure = error
            for _, safe in together:
                if safe.done():
                    continue
                if failure is None:
                    safe.set_result(None)
                else:
                    safe.set_exception(failure)


def _writer(log: CallLog) -> _Writer:
    writers = _WRITERS.setdefault(asyncio.get_running_loop(), {})
    return writers.setdefault(id(log), _Writer(log))


def _completion(call: CallRecord) -> Completion | None:
    """What can be read of an entry; None where nothing can."""
    usage = Usage(
        prompt_tokens=call.prompt_tokens,
        completion_tokens=call.completion_tokens,
        cost_usd=call.cost_usd,
        seconds=call.seconds,
    )
    try:
        kept = json.loads(call.response)
        if isinstance(kept, dict) and isinstance(kept.get("text"), str):
            return Completion(text=kept["text"], model=call.model, finish=kept.get("finish", "stop"), usage=usage)
        answer = read_answer(call.response.encode(), {})
    except (ValueError, AttemptError):
        return None
    return Completion(text=answer.text, model=call.model, finish=answer.finish, usage=usage)


def _reason(call: CallRecord) -> str:
    """Why an entry is the last of its request."""
    try:
        if call.outcome == "given up":
            return str(json.loads(call.response)["reason"])
        read_answer(call.response.encode(), {})
    except AttemptError as error:
        return error.said
    except (ValueError, KeyError, TypeError):
        pass
    return "refused"
