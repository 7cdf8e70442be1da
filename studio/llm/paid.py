"""The answers to one request, on record before they are used: none is paid for twice, not even after a kill."""

from __future__ import annotations

from datetime import UTC, datetime

from pydantic import ValidationError

from studio.calls import CallRecord
from studio.llm.calls import CallLog, LoggedAnswer
from studio.llm.types import Completion, Purpose, Usage


class Paid:
    """The record of the request with ``key``: its answers in order, valid or not, under ``key:0``, ``key:1``, ...

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
