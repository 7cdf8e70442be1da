"""Asking both sides at once, hearing them, and what is left where one breaks off."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import TYPE_CHECKING

from textual import on
from textual.worker import Worker

from studio.chatml import Messages
from studio.errors import UserError
from studio.evaluate.types import Side
from studio.llm import Request, Sampling
from studio.serve import Server, ServeReady, ensure, open_model, run_params
from studio.train.types import Run
from studio.tui.live.threads import detached
from studio.tui.screens.chat.conversation import SIDES
from studio.tui.screens.chat.keeping import Keeping
from studio.tui.screens.chat.transcript import Transcript

if TYPE_CHECKING:
    from studio.llm import OpenAIModel
    from studio.train.types import Run

MAX_TOKENS = 512


async def have_worker(jobs_dir: Path, run: Run) -> Server:
    """A worker that is ready. Its starting and its files are looked after in a thread, not between two frames."""
    return await detached(lambda: asyncio.run(ensure(jobs_dir, run_params(run))))


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


IDLE_S = 1800.0
"""So long after the last message the worker may end, though the screen is still there."""


class Answering(Keeping):
    """Puts replies into the conversation; the screen shows it in its two panes. The worker may end once the screen is
    left."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.trained: Run | None = None
        """The run that is talked to."""
        self._answering: Worker[None] | None = None
        self._talk: Talk | None = None
        self._server: Server | None = None
        self._used = 0.0

    def pane(self, side: Side) -> Transcript:
        raise NotImplementedError

    @property
    def run_id(self) -> str:
        return self.trained.plan.run_id if self.trained else ""

    @property
    def busy(self) -> bool:
        """Whether replies are on their way."""
        return self._answering is not None and self._answering.is_running

    def action_start(self) -> None:
        """Load the worker before anything is asked."""
        self.run(self._worker(), "worker")

    def action_stop(self) -> None:
        """Stop the replies; where there are none on their way, the worker."""
        if self.busy:
            self.hush()
            self.studio.tell("the replies were stopped")
        else:
            self.halt()

    def hush(self) -> None:
        """Hear no more of the replies that are on their way."""
        if self._answering is not None and self.busy:
            self._answering.cancel()

    def action_again(self) -> None:
        """Ask for what is missing of the newest pair, as after a worker that died."""
        last = self.conversation.last
        if last is None or last.whole:
            self.studio.tell("nothing is missing: both sides have replied")
        elif self.conversation.run_id != self.run_id:
            self.studio.tell(f"this conversation is with {self.conversation.run_id}: n begins one with {self.run_id}")
        elif not self.busy:
            self.ask()

    def ask(self) -> None:
        """Send the newest turn to the sides that have not replied to it."""
        self.show_conversation()
        self.keep_memory()
        self._answering = self.run_worker(self._told(self._answer()), group="answer")
        self.show_lines()

    async def _answer(self) -> None:
        """Both sides at once; what came whole is kept, whatever became of the other."""
        index = len(self.conversation.exchanges) - 1
        missing = [side for side in SIDES if self.conversation.exchanges[index].reply(side) is None]
        talk = await self._talk_to(await self._worker())
        for side in missing:
            self.pane(side).begin(side)
        answers = (talk.reply(side, self.conversation.asked(side), self.pane(side).append) for side in missing)
        try:
            found = await asyncio.gather(*answers, return_exceptions=True)
        except asyncio.CancelledError:
            self.show_conversation(to_bottom=False)  # without the halves
            raise
        for side, reply in zip(missing, found, strict=True):
            if isinstance(reply, str):
                self.conversation = self.conversation.put(index, **{side: reply})
        self._answered([one for one in found if isinstance(one, BaseException)])

    def _answered(self, failures: list[BaseException]) -> None:
        self.show_conversation(to_bottom=False)
        self.keep_memory()
        for failure in failures[:1]:
            if not isinstance(failure, UserError):
                raise failure
            self.studio.tell(UserError(str(failure), remedy="r asks again"))

    @on(Worker.StateChanged)
    def _settled(self, event: Worker.StateChanged) -> None:
        if event.worker is self._answering and not self.busy:
            self.show_lines()
            self.refresh_bindings()

    async def _worker(self) -> ServeReady:
        """One that is ready. Raises UserError, also where there is no run to serve."""
        if self.trained is None:
            raise UserError("no run was trained to its end yet", remedy="train one first (5)")
        try:
            server = await have_worker(self.session.workspace.jobs_dir, self.trained)
        finally:
            self.studio.wake()
        self._leave()
        self._server, self._used = server, time.monotonic()
        return server.ready

    def _tick(self) -> None:
        super()._tick()
        if not self.busy and (self.studio.active_stage is not self or time.monotonic() - self._used > IDLE_S):
            self._leave()

    def _leave(self) -> None:
        """Let the worker end, unless others use it."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _talk_to(self, ready: ServeReady) -> Talk:
        if self._talk is None or self._talk.ready != ready:
            if self._talk is not None:
                await self._talk.close()
            self._talk = Talk(ready)
        return self._talk
