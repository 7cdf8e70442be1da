"""The response of a server: text, finish, tokens, rates. Only the fields that are needed, and nothing taken on trust.

Reasoning, the thinking aloud that some models put before their reply, is no part of what was said.
"""

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
_TAGS = ("<think>", "<thinking>", "<reasoning>")
_THOUGHT = re.compile(r"\s*<(think|thinking|reasoning)>.*?(</\1>|\Z)\s*", re.DOTALL)
_END_OF_THOUGHT = "</think>"


def _counted(value: Any) -> int:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return 0
    return int(number) if 0 <= number < _MOST_TOKENS else 0


def _mapping_or_none(value: object) -> object:
    return value if isinstance(value, Mapping | BaseModel) else None


def _joined(value: object) -> object:
    """Content as text. Some servers send a list of parts, of which thoughts are no part of the reply."""
    if not isinstance(value, list):
        return value
    parts = (part if isinstance(part, str) else _part_text(part) for part in value)
    return "".join(parts)


def _part_text(part: object) -> str:
    if not isinstance(part, Mapping) or part.get("type", "text") not in ("text", "output_text"):
        return ""
    text = part.get("text")
    return text if isinstance(text, str) else ""


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
    content: Annotated[str | None, BeforeValidator(_joined)] = None
    refusal: str | None = None


class _Choice(BaseModel):
    message: _Message = _Message()
    delta: _Message | None = None
    finish_reason: str | None = None


class _Body(BaseModel):
    choices: list[_Choice] = []
    usage: Annotated[Tokens | None, BeforeValidator(_mapping_or_none)] = None


@dataclass(frozen=True)
class Rates:
    """What the server says it allows a minute, and for how many seconds its tokens are used up; None where it does
    not say."""

    calls: float | None = None
    tokens: float | None = None
    tokens_left: float | None = None
    tokens_back: float | None = None


@dataclass(frozen=True)
class Answer:
    """A whole reply."""

    text: str
    finish: Finish
    tokens: Tokens
    rates: Rates = Rates()


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
    return Answer(well_formed(choice.message.content or ""), finish, read.usage or Tokens(), named_rates(headers))


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


def named_rates(headers: Mapping[str, str]) -> Rates:
    """The rates in ``x-ratelimit-limit-requests`` and ``-tokens``."""
    if "x-ratelimit-limit-requests" not in headers and "x-ratelimit-limit-tokens" not in headers:
        return Rates()
    return Rates(
        named_rate(headers, "requests"),
        named_rate(headers, "tokens"),
        _number(headers.get("x-ratelimit-remaining-tokens")),
        duration(headers.get("x-ratelimit-reset-tokens")),
    )


def named_rate(headers: Mapping[str, str], of: Literal["requests", "tokens"] = "requests") -> float | None:
    """Calls or tokens a minute by ``x-ratelimit-limit-*``; None where there is none, or where it is a quota of the day.

    The header does not say its period (OpenAI's is a minute or a day by tier, Groq's a day). The time to a full
    reset does: in proportion to what was used, or as a whole.
    """
    limit = _number(headers.get(f"x-ratelimit-limit-{of}"))
    if limit is None or limit <= 0:
        return None
    left = _number(headers.get(f"x-ratelimit-remaining-{of}"))
    reset = duration(headers.get(f"x-ratelimit-reset-{of}"))
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


def without_reasoning(text: str) -> str:
    """``text`` without the blocks of reasoning that it begins with. One that never ends is all there is.

    Some templates open the block themselves, so that only its end is in the text.
    """
    rest = text
    while found := _THOUGHT.match(rest):
        rest = rest[found.end() :]
    head, end, tail = rest.partition(_END_OF_THOUGHT)
    if end and rest is text and not head.lstrip().startswith(("{", "```")):
        return tail.lstrip()
    return rest


class ReasoningFilter:
    """The same for a reply that arrives in pieces: what may yet turn out to be a thought is held back.

    Where a template opens the block itself nothing tells a thought from a reply before its end has come, so such
    thoughts are shown. Each piece is looked at once, however long the thought.
    """

    def __init__(self) -> None:
        self._held = ""
        """What may be the beginning of a tag, or of the end that is waited for."""
        self._blank: list[str] = []
        """White space before it, which goes with a thought."""
        self._end_tag = ""
        """Inside a thought, what ends it."""
        self._thought = self._open = False

    def feed(self, piece: str) -> str:
        """What can be shown now."""
        if self._open:
            return piece
        self._held += piece
        while self._left_thought() and (tag := self._tag()):
            self._held, self._end_tag, self._thought = self._held[len(tag) :], f"</{tag[1:]}", True
        if self._end_tag or any(tag.startswith(self._held) for tag in _TAGS):
            return ""
        return self.end()

    def end(self) -> str:
        """What was held back and is no thought after all."""
        self._open = True
        held = self._held if self._thought else "".join((*self._blank, self._held))
        self._held = ""
        self._blank.clear()
        return "" if self._end_tag else held

    def _left_thought(self) -> bool:
        """Whether what is held is outside of a thought. What is inside is dropped."""
        if not self._end_tag:
            return True
        _, end, rest = self._held.partition(self._end_tag)
        if not end:
            self._held = self._held[1 - len(self._end_tag) :]
            return False
        self._held, self._end_tag = rest, ""
        return True

    def _tag(self) -> str | None:
        """The tag that what is held begins with, white space apart."""
        start = self._held.lstrip()
        self._blank.append(self._held[: len(self._held) - len(start)])
        self._held = start
        return next((tag for tag in _TAGS if start.startswith(tag)), None)
