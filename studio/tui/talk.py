"""Talking to the worker that serves base and tuned: having one, and streaming from it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from studio.chatml import Messages
from studio.evaluate.types import Side
from studio.llm import Request, Sampling
from studio.serve import Server, ServeReady, ensure, open_model, run_params
from studio.tui.aside import aside

if TYPE_CHECKING:
    from studio.llm import OpenAIModel
    from studio.train.types import Run

MAX_TOKENS = 512


async def have_worker(jobs_dir: Path, run: Run) -> Server:
    """A worker that is ready. Its starting and its files are looked after in a thread, not between two frames."""
    return await aside(lambda: asyncio.run(ensure(jobs_dir, run_params(run))))


class Talk:
    """Both models of one worker. Raises :class:`studio.llm.ModelError` where one cannot be reached."""

    def __init__(self, ready: ServeReady) -> None:
        self.ready = ready
        self._models: dict[Side, OpenAIModel] = {
            "base": open_model(ready, "base"),
            "tuned": open_model(ready, "tuned"),
        }

    async def reply(self, side: Side, messages: Messages, heard: Callable[[str], None]) -> str:
        """The whole reply; ``heard`` is told each piece as it comes."""
        request = Request(purpose="chat", messages=messages, sampling=Sampling(max_tokens=MAX_TOKENS))
        pieces: list[str] = []
        async with aclosing(self._models[side].stream(request)) as stream:
            async for piece in stream:
                pieces.append(piece)
                heard(piece)
        return "".join(pieces)

    async def close(self) -> None:
        for model in self._models.values():
            await model.close()
