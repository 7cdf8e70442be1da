"""The conversation that is open: kept after each turn, left for a new one, and found again among those before it."""

from __future__ import annotations

import asyncio

from studio.tui.dialogs.pick import Pick
from studio.tui.live.state import Value
from studio.tui.screens.chat.conversation import Conversation, conversations, find_conversation, keep_conversation
from studio.tui.screens.chat.parts import conversation_line, searched
from studio.tui.screens.job_stage import JobStage


class Keeping(JobStage):
    """What was said is on the disk with every look at what there is to remember; the screen remembers which is open."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.conversation = Conversation.new()
        self._kept: Conversation | None = None
        """The open one as this window wrote or read it last."""
        self._wanted = ""
        """The id of the one to open once it is read."""
        self._keeping = asyncio.Lock()

    @property
    def busy(self) -> bool:
        """Whether replies are on their way."""
        raise NotImplementedError

    def show_conversation(self, *, to_bottom: bool = True) -> None:
        raise NotImplementedError

    def show_lines(self) -> None:
        raise NotImplementedError

    def recall(self, state: dict[str, Value]) -> None:
        self._wanted = str(state.get("conversation") or "")
        self.open_conversation(Conversation.new())

    def remember(self) -> dict[str, Value]:
        return {"conversation": self._wanted or self.conversation.id}

    def open_conversation(self, conversation: Conversation, *, kept: bool = False) -> None:
        """Show it in the place of what was open. ``kept``: as it is on the disk."""
        self.conversation, self._kept = conversation, conversation if kept else None
        self.show_conversation()
        self.show_lines()
        self.refresh_bindings()

    async def reopen(self) -> None:
        """Open what was open when the window closed."""
        if self._wanted:
            found = await self.studio.disk.read(find_conversation, self.session.workspace.studio, self._wanted)
            if found is not None and not self.conversation.exchanges:
                self.open_conversation(found, kept=True)
            self._wanted = ""

    async def memory_kept(self) -> None:
        if self.studio.memory is self._recalled:
            await self._conversation_kept()
        await super().memory_kept()

    async def _conversation_kept(self) -> None:
        """One write at a time, so that each knows what the one before it wrote."""
        async with self._keeping:
            now, before = self.conversation, self._kept
            if not now.exchanges or now == before:
                return
            file = self.session.workspace.studio
            kept = await self.studio.disk.write(keep_conversation, file, now, before)
            if self.conversation.id == now.id:
                self._kept = kept
                self.conversation = self.conversation.model_copy(update={"id": kept.id})
            if kept.id != now.id:
                self.studio.tell("another window went on with this conversation: yours is kept beside it")

    def action_fresh(self) -> None:
        """Begin again; what was said is kept, with its votes."""
        if not self._told_busy():
            self.run(self.leave_for(Conversation.new()), "conversation", keys_wait=True)

    def action_earlier(self) -> None:
        """Choose one of the conversations before this one."""
        if not self._told_busy():
            self.run(self._offer(), "conversation", keys_wait=True)

    def _told_busy(self) -> bool:
        if self.busy:
            self.studio.tell("the replies are still coming; S stops them")
        return self.busy

    async def leave_for(self, other: Conversation, *, kept: bool = False) -> None:
        """Nothing is left before it is on the disk. Raises UserError where it cannot be written."""
        await self._conversation_kept()
        self.open_conversation(other, kept=kept)
        self.keep_memory()

    async def _offer(self) -> None:
        await self._conversation_kept()
        found = await self.studio.disk.read(conversations, self.session.workspace.studio)
        if not found:
            self.studio.tell("there is no conversation yet")
            return

        def take(index: int | str | None) -> None:
            if isinstance(index, int):
                self.run(self.leave_for(found[index], kept=True), "conversation")

        lines = [conversation_line(one) for one in found]
        self.app.push_screen(Pick("which conversation", [searched(one) for one in found], lines), take)
