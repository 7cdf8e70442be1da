"""Voting on the newest pair of replies: a vote is shown at once, and kept with its conversation once it is on the
disk."""

from __future__ import annotations

from collections import Counter, deque
from typing import TYPE_CHECKING

from studio.tui.screens.chat.conversation import Choice, Conversation, count_votes, keep_vote, vote_of

if TYPE_CHECKING:
    from studio.tui.screens.chat.screen import ChatScreen


class Voting:
    """``counts`` are the votes of the run that is talked to, as the disk has them."""

    def __init__(self, screen: ChatScreen) -> None:
        self._screen = screen
        self.counts: Counter[Choice] = Counter()
        self._writing: deque[tuple[Conversation, Choice]] = deque()
        """Votes on their way to the disk, each with what it is about, in the order of the keys."""

    async def read(self) -> None:
        screen = self._screen
        self.counts = await screen.studio.disk.read(count_votes, screen.session.workspace.documents, screen.run_id)

    @property
    def on_its_way(self) -> Choice | None:
        """The newest vote on the newest pair, while it is not on the disk."""
        now = self._screen.history.now
        about, choice = self._writing[-1] if self._writing else (None, None)
        return choice if about and (about.id, len(about.exchanges)) == (now.id, len(now.exchanges)) else None

    def vote(self, choice: Choice) -> None:
        """Which reply of the newest pair is better; again to change one's mind."""
        now = self._screen.history.now
        self._writing.append((now, choice))
        self._screen.run(self._keep(now, choice), "vote")
        self._screen.show_lines()

    async def _keep(self, about: Conversation, choice: Choice) -> None:
        screen = self._screen
        try:
            documents = screen.session.workspace.documents
            votes = await screen.studio.disk.write(keep_vote, documents, vote_of(about, choice))
            if about.run_id == screen.run_id:
                self.counts = votes
            if screen.history.now.id == about.id:
                screen.history.now = screen.history.now.put(len(about.exchanges) - 1, vote=choice)
                screen.keep_memory()
        finally:
            self._writing.popleft()
            screen.show_lines()
