"""Talking to both sides at once: base on the left, tuned on the right, from one worker."""

from __future__ import annotations

import asyncio
import time
from collections import Counter

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Static
from textual.worker import Worker

from studio.errors import UserError
from studio.evaluate.types import Side
from studio.serve import Server, ServeReady
from studio.train.types import Run
from studio.tui.conversation import SIDES, Choice, Conversation, count_votes, keep_vote, vote_of
from studio.tui.keys import bindings
from studio.tui.memory import Value
from studio.tui.runs import chosen_run
from studio.tui.screens.chat_parts import pane_title, votes_line, worker_line
from studio.tui.screens.job_stage import JobStage
from studio.tui.talk import Talk, have_worker
from studio.tui.widgets.composer import Composer
from studio.tui.widgets.transcript import Transcript

NOTHING_SAID = "Nothing said yet. Press enter and write to both sides."
PLACEHOLDER = "enter: write to both sides"
IDLE_S = 1800.0
"""So long after the last message the worker may end, though the screen is still there."""
READING = ("start", "stop", "log", "write", "vote", "fresh", "again")
"""Actions for when no message is being written."""


class ChatScreen(JobStage):
    """What was said is kept after each turn; the worker may end once the screen is left."""

    CSS_PATH = "chat.tcss"
    BINDINGS = [*bindings("chat"), *bindings("job")]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._run: Run | None = None
        self._conversation = Conversation.new()
        self._votes: Counter[Choice] = Counter()
        self._saved = True
        self._read_for: object = None
        self._answering: Worker[None] | None = None
        self._talk: Talk | None = None
        self._server: Server | None = None
        self._used = 0.0

    def body(self) -> ComposeResult:
        with Horizontal(id="panes"):
            for side in SIDES:
                with Vertical(id=f"{side}-pane"):
                    yield Static(pane_title(side, ""), id=f"{side}-title")
                    yield Transcript(id=side, empty=NOTHING_SAID)
        yield Static(id="worker")
        yield Static(id="votes")
        yield Composer(PLACEHOLDER, id="composer")

    def on_mount(self) -> None:
        self.query_one("#tuned").focus()

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    @property
    def busy(self) -> bool:
        """Whether replies are on their way."""
        return self._answering is not None and self._answering.is_running

    def recall(self, state: dict[str, Value]) -> None:
        kept = Conversation.read(str(state.get("conversation") or ""))
        if kept is not None:
            self._conversation = kept
            self._show_conversation()
        self.composer.write(str(state.get("draft") or ""))

    def remember(self) -> dict[str, Value]:
        return {"conversation": self._conversation.model_dump_json(), "draft": self.composer.text}

    def sync(self) -> None:
        wanted = self.studio.marks.get("train"), self.session.loaded.hash
        if wanted != self._read_for:
            self._read_for = wanted
            self.run(self._read(), "read", exclusive=True, keys_wait=True)
        self._show_lines()

    async def _read(self) -> None:
        disk, session = self.studio.disk, self.session
        self._run = await disk.read(chosen_run, session)
        if self._run is not None:
            self._votes = await disk.read(count_votes, session.workspace.studio, self._run_id)
        self.query_one("#tuned-title", Static).update(pane_title("tuned", self._run_id), layout=False)
        self._show_lines()

    @property
    def _run_id(self) -> str:
        return self._run.plan.run_id if self._run else ""

    def _show_lines(self) -> None:
        self.query_one("#worker", Static).update(worker_line(self.job, self._run_id), layout=False)
        votes = votes_line(self._votes, self._conversation, saved=self._saved, busy=self.busy)
        self.query_one("#votes", Static).update(votes, layout=False)

    def _show_conversation(self, *, to_bottom: bool = True) -> None:
        for side in SIDES:
            self._pane(side).show(self._conversation.shown(side), {"assistant": side}, to_bottom=to_bottom)

    def _pane(self, side: Side) -> Transcript:
        return self.query_one(f"#{side}", Transcript)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a message is written, letters are letters."""
        if not self.is_mounted:
            return True
        if action in READING and self.composer.has_focus:
            return False
        if action == "vote":
            return self._can_vote
        if action == "stop":
            return self.busy or bool(super().check_action(action, parameters))
        return super().check_action(action, parameters)

    @property
    def _can_vote(self) -> bool:
        last = self._conversation.last
        return last is not None and last.whole and not self.busy

    def on_descendant_focus(self) -> None:
        self.refresh_bindings()

    def back(self) -> None:
        self.query_one("#tuned").focus()

    def action_write(self) -> None:
        self.composer.focus()

    def action_start(self) -> None:
        """Load the worker before anything is asked."""
        self.run(self._worker(), "worker")

    def action_stop(self) -> None:
        """Stop the replies; where there are none on their way, the worker."""
        if self.busy and self._answering is not None:
            self._answering.cancel()
            self.studio.tell("the replies were stopped")
        else:
            self.halt()

    async def _worker(self) -> ServeReady:
        """One that is ready. Raises UserError, also where there is no run to serve."""
        if self._run is None:
            raise UserError("no run was trained to its end yet", remedy="train one first (5)")
        try:
            server = await have_worker(self.session.workspace.jobs_dir, self._run)
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

    @on(Composer.Sent)
    def _sent(self, event: Composer.Sent) -> None:
        if not event.text.strip():
            return
        if self.busy:
            self.studio.tell("the replies are still coming; your message stays where it is")
        elif self._run is None:
            self.studio.tell("no run was trained to its end yet: train one first (5)", "warning")
        else:
            self.composer.write("")
            if self._conversation.run_id != self._run_id:
                self._another_run()
            self._conversation = self._conversation.add(event.text.strip())
            self._ask()

    def _another_run(self) -> None:
        """A conversation is with one run: what another one said is not put into this one's mouth."""
        if self._conversation.exchanges:
            self.studio.tell(f"{self._run_id} is newer than what was talked to: a new conversation")
        self._conversation = Conversation.new(self._run_id)

    def action_again(self) -> None:
        """Ask for what is missing of the newest pair, as after a worker that died."""
        last = self._conversation.last
        if last is None or last.whole:
            self.studio.tell("nothing is missing: both sides have replied")
        elif not self.busy:
            self._ask()

    def _ask(self) -> None:
        self._saved = True
        self._show_conversation()
        self.keep_memory()
        self._answering = self.run_worker(self._told(self._answer()), group="answer")
        self._show_lines()

    async def _answer(self) -> None:
        """Both sides at once; what came whole is kept, whatever became of the other."""
        index = len(self._conversation.exchanges) - 1
        missing = [side for side in SIDES if self._conversation.exchanges[index].reply(side) is None]
        ready = await self._worker()
        talk = await self._talk_to(ready)
        for side in missing:
            self._pane(side).begin(side)
        answers = (talk.reply(side, self._conversation.asked(side), self._pane(side).append) for side in missing)
        try:
            found = await asyncio.gather(*answers, return_exceptions=True)
        except asyncio.CancelledError:
            self._show_conversation(to_bottom=False)  # without the halves
            raise
        for side, reply in zip(missing, found, strict=True):
            if isinstance(reply, str):
                self._conversation = self._conversation.put(index, **{side: reply})
        self._answered([one for one in found if isinstance(one, BaseException)])

    @on(Worker.StateChanged)
    def _settled(self, event: Worker.StateChanged) -> None:
        if event.worker is self._answering and not self.busy:
            self._show_lines()
            self.refresh_bindings()

    def _answered(self, failures: list[BaseException]) -> None:
        self._show_conversation(to_bottom=False)
        self.keep_memory()
        for failure in failures[:1]:
            if not isinstance(failure, UserError):
                raise failure
            self.studio.tell(UserError(str(failure), remedy="r asks again"))

    async def _talk_to(self, ready: ServeReady) -> Talk:
        if self._talk is None or self._talk.ready != ready:
            if self._talk is not None:
                await self._talk.close()
            self._talk = Talk(ready)
        return self._talk

    def action_vote(self, choice: Choice) -> None:
        """Say which reply of the newest pair is better; again to change one's mind."""
        if not self._can_vote:
            return
        self._conversation = self._conversation.put(len(self._conversation.exchanges) - 1, vote=choice)
        self._saved = False
        self._show_lines()
        self.run(self._vote(choice), "vote")

    async def _vote(self, choice: Choice) -> None:
        vote = vote_of(self._conversation, choice)
        self._votes = await self.studio.disk.write(keep_vote, self.session.workspace.studio, vote)
        self._saved = True
        self.keep_memory()
        self._show_lines()

    def action_fresh(self) -> None:
        """Begin again; the votes stay."""
        if self.busy:
            self.studio.tell("the replies are still coming; S stops them")
            return
        self._conversation = Conversation.new(self._run_id)
        self._show_conversation()
        self.keep_memory()
        self._show_lines()
        self.refresh_bindings()
