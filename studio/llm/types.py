"""The types of a call: the one interface through which every model is reached, what is asked and what comes back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Generic, Literal, Protocol, TypeVar, runtime_checkable

from pydantic import BaseModel

from studio.chatml import Frozen, Messages, Unicode

Purpose = Literal["author", "judge", "compare", "people", "chat", "probe", "warm-up"]
Reply = TypeVar("Reply", bound=BaseModel)


class Usage(Frozen):
    """What a call took. ``cost_usd`` is None where no price is known, 0.0 for local models."""

    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = 0.0
    seconds: float = 0.0


class Sampling(Frozen):
    temperature: float = 0.0
    top_p: float = 1.0
    max_tokens: int = 512
    seed: int = 0


class Request(Frozen):
    """One thing asked of a model; ``messages`` is all that is sent."""

    purpose: Purpose
    messages: Messages
    sampling: Sampling = Sampling()


class Completion(Frozen):
    """A whole reply as text. ``finish`` is ``length`` where it was cut; ``dropped`` where the stream broke."""

    text: Unicode
    model: str
    finish: Literal["stop", "length", "dropped"] = "stop"
    usage: Usage = Usage()


class Structured(BaseModel, Generic[Reply]):
    """A reply that was validated against a schema, with the raw text it came from."""

    value: Reply
    completion: Completion


class Waiting(Frozen):
    """What all calls to an endpoint wait for. ``until`` is the end of the wait that it asked for, where it did."""

    reason: Literal["server", "limit"]
    since: datetime
    until: datetime | None = None
    status: int | None = None

    def line(self, now: datetime) -> str:
        """One line for a person: ``waiting for the server, 3 min``, ``429, waiting until 14:20``."""
        seconds = max(0.0, (now - self.since).total_seconds())
        lasting = f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
        name = f"{self.status or 429}, waiting" if self.reason == "limit" else "waiting for the server"
        if self.until is None or self.until <= now:
            return f"{name}, {lasting}"
        near = (self.until - now).total_seconds() < 120
        return f"{name} until {self.until.astimezone():{'%H:%M:%S' if near else '%H:%M'}}"


@runtime_checkable
class ChatModel(Protocol):
    """A model that answers. Implementations raise :class:`studio.llm.errors.ModelError` and nothing else."""

    @property
    def name(self) -> str:
        """What is recorded as author or judge: ``gpt-5-mini``, ``llama3.1:8b``."""
        ...

    async def complete(self, request: Request) -> Completion:
        """The whole reply."""
        ...

    async def structured(self, request: Request, schema: type[Reply]) -> Structured[Reply]:
        """The reply as ``schema``; bad JSON is asked again a bounded number of times, its usage kept."""
        ...

    def stream(self, request: Request) -> AsyncIterator[str]:
        """The reply's text as it arrives, piece by piece."""
        ...

    async def close(self) -> None: ...
