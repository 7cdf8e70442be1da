"""The record of calls: what was answered is kept before it is used, so that nothing is paid for twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal, Protocol

from studio.calls import CallRecord
from studio.chatml import Frozen
from studio.llm.settings import ModelSettings
from studio.llm.types import Request


class LoggedAnswer(Frozen):
    """What a record holds of an answer, as the JSON of its ``response``."""

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
