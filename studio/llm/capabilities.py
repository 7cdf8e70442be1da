"""Capabilities of an endpoint and model, as learned: parameters it refuses, formats that work, room that it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, Field, ValidationError

from studio.chatml import Message, Messages, user
from studio.llm.errors import AttemptError
from studio.llm.settings import ModelSettings
from studio.llm.types import Request

Format = Literal["json_schema", "json_object", "plain"]
FORMATS: tuple[Format, ...] = ("json_schema", "json_object", "plain")
"""Ways of asking for JSON, the most binding first."""
MOST_ROOM = 8
ROOM_LASTS = 20
"""So many whole answers in a row that half the room would have held make it half again."""
_OPTIONAL = ("temperature", "top_p", "seed", "reasoning_effort", "stream_options")
_CAPS = ("max_tokens", "max_completion_tokens")
# Of a cap servers also say that it is too large, and then often by both of its names.
_OF_SIZE = re.compile(r"too (?:large|big|high|small|low|many)|at (?:most|least)|m(?:ax|in)imum|exceed|context|must be")
_OF_NAME = re.compile(r"unsupported|not supported|unknown|unrecogni[sz]ed|unexpected|not (?:permitted|allowed)|instead")


class _Kept(BaseModel):
    cap: Literal["max_tokens", "max_completion_tokens"]
    room: int = Field(ge=1, le=MOST_ROOM)
    dropped: set[str] = set()
    refused: set[Format] = set()
    formats: dict[Format, tuple[int, int]] = {}


class Capabilities:
    """One endpoint and model, as its answers have shown it. Shared by all calls to them in this process, and kept.

    A format is judged by whether its replies validate, not by status codes: some servers ignore what they do not
    know and answer 200.
    """

    def __init__(self, settings: ModelSettings) -> None:
        host = urlsplit(settings.url).hostname or ""
        # OpenAI's reasoning models know only the new name of the cap; many local servers silently ignore it.
        named_new = not settings.uds and host.endswith(("openai.com", "openai.azure.com"))
        self.cap: str = _CAPS[1] if named_new else _CAPS[0]
        self.room = 1
        """By how much ``max_tokens`` is multiplied: reasoning takes its share before the first word."""
        self.effort: str | None = None
        """``reasoning_effort``, as set by the user, where the model takes it."""
        self._fitted = 0
        self._dropped: set[str] = set()
        self._good: dict[Format, int] = dict.fromkeys(FORMATS, 0)
        self._bad: dict[Format, int] = dict.fromkeys(FORMATS, 0)
        self._refused: set[Format] = set()

    def body(self, model: str, request: Request, messages: Messages, room: int) -> dict[str, Any]:
        """The parameters of one chat completion, without those that were refused before."""
        sampling = request.sampling
        body: dict[str, Any] = {
            "model": model,
            "messages": [message.model_dump() for message in messages],
            "temperature": sampling.temperature,
            "seed": sampling.seed,
            self.cap: sampling.max_tokens * room,
        }
        if sampling.top_p != 1.0:
            body["top_p"] = sampling.top_p
        if self.effort is not None:
            body["reasoning_effort"] = self.effort
        return {name: value for name, value in body.items() if name not in self._dropped}

    @property
    def proven(self) -> bool:
        """Whether an answer has shown that it is asked as it wants to be."""
        return any(self._good.values())

    def takes(self, parameter: str) -> bool:
        return parameter not in self._dropped

    def best_format(self) -> Format:
        """The most binding format whose replies were valid at least as often as not."""
        usable = [f for f in FORMATS if f not in self._refused]
        return next((f for f in usable if self._bad[f] <= self._good[f]), usable[-1])

    def next_format(self, used: Format) -> Format:
        """What to try after ``used`` gave an invalid reply: the same if it is known to work, else a looser one."""
        if self._good[used] > 0 and self._bad[used] <= self._good[used]:
            return used
        return self.looser(used) or used

    def looser(self, used: Format) -> Format | None:
        return next((f for f in FORMATS[FORMATS.index(used) + 1 :] if f not in self._refused), None)

    def refuses(self, formats: Iterable[Format]) -> None:
        """The server answered a request in a looser format that it had refused in these."""
        self._refused.update(formats)

    def judged(self, used: Format, *, valid: bool) -> None:
        (self._good if valid else self._bad)[used] += 1

    def more_room(self, given: int) -> None:
        """A reply needed more than ``given`` times its tokens. Calls at once that all say so count once."""
        self.room, self._fitted = min(MOST_ROOM, max(self.room, given * 2)), 0

    def fitted(self, tokens: int, asked: int) -> None:
        """A whole answer of so many ``tokens`` came, where its request ``asked`` for this many at most."""
        if self.room == 1:
            return
        self._fitted = self._fitted + 1 if 2 * tokens <= asked * self.room else 0
        if self._fitted >= ROOM_LASTS:
            self.room, self._fitted = self.room // 2, 0

    def no_room(self) -> None:
        """A request was answered only once it asked for no more than its own ``max_tokens``: the context is small."""
        self.room = 1

    def kept(self) -> dict[str, Any]:
        """For the next process: what the endpoint honours, as JSON."""
        return {
            "cap": self.cap,
            "room": self.room,
            "dropped": sorted(self._dropped),
            "refused": sorted(self._refused),
            "formats": {used: [self._good[used], self._bad[used]] for used in FORMATS},
        }

    def begin_with(self, kept: object) -> None:
        """Begin with what an earlier process found; what cannot be read is found again."""
        try:
            found = _Kept.model_validate(kept)
        except ValidationError:
            return
        self.cap, self.room = found.cap, found.room
        self._dropped = set(found.dropped)
        self._refused = set(found.refused)
        for used, (good, bad) in found.formats.items():
            self._good[used], self._bad[used] = good, bad

    def learned(self, failure: AttemptError, body: Mapping[str, Any]) -> bool:
        """Take note of a request refused for one of its parameters; whether it is worth asking without it."""
        named = self._named(failure, body) if failure.bad_request else None
        if named in _CAPS:
            return self._swap_cap(named) if _refuses_the_name(failure, named) else False
        if named is not None:
            self._dropped.add(named)
        return named is not None

    def _named(self, failure: AttemptError, body: Mapping[str, Any]) -> str | None:
        """The parameter of ``body`` that the server names, in its error's field or else in its words."""
        sent = [name for name in (*_OPTIONAL, *_CAPS) if name in body]
        first_key = failure.parameter.split(".")[0]
        if first_key in sent:
            return first_key
        return next((name for name in sent if re.search(rf"\b{name}\b", failure.said)), None)

    def _swap_cap(self, named: str) -> bool:
        """Use the cap's other name, once: a reply is never asked for without a cap."""
        other = _CAPS[1 - _CAPS.index(named)]
        if other in self._dropped:
            return False
        self._dropped.add(named)
        self.cap = other
        return True


def _refuses_the_name(failure: AttemptError, cap: str) -> bool:
    """Whether a server that named the cap does not know it, rather than found it too large."""
    said = failure.said.casefold()
    return not _OF_SIZE.search(said) and (failure.parameter == cap or bool(_OF_NAME.search(said)))


def response_format(used: Format, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The parameter that asks for JSON; none for ``plain``."""
    if used == "json_schema":
        named = {"name": name[:64], "schema": dict(schema), "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": named}}
    return {"response_format": {"type": "json_object"}} if used == "json_object" else {}


def with_schema(messages: Messages, schema: Mapping[str, Any]) -> Messages:
    """``messages`` with the schema as text at the end of the last user turn, where every model reads it."""
    note = "Answer with one JSON object and nothing else, valid against this JSON Schema:\n" + json.dumps(
        schema, ensure_ascii=False, separators=(",", ":")
    )
    if messages and messages[-1].role == "user":
        return (*messages[:-1], Message(role="user", content=f"{messages[-1].content}\n\n{note}"))
    return (*messages, user(note))
