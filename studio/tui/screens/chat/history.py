"""The conversation that is open, kept after each turn, and those before it."""

from __future__ import annotations

import asyncio

from studio.store import StudioFile
from studio.tui.screens.chat.conversation import Conversation, conversations, find_conversation, keep_conversation
from studio.tui.screens.stage import StageScreen


class History:
    """``now`` is the one that is open; nothing is left before it is on the disk."""

    def __init__(self, screen: StageScreen) -> None:
        self.now = Conversation.new()
        self._kept: Conversation | None = None
        """``now`` as this window wrote or read it last."""
        self._keeping = asyncio.Lock()
        self._screen = screen

    @property
    def _file(self) -> StudioFile:
        return self._screen.session.workspace.studio

    def open(self, other: Conversation, *, kept: bool = False) -> None:
        """``kept``: as it is on the disk."""
        self.now, self._kept = other, other if kept else None

    async def find(self, id: str) -> Conversation | None:
        return await self._screen.studio.disk.read(find_conversation, self._file, id)

    async def all(self) -> list[Conversation]:
        """With the one that is open, the newest first."""
        await self.keep()
        return await self._screen.studio.disk.read(conversations, self._file)

    async def keep(self) -> None:
        """One write at a time, so that each knows what the one before it wrote. Raises UserError where it cannot be."""
        async with self._keeping:
            now, before = self.now, self._kept
            if not now.exchanges or now == before:
                return
            kept = await self._screen.studio.disk.write(keep_conversation, self._file, now, before)
            if self.now.id == now.id:
                self._kept = kept
                self.now = self.now.model_copy(update={"id": kept.id})
            if kept.id != now.id:
                self._screen.studio.tell("another window went on with this conversation: yours is kept beside it")
