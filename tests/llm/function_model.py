"""A function behind the interface of a model, for tests of every room that asks one."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from pydantic import BaseModel, ValidationError

from studio.llm import Completion, ModelError, Reply, Request, Structured, Usage


class FunctionModel:
    """Answers by ``answer(request)``, which may raise :class:`ModelError`. Each call gives way to other tasks once."""

    def __init__(self, name: str, answer: Callable[[Request], BaseModel]) -> None:
        self._name, self._answer = name, answer

    @property
    def name(self) -> str:
        return self._name

    async def complete(self, request: Request) -> Completion:
        """The answer as JSON."""
        return (await self._asked(request))[1]

    async def structured(self, request: Request, schema: type[Reply]) -> Structured[Reply]:
        """The answer as ``schema``; raises ModelError ``malformed`` if the function's value does not fit it."""
        value, completion = await self._asked(request)
        try:
            reply = value if isinstance(value, schema) else schema.model_validate_json(completion.text)
        except ValidationError as error:
            raise ModelError("malformed", f"{self._name}: {error.errors(include_url=False)[0]['msg']}") from error
        return Structured(value=reply, completion=completion)

    async def stream(self, request: Request) -> AsyncIterator[str]:
        """The answer as JSON, in one piece."""
        yield (await self.complete(request)).text

    async def close(self) -> None:
        """Nothing is open."""

    async def _asked(self, request: Request) -> tuple[BaseModel, Completion]:
        await asyncio.sleep(0)
        started = time.perf_counter()
        value = self._answer(request)
        usage = Usage(seconds=time.perf_counter() - started)
        return value, Completion(text=value.model_dump_json(), model=self._name, usage=usage)


def inside(request: Request, tag: str) -> str:
    """What stands in the last message of a prompt between the tags of this name, which carry a code."""
    return request.messages[-1].content.partition(f"<{tag}-")[2].partition(">")[2].partition(f"</{tag}-")[0].strip()
