"""The ledger of calls: an answer is on record before it is used, and none is paid for twice, even after a kill."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal, Protocol

from pydantic import ValidationError

from studio.calls import CallRecord
from studio.chatml import Frozen
from studio.llm.settings import ModelSettings
from studio.llm.types import Completion, Purpose, Request, Usage


class LoggedAnswer(Frozen):
    """What an entry holds of an answer, as the JSON of its ``response``."""

    text: str
    finish: Literal["stop", "length", "dropped"]


class CallLog(Protocol):
    """Where calls are kept. ``add_call`` returns only when the record would survive a kill of the process.

    The same key may be added twice (two equal requests at once); either record may win.
    """

    def call(self, key: str) -> CallRecord | None: ...

    def add_call(self, record: CallRecord) -> None: ...


def call_key(settings: ModelSettings, model: str, request: Request, schema: Mapping[str, Any] | None = None) -> str:
    """What makes two calls the same: endpoint, model, messages, sampling and schema; sha256 in hex.

    The purpose and the way in which structure is asked for are left out: they do not change what was paid for.
    """
    asked = {
        "place": settings.place,
        "model": model,
        "messages": [m.model_dump() for m in request.messages],
        "sampling": request.sampling.model_dump(),
        "schema": schema,
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


class Ledger:
    """The entries of the request with ``key``: its answers in order, valid or not, under ``key:0``, ``key:1``, ...

    Invalid answers are kept too: they cost as much, and a correction that was under way goes on where it was.
    """

    def __init__(self, log: CallLog | None, key: str, purpose: Purpose, model: str) -> None:
        self._log, self._key, self._purpose, self._model = log, key, purpose, model
        self._count = 0

    def recall(self) -> list[Completion]:
        """All answers on record, oldest first."""
        found: list[Completion] = []
        while self._log is not None and (call := self._log.call(f"{self._key}:{len(found)}")) is not None:
            found.append(_completion(call))
        self._count = len(found)
        return found

    def keep(self, completion: Completion) -> None:
        """Record one more answer; returns when it is safe."""
        if self._log is None:
            return
        usage = completion.usage
        self._log.add_call(
            CallRecord(
                key=f"{self._key}:{self._count}",
                purpose=self._purpose,
                model=self._model,
                response=LoggedAnswer(text=completion.text, finish=completion.finish).model_dump_json(),
                prompt_tokens=usage.prompt_tokens,
                completion_tokens=usage.completion_tokens,
                cost_usd=usage.cost_usd,
                seconds=usage.seconds,
                at=datetime.now(UTC),
            )
        )
        self._count += 1


def _completion(call: CallRecord) -> Completion:
    try:
        answer = LoggedAnswer.model_validate_json(call.response)
    except ValidationError:  # written by something else: counts as an answer, but never as a valid one
        answer = LoggedAnswer(text="", finish="dropped")
    usage = Usage(
        prompt_tokens=call.prompt_tokens,
        completion_tokens=call.completion_tokens,
        cost_usd=call.cost_usd,
        seconds=call.seconds,
    )
    return Completion(text=answer.text, model=call.model, finish=answer.finish, usage=usage)
