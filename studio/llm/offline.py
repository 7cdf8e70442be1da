"""A function behind the interface of a model: how the offline author and the rules judge are reached."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable

from pydantic import BaseModel, ValidationError

from studio.llm.errors import ModelError
from studio.llm.types import Completion, Reply, Request, Structured, Usage


class OfflineModel:
    """Answers by ``answer(request)``, which works from ``request.brief`` and may raise :class:`ModelError`.

    It costs nothing and calls nobody. Each call gives way to other tasks once, so that a long row of them
    does not hold up whoever watches.
    """

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
            first = error.errors(include_url=False)[0]
            place = ".".join(str(part) for part in first["loc"])
            raise ModelError("malformed", f"{self._name}: {place}: {first['msg']}") from error
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
