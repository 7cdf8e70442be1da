"""Talking to both sides at once: base on the left, tuned on the right, from one worker."""

from __future__ import annotations

import asyncio

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.worker import Worker

from studio.build.runs import chosen_run
from studio.errors import UserError
from studio.train.types import Run
from studio.tui.dialogs.pick import Pick
from studio.tui.keys import bindings
from studio.tui.live.state import Value
from studio.tui.screens.chat.conversation import SIDES, Choice, Conversation, History
from studio.tui.screens.chat.lines import conversation_line, pane_title, searched, votes_line, worker_line
from studio.tui.screens.chat.models import ServedModels
from studio.tui.screens.chat.panes import Composer, Transcript
from studio.tui.screens.chat.saving import Saving, savable
from studio.tui.screens.chat.voting import Voting
from studio.tui.screens.job_stage import JobStage, job_failed
from studio.tui.widgets.status import Caption, Title

NOTHING_SAID = "Nothing said yet. Press enter and write to both sides."
READING = ("start", "stop", "log", "write", "vote", "save", "fresh", "earlier", "again")
"""Actions for when no message is being written."""


class ChatScreen(JobStage):
    """What was said is kept after each turn. The worker may end once the screen is left."""

    CSS_PATH = "chat.tcss"
    BINDINGS = [*bindings("chat"), *bindings("job")]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._panes = {side: Transcript(side, NOTHING_SAID) for side in SIDES}
        self._titles = {side: Caption(pane_title(side, ""), id=f"{side}-title") for side in SIDES}
        self._composer = Composer("enter: write to both sides", "composer")
        self.history = History(self)
        self._voting, self._saving = Voting(self), Saving(self)
        self._wanted = ""
        """The id of the conversation to open once it is read."""
        self._models = ServedModels()
        self._trained: Run | None = None
        """The run that is talked to."""
        self._answering: Worker[None] | None = None
        self._read_for: object = None

    def body(self) -> ComposeResult:
        with Horizontal(id="panes"):
            for side in SIDES:
                with Vertical(id=f"{side}-pane"):
                    yield self._titles[side]
                    yield self._panes[side]
        yield Title("worker")
        yield Caption(id="votes")
        yield self._composer

    def on_mount(self) -> None:
        self.back()

    @property
    def run_id(self) -> str:
        return self._trained.plan.run_id if self._trained else ""

    @property
    def _busy(self) -> bool:
        """Whether replies are on their way."""
        return self._answering is not None and self._answering.is_running

    def recall(self, state: dict[str, Value]) -> None:
        if self._answering:
            self._answering.cancel()
        self._wanted = str(state.get("conversation") or "")
        self._open(Conversation.new())
        self._read_for = None
        self._composer.write(str(state.get("draft") or ""))

    def remember(self) -> dict[str, Value]:
        return {"conversation": self._wanted or self.history.now.id, "draft": self._composer.text}

    async def memory_kept(self) -> None:
        if self.studio.memory is self._recalled:
            await self.history.keep()
        await super().memory_kept()

    def sync(self) -> None:
        wanted = self.studio.marks.get("train"), self.session.loaded.hash
        if wanted != self._read_for:
            self._read_for = wanted
            self.run(self._read(), "read", exclusive=True, keys_wait=True)
        self.show_lines()

    async def _read(self) -> None:
        """Which run is talked to, its votes, and what was open when the window closed."""
        disk, session = self.studio.disk, self.session
        self._trained = await disk.read(chosen_run, session.workspace)
        await self._voting.read()
        if self._wanted:
            found = await self.history.find(self._wanted)
            if found is not None and not self.history.now.exchanges:
                self._open(found, kept=True)
            self._wanted = ""
        self.show_lines()

    def show_lines(self) -> None:
        now = self.history.now
        talked_to = now.run_id if now.exchanges else self.run_id
        self._titles["tuned"].show(pane_title("tuned", talked_to))
        self.query_one(Title).show(worker_line(self.job, self.run_id), whole=job_failed(self.job))
        keys = "esc, then " if self._composer.has_focus else ""
        votes = self._voting
        told = votes_line(votes.counts, now.last, votes.on_its_way, keys, self._busy)
        self.query_one("#votes", Caption).show(told)

    def _show_conversation(self, *, to_bottom: bool = True) -> None:
        for side, pane in self._panes.items():
            pane.show(self.history.now.shown(side), to_bottom=to_bottom)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a message is written, letters are letters."""
        if not self.is_mounted:
            return True
        if action in READING and self._composer.has_focus:
            return False
        if action == "vote":
            last = self.history.now.last
            return last is not None and last.whole and not self._busy
        if action == "save":
            return bool(savable(self.history.now)) and not self._busy
        return (action == "stop" and self._busy) or super().check_action(action, parameters)

    def on_descendant_focus(self) -> None:
        self.refresh_bindings()
        self.show_lines()

    def back(self) -> None:
        self._panes["tuned"].focus()

    def action_write(self) -> None:
        self._composer.focus()

    @on(Composer.Sent)
    def _sent(self, event: Composer.Sent) -> None:
        if not event.text.strip():
            return
        if self._busy:
            self.studio.tell("the replies are still coming; your message stays where it is")
        elif self._trained is None:
            self.studio.tell("no run was trained to its end yet: train one first (5)", "warning")
        else:
            self.run(self._say(event.text.strip()), "say", keys_wait=True)

    async def _say(self, text: str) -> None:
        """Send, and leave the line: the next keys are votes, or enter for the next message. A conversation is with one
        run: what another one said is not put into this one's mouth."""
        before = self.history.now
        if before.run_id != self.run_id:
            if before.exchanges:
                self.studio.tell(f"{before.run_id} was talked to before: a new conversation with {self.run_id}")
            await self._leave_for(Conversation.new(self.run_id))
        self._composer.write("")
        self.back()
        self.history.now = self.history.now.add(text)
        self._ask()

    def action_start(self) -> None:
        """Load the worker before anything is asked."""
        self.run(self._load(), "worker")

    async def _load(self) -> None:
        if self._trained is None:
            raise UserError("no run was trained to its end yet", remedy="train one first (5)")
        try:
            await self._models.load(self.session.workspace.jobs_dir, self._trained)
        finally:
            self.studio.wake()

    def _tick(self) -> None:
        super()._tick()
        if not self._busy and (self.studio.active_stage is not self or self._models.idle):
            self._models.leave()

    def action_stop(self) -> None:
        """Stop the replies; where there are none on their way, the worker."""
        if self._answering and self._busy:
            self._answering.cancel()
            self.studio.tell("the replies were stopped")
        else:
            self.halt()

    def action_again(self) -> None:
        """Ask for what is missing of the newest pair, as after a worker that died."""
        now = self.history.now
        if now.last is None or now.last.whole:
            self.studio.tell("nothing is missing: both sides have replied")
        elif now.run_id != self.run_id:
            self.studio.tell(f"this conversation is with {now.run_id}: n begins one with {self.run_id}")
        elif not self._busy:
            self._ask()

    def _ask(self) -> None:
        """Send the newest turn to the sides that have not replied to it."""
        self._show_conversation()
        self.keep_memory()
        self._answering = self.run_worker(self._told(self._answer()), group="answer")
        self.show_lines()

    async def _answer(self) -> None:
        """Both sides at once; what came whole is kept, whatever became of the other."""
        await self._load()
        asked = self.history.now
        index = len(asked.exchanges) - 1
        missing = [side for side in SIDES if asked.exchanges[index].reply(side) is None]
        for side in missing:
            self._panes[side].begin()
        answers = (self._models.reply(side, asked.asked(side), self._panes[side].append) for side in missing)
        try:
            found = await asyncio.gather(*answers, return_exceptions=True)
        except asyncio.CancelledError:
            self._show_conversation(to_bottom=False)  # without the halves
            raise
        for side, reply in zip(missing, found, strict=True):
            if isinstance(reply, str):
                self.history.now = self.history.now.put(index, **{side: reply})
        self._show_conversation(to_bottom=False)
        self.keep_memory()
        failure = next((one for one in found if isinstance(one, BaseException)), None)
        if isinstance(failure, UserError):
            self.studio.tell(UserError(str(failure), remedy="r asks again"))
        elif failure is not None:
            raise failure

    @on(Worker.StateChanged)
    def _settled(self, event: Worker.StateChanged) -> None:
        if event.worker is self._answering and not self._busy:
            self.show_lines()
            self.refresh_bindings()

    def action_vote(self, choice: Choice) -> None:
        self._voting.vote(choice)

    def action_save(self) -> None:
        self._saving.offer(self.history.now)

    def action_fresh(self) -> None:
        """Begin again; what was said is kept, with its votes."""
        if not self._refused():
            self.run(self._leave_for(Conversation.new()), "conversation", keys_wait=True)

    def action_earlier(self) -> None:
        """Choose one of the conversations before this one."""
        if not self._refused():
            self.run(self._offer(), "conversation", keys_wait=True)

    def _refused(self) -> bool:
        if self._busy:
            self.studio.tell("the replies are still coming; S stops them")
        return self._busy

    async def _offer(self) -> None:
        found = await self.history.all()
        if not found:
            self.studio.tell("there is no conversation yet")
            return

        def take(index: int | str | None) -> None:
            if isinstance(index, int):
                self.run(self._leave_for(found[index], kept=True), "conversation")

        lines = [conversation_line(one) for one in found]
        self.app.push_screen(Pick("which conversation", [searched(one) for one in found], lines), take)

    async def _leave_for(self, other: Conversation, *, kept: bool = False) -> None:
        """Nothing is left before it is on the disk. Raises UserError where it cannot be written."""
        await self.history.keep()
        self._open(other, kept=kept)
        self.keep_memory()

    def _open(self, other: Conversation, *, kept: bool = False) -> None:
        """Show it in the place of what was open. ``kept``: as it is on the disk."""
        self.history.open(other, kept=kept)
        self._show_conversation()
        self.show_lines()
        self.refresh_bindings()
