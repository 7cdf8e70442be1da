"""Keys take effect one after another, also when they come faster than what they open is there."""

from __future__ import annotations

import asyncio
from collections import deque

from textual.app import App
from textual.await_complete import AwaitComplete
from textual.events import Event, Key
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen

PATIENCE_S = 0.5
"""A key whose end is not heard of (its widget went away meanwhile) holds the next ones up for so long."""


class OrderedKeys(App[None]):
    """Textual hands a key to the focused widget at once, even while the action of the key before it still waits in a
    queue: of ``r`` ``t`` typed fast, the ``t`` misses the dialog that ``r`` opens. Here the next key is handed out
    when a marker sent behind the last one has come back, and a new screen has its focus."""

    class KeyDone(Message):
        """Follows a key through the same queues, and a second time what the key made its widget say."""

        def __init__(self, number: int, target: MessagePump, lap: int = 1) -> None:
            super().__init__()
            self.number, self.target, self.lap = number, target, lap

    def __init__(self) -> None:
        super().__init__()
        self._held: deque[Key] = deque()
        self._number = 0
        self._on_its_way = False
        self._screen_before: Screen[object] | None = None
        self._patience: asyncio.TimerHandle | None = None

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key) or event.is_forwarded:
            await super().on_event(event)
        elif self._on_its_way:
            self._held.append(event)
        else:
            await self._hand_out(event)

    async def _hand_out(self, event: Key) -> None:
        self._on_its_way, self._number = True, self._number + 1
        number, self._screen_before = self._number, self.screen
        self._patience = asyncio.get_running_loop().call_later(PATIENCE_S, self._next, number)
        target = self.focused or self.screen
        await super().on_event(event)
        if not target.post_message(self.KeyDone(number, target)):
            self._done(number)

    def on_ordered_keys_key_done(self, message: KeyDone) -> None:
        again = self.KeyDone(message.number, message.target, message.lap + 1)
        if message.lap > 1 or not message.target.post_message(again):
            self._done(message.number)

    def pop_screen(self) -> AwaitComplete:
        """A screen that goes takes the marker with it: its going is the key's effect."""
        gone = super().pop_screen()
        if self._on_its_way:
            self.call_later(self._done, self._number)
        return gone

    def _done(self, number: int) -> None:
        """The key had its effect. A screen that it opened takes the next one when it has its focus."""
        if self.screen is self._screen_before:
            self._next(number)
        else:
            self.screen.call_later(self._next, number)

    def _next(self, number: int) -> None:
        if number != self._number or not self._on_its_way:
            return
        self._on_its_way = False
        if self._patience is not None:
            self._patience.cancel()
        if self._held:
            self.post_message(self._held.popleft())
