"""The response of a server: text, finish, tokens, rate. Only the fields that are needed, and nothing taken on trust."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator

from studio.chatml import well_formed
from studio.llm.errors import AttemptError, one_line

Finish = Literal["stop", "length"]
_CUT = ("length", "max_tokens", "model_length")
_DAY = 80_000.0
_LONG_RESET = 120.0
_MOST_TOKENS = 2**53


def _counted(value: Any) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    return int(number) if 0 <= number < _MOST_TOKENS else 0


def _mapping_or_none(value: object) -> object:
    return value if isinstance(value, Mapping | BaseModel) else None


_Count = Annotated[int, BeforeValidator(_counted)]


class _Cached(BaseModel):
    cached_tokens: _Count = 0


class Tokens(BaseModel):
    """What a call took, as the server counts it. ``completion_tokens`` includes reasoning.

    A count that is none is 0: the reply beside it was paid for.
    """

    prompt_tokens: _Count = 0
    completion_tokens: _Count = 0
    prompt_tokens_details: Annotated[_Cached | None, BeforeValidator(_mapping_or_none)] = None

    @property
    def cached(self) -> int:
        return self.prompt_tokens_details.cached_tokens if self.prompt_tokens_details else 0


class _Message(BaseModel):
    content: str | None = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message = _Message()
    delta: _Message | None = None
    finish_reason: str | None = None


class _Body(BaseModel):
    choices: list[_Choice] = []
    usage: Annotated[Tokens | None, BeforeValidator(_mapping_or_none)] = None


@dataclass(frozen=True)
class Answer:
    """A whole reply. ``a_minute`` is the rate that the server says it allows, where it does."""

    text: str
    finish: Finish
    tokens: Tokens
    a_minute: float | None = None


@dataclass(frozen=True)
class Piece:
    """A part of a streamed reply. ``finish`` is on the last one with text, ``tokens`` on one after it, if at all."""

    text: str = ""
    finish: Finish | None = None
    tokens: Tokens | None = None


def read_answer(body: bytes, headers: Mapping[str, str]) -> Answer:
    """The reply in a response with status 200; raises AttemptError ``malformed`` or ``refused``."""
    read = _read(body)
    if not read.choices:
        raise AttemptError("malformed", "the response holds no reply", again=True)
    choice = read.choices[0]
    if choice.message.refusal or choice.finish_reason == "content_filter":
        raise AttemptError("refused", _why(choice.message.refusal))
    finish: Finish = "length" if choice.finish_reason in _CUT else "stop"
    return Answer(well_formed(choice.message.content or ""), finish, read.usage or Tokens(), named_rate(headers))


def read_piece(event: object) -> Piece:
    """One event of a stream, as parsed JSON."""
    read = _read(event)
    choice = read.choices[0] if read.choices else _Choice()
    delta = choice.delta or _Message()
    if delta.refusal or choice.finish_reason == "content_filter":
        raise AttemptError("refused", _why(delta.refusal))
    finish: Finish | None = None
    if choice.finish_reason:
        finish = "length" if choice.finish_reason in _CUT else "stop"
    return Piece(delta.content or "", finish, read.usage)


def _why(refusal: str | None) -> str:
    return one_line(refusal, None) if refusal else "stopped by the server's content filter"


def named_rate(headers: Mapping[str, str]) -> float | None:
    """Calls a minute by ``x-ratelimit-limit-requests``; None where there is none, or where it is a quota of the day.

    The header does not say its period (OpenAI's is a minute or a day by tier, Groq's a day). The time to a full
    reset does: in proportion to what was used, or as a whole.
    """
    limit = _number(headers.get("x-ratelimit-limit-requests"))
    if limit is None or limit <= 0:
        return None
    left = _number(headers.get("x-ratelimit-remaining-requests"))
    reset = duration(headers.get("x-ratelimit-reset-requests"))
    if reset is not None and left is not None and left < limit:
        daily = reset > _LONG_RESET or reset * limit / (limit - left) > _DAY
        return None if daily else limit
    return limit


def duration(text: str | None) -> float | None:
    """``1s``, ``6m0s``, ``120ms``, ``1h2m`` or a bare number, in seconds; None for anything else."""
    if text is None or (bare := _number(text)) is not None:
        return None if text is None else bare
    parts = re.findall(r"([\d.]+)(ms|s|m|h|d)", text)
    units = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
    found = [(_number(amount), units[unit]) for amount, unit in parts]
    return sum(a * u for a, u in found if a is not None) if found else None


def _number(text: str | None) -> float | None:
    try:
        value = float(text) if text is not None else None
    except ValueError:
        return None
    return value if value is not None and 0 <= value < float("inf") else None


def _read(body: object) -> _Body:
    try:
        # pydantic's own parser refuses half a surrogate pair, and the paid answer around it.
        return _Body.model_validate(json.loads(body) if isinstance(body, bytes) else body)
    except (ValueError, RecursionError):
        raise AttemptError("malformed", "the response is not a chat completion", again=True) from None
