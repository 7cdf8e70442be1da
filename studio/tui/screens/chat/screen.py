"""Talking to both sides at once: base on the left, tuned on the right, from one worker."""

from __future__ import annotations

from collections import Counter

from textual import on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical

from studio.evaluate.types import Side
from studio.tui.keys import bindings
from studio.tui.live.runs import chosen_run
from studio.tui.live.state import Value
from studio.tui.screens.chat.composer import Composer
from studio.tui.screens.chat.conversation import SIDES, Conversation, count_votes
from studio.tui.screens.chat.parts import pane_title, votes_line, worker_line
from studio.tui.screens.chat.transcript import Transcript
from studio.tui.screens.chat.voting import Voting
from studio.tui.screens.job_stage import job_failed
from studio.tui.widgets.status import Caption, Title

NOTHING_SAID = "Nothing said yet. Press enter and write to both sides."
PLACEHOLDER = "enter: write to both sides"
READING = ("start", "stop", "log", "write", "vote", "fresh", "earlier", "again")
"""Actions for when no message is being written."""


class ChatScreen(Voting):
    """What was said is kept after each turn. Hearing the replies, and voting on them, are in the two classes that it
    builds on."""

    CSS_PATH = "chat.tcss"
    BINDINGS = [*bindings("chat"), *bindings("job")]

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self._read_for: object = None

    def body(self) -> ComposeResult:
        with Horizontal(id="panes"):
            for side in SIDES:
                with Vertical(id=f"{side}-pane"):
                    yield Caption(pane_title(side, ""), id=f"{side}-title")
                    yield Transcript(id=side, empty=NOTHING_SAID)
        yield Title("worker")
        yield Caption(id="votes")
        yield Composer(PLACEHOLDER, id="composer")

    def on_mount(self) -> None:
        self.query_one("#tuned").focus()

    @property
    def composer(self) -> Composer:
        return self.query_one(Composer)

    def pane(self, side: Side) -> Transcript:
        return self.query_one(f"#{side}", Transcript)

    def recall(self, state: dict[str, Value]) -> None:
        self.hush()
        super().recall(state)
        self._read_for = None
        self.composer.write(str(state.get("draft") or ""))

    def remember(self) -> dict[str, Value]:
        return {**super().remember(), "draft": self.composer.text}

    def sync(self) -> None:
        wanted = self.studio.marks.get("train"), self.session.loaded.hash
        if wanted != self._read_for:
            self._read_for = wanted
            self.run(self._read(), "read", exclusive=True, keys_wait=True)
        self.show_lines()

    async def _read(self) -> None:
        disk, session = self.studio.disk, self.session
        self.trained = await disk.read(chosen_run, session)
        self.votes = await disk.read(count_votes, session.workspace.studio, self.run_id) if self.trained else Counter()
        await self.reopen()
        self.show_lines()

    def show_lines(self) -> None:
        talked_to = self.conversation.run_id if self.conversation.exchanges else self.run_id
        self.query_one("#tuned-title", Caption).show(pane_title("tuned", talked_to))
        self.query_one(Title).show(worker_line(self.job, self.run_id), whole=job_failed(self.job))
        votes = votes_line(
            self.votes,
            self.conversation,
            on_its_way=self.vote_on_its_way,
            busy=self.busy,
            writing=self.composer.has_focus,
        )
        self.query_one("#votes", Caption).show(votes)

    def show_conversation(self, *, to_bottom: bool = True) -> None:
        for side in SIDES:
            self.pane(side).show(self.conversation.shown(side), {"assistant": side}, to_bottom=to_bottom)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """While a message is written, letters are letters."""
        if not self.is_mounted:
            return True
        if action in READING and self.composer.has_focus:
            return False
        if action == "vote":
            return self.can_vote
        if action == "stop":
            return self.busy or bool(super().check_action(action, parameters))
        return super().check_action(action, parameters)

    def on_descendant_focus(self) -> None:
        self.refresh_bindings()
        self.show_lines()

    def back(self) -> None:
        self.query_one("#tuned").focus()

    def action_write(self) -> None:
        self.composer.focus()

    @on(Composer.Sent)
    def _sent(self, event: Composer.Sent) -> None:
        if not event.text.strip():
            return
        if self.busy:
            self.studio.tell("the replies are still coming; your message stays where it is")
        elif self.trained is None:
            self.studio.tell("no run was trained to its end yet: train one first (5)", "warning")
        else:
            self.run(self._say(event.text.strip()), "say", keys_wait=True)

    async def _say(self, text: str) -> None:
        """Send, and leave the line: the next keys are votes, or enter for the next message."""
        if self.conversation.run_id != self.run_id:
            await self._another_run()
        self.composer.write("")
        self.back()
        self.conversation = self.conversation.add(text)
        self.ask()

    async def _another_run(self) -> None:
        """A conversation is with one run: what another one said is not put into this one's mouth."""
        if self.conversation.exchanges:
            self.studio.tell(f"{self.conversation.run_id} was talked to before: a new conversation with {self.run_id}")
        await self.leave_for(Conversation.new(self.run_id))
