"""A conversation with both sides, what a person voted on its pairs of replies, and where both are kept.

Each is kept by its id, so that no window writes over another's conversation.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from studio.chatml import Frozen, Message, Messages, assistant, user
from studio.evaluate.types import Side
from studio.store import ChatVote

if TYPE_CHECKING:
    from studio.store import Documents
    from studio.tui.screens.stage import StageScreen

Choice = Literal["base", "tuned", "tie", "bad"]
CHOICES: dict[Choice, str] = {"base": "base", "tuned": "tuned", "tie": "tie", "bad": "both bad"}
SIDES: tuple[Side, Side] = ("base", "tuned")
VOTES, CONVERSATIONS = "votes", "conversations"
"""Tables."""


class Exchange(Frozen):
    """A user's turn and both replies; None where there is none yet."""

    user: str
    base: str | None = None
    tuned: str | None = None
    vote: Choice | None = None

    def reply(self, side: Side) -> str | None:
        return self.base if side == "base" else self.tuned

    @property
    def whole(self) -> bool:
        return self.base is not None and self.tuned is not None

    def turns(self, side: Side) -> list[Message]:
        reply = self.reply(side)
        return [user(self.user), *([assistant(reply)] if reply is not None else [])]


class Conversation(Frozen):
    """Each side goes on from its own replies. ``id`` tells the votes of two conversations apart."""

    id: str
    run_id: str = ""
    begun: datetime
    exchanges: tuple[Exchange, ...] = ()

    @classmethod
    def new(cls, run_id: str = "") -> Conversation:
        return cls(id=_new_id(), run_id=run_id, begun=datetime.now(UTC))

    @property
    def last(self) -> Exchange | None:
        return self.exchanges[-1] if self.exchanges else None

    def asked(self, side: Side) -> Messages:
        """What a side is sent: all turns up to the newest user's, without exchanges in which its reply is missing."""
        *before, last = self.exchanges
        answered = (one for one in before if one.reply(side) is not None)
        return (*(turn for one in answered for turn in one.turns(side)), user(last.user))

    def shown(self, side: Side) -> Messages:
        """What a side's pane shows."""
        return tuple(turn for one in self.exchanges for turn in one.turns(side))

    def add(self, text: str) -> Conversation:
        return self.model_copy(update={"exchanges": (*self.exchanges, Exchange(user=text))})

    def put(self, index: int, **changes: str | None) -> Conversation:
        """With one exchange changed."""
        exchanges = list(self.exchanges)
        exchanges[index] = exchanges[index].model_copy(update=changes)
        return self.model_copy(update={"exchanges": tuple(exchanges)})


def vote_of(conversation: Conversation, choice: Choice) -> ChatVote:
    """The vote on the newest pair; a second one replaces the first."""
    index, last = len(conversation.exchanges) - 1, conversation.exchanges[-1]
    return ChatVote(
        id=f"{conversation.id}-{index}",
        run_id=conversation.run_id,
        base_messages=(*conversation.asked("base"), assistant(last.base or "")),
        tuned_messages=(*conversation.asked("tuned"), assistant(last.tuned or "")),
        choice=choice,
        at=datetime.now(UTC),
    )


def keep_vote(documents: Documents, vote: ChatVote) -> Counter[Choice]:
    """Writes the disk, and counts every vote on that run."""
    documents.put(VOTES, vote.id, vote)
    return count_votes(documents, vote.run_id)


def count_votes(documents: Documents, run_id: str) -> Counter[Choice]:
    """Reads the disk."""
    return Counter(vote.choice for vote in documents.readable(VOTES, ChatVote, run_id=run_id))


def keep_conversation(documents: Documents, now: Conversation, before: Conversation | None) -> Conversation:
    """Write ``now`` in the place of ``before``, what this window wrote last of it; None where it never did.

    Where another window went on from ``before`` too, that stays, and ``now`` is kept beside it under an id of its own,
    which comes back. Writes the disk.
    """
    ours = (None, before, now)
    kept = documents.update(CONVERSATIONS, now.id, Conversation, lambda there: now if there in ours else there)
    if kept != now:
        kept = now.model_copy(update={"id": _new_id()})
        documents.put(CONVERSATIONS, kept.id, kept)
    return kept


def conversations(documents: Documents) -> list[Conversation]:
    """All, the one that was begun last first. Reads the disk."""
    return sorted(documents.all(CONVERSATIONS, Conversation), key=lambda one: one.begun, reverse=True)


class History:
    """``now`` is the conversation that is open, kept after each turn: nothing is left before it is on the disk."""

    def __init__(self, screen: StageScreen) -> None:
        self.now = Conversation.new()
        self._kept: Conversation | None = None
        """``now`` as this window wrote or read it last."""
        self._keeping = asyncio.Lock()
        self._screen = screen

    @property
    def _documents(self) -> Documents:
        return self._screen.session.workspace.documents

    def open(self, other: Conversation, *, kept: bool = False) -> None:
        """``kept``: as it is on the disk."""
        self.now, self._kept = other, other if kept else None

    async def find(self, id: str) -> Conversation | None:
        return await self._screen.studio.disk.read(self._documents.get, CONVERSATIONS, id, Conversation)

    async def all(self) -> list[Conversation]:
        """With the one that is open, the newest first."""
        await self.keep()
        return await self._screen.studio.disk.read(conversations, self._documents)

    async def keep(self) -> None:
        """One write at a time, so that each knows what the one before it wrote. Raises UserError where it cannot be."""
        async with self._keeping:
            now, before = self.now, self._kept
            if not now.exchanges or now == before:
                return
            kept = await self._screen.studio.disk.write(keep_conversation, self._documents, now, before)
            if self.now.id == now.id:
                self._kept = kept
                self.now = self.now.model_copy(update={"id": kept.id})
            if kept.id != now.id:
                self._screen.studio.tell("another window went on with this conversation: yours is kept beside it")


def _new_id() -> str:
    return secrets.token_hex(4)
