"""Saying which of two replies is better: shown at once, and kept with the conversation once it is on the disk."""

from __future__ import annotations

from collections import Counter, deque

from studio.tui.screens.chat.answering import Answering
from studio.tui.screens.chat.conversation import Choice, Conversation, keep_vote, vote_of


class Voting(Answering):
    """Votes on the newest pair of replies."""

    def __init__(self, id: str) -> None:
        super().__init__(id)
        self.votes: Counter[Choice] = Counter()
        """Of the run that is talked to, as the disk has them."""
        self._writing: deque[tuple[Conversation, Choice]] = deque()
        """Votes on their way to the disk, each with what it is about, in the order of the keys."""

    @property
    def can_vote(self) -> bool:
        last = self.conversation.last
        return last is not None and last.whole and not self.busy

    @property
    def vote_on_its_way(self) -> Choice | None:
        """The newest one, where it is about the newest pair."""
        about, choice = self._writing[-1] if self._writing else (None, None)
        return choice if about is not None and _same_pair(about, self.conversation) else None

    def action_vote(self, choice: Choice) -> None:
        """Say which reply of the newest pair is better; again to change one's mind."""
        if self.can_vote:
            self._writing.append((self.conversation, choice))
            self.run(self._vote(self.conversation, choice), "vote")
            self.show_lines()

    async def _vote(self, about: Conversation, choice: Choice) -> None:
        try:
            file = self.session.workspace.studio
            votes = await self.studio.disk.write(keep_vote, file, vote_of(about, choice))
            if about.run_id == self.run_id:
                self.votes = votes
            if self.conversation.id == about.id:
                self.conversation = self.conversation.put(len(about.exchanges) - 1, vote=choice)
                self.keep_memory()
        finally:
            self._writing.popleft()
            self.show_lines()


def _same_pair(one: Conversation, other: Conversation) -> bool:
    return one.id == other.id and len(one.exchanges) == len(other.exchanges)
