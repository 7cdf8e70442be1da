"""Base and tuned behind one worker that serves both: had when they are first asked, left when nobody asks any more."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from studio.chatml import Messages
from studio.evaluate.types import Side
from studio.llm import Request, Sampling
from studio.serve import Server, ServeReady, ensure, open_model, run_params
from studio.tui.live.threads import detached
from studio.tui.screens.chat.conversation import SIDES

if TYPE_CHECKING:
    from studio.llm import OpenAIModel
    from studio.train.types import Run

MAX_TOKENS = 512
IDLE_S = 1800.0
"""So long after the last message the worker may end, though the screen is still there."""


async def have_worker(jobs_dir: Path, run: Run) -> Server:
    """A worker that is ready. Its starting and its files are looked after in a thread, not between two frames."""
    return await detached(lambda: asyncio.run(ensure(jobs_dir, run_params(run))))


class ServedModels:
    """Raises :class:`studio.llm.ModelError` where a model cannot be reached, UserError where there is no worker."""

    def __init__(self) -> None:
        self._server: Server | None = None
        self._ready: ServeReady | None = None
        """Of the worker that the models are asked at."""
        self._models: dict[Side, OpenAIModel] = {}
        self._used = 0.0

    async def load(self, jobs_dir: Path, run: Run) -> None:
        """Have a worker that is ready, and keep it from ending."""
        server = await have_worker(jobs_dir, run)
        self.leave()
        self._server, self._used = server, time.monotonic()
        if server.ready != self._ready:
            for model in self._models.values():
                await model.close()
            self._ready = server.ready
            self._models = {side: open_model(server.ready, side) for side in SIDES}

    async def reply(self, side: Side, messages: Messages, heard: Callable[[str], None]) -> str:
        """The whole reply; ``heard`` is told each piece as it comes."""
        request = Request(purpose="chat", messages=messages, sampling=Sampling(max_tokens=MAX_TOKENS))
        pieces: list[str] = []
        async with aclosing(self._models[side].stream(request)) as stream:
            async for piece in stream:
                pieces.append(piece)
                heard(piece)
        return "".join(pieces)

    @property
    def idle(self) -> bool:
        return time.monotonic() - self._used > IDLE_S

    def leave(self) -> None:
        """Let the worker end, unless others use it."""
        if self._server is not None:
            self._server.close()
            self._server = None
