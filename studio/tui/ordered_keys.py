"""Keys take effect one after another, also when they come faster than what they open is there."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from textual.app import App
from textual.await_complete import AwaitComplete
from textual.events import Event, Key
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen

PATIENCE_S = 0.5
"""A key whose end is not heard of (its widget went away meanwhile) holds the next ones up for so long."""
HELD_S = 3.0
"""And one that began something which has not ended yet, such as reading another list from a slow disk."""


class OrderedKeys(App[None]):
    """Textual hands a key to the focused widget at once, even while the action of the key before it still waits in a
    queue: of ``r`` ``t`` typed fast, the ``t`` misses the dialog that ``r`` opens. Here the next key is handed out
    when a marker sent behind the last one has come back, a new screen has its focus, and what the key began off the
    UI thread has put the cursor where it belongs (``keys_held``)."""

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
        self._marked_done = False
        """Whether the marker of the key on its way is back, and only the holders are waited for."""
        self._holders: set[object] = set()
        self._screen_before: Screen[object] | None = None
        self._patience: asyncio.TimerHandle | None = None

    def hold_keys(self, holder: object) -> None:
        """What the next key meets depends on ``holder``: hand none out until it frees them."""
        self._holders.add(holder)

    def free_keys(self, holder: object) -> None:
        """``holder`` is done, if it held any."""
        self._holders.discard(holder)
        if self._marked_done:
            self._next(self._number)

    @contextmanager
    def keys_held(self) -> Iterator[None]:
        """Hold the keys while something runs that moves the cursor or changes what is under it."""
        holder = object()
        self.hold_keys(holder)
        try:
            yield
        finally:
            self.free_keys(holder)

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
        self._wait_at_most(PATIENCE_S)
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
        if self._holders:
            self._marked_done = True
            self._wait_at_most(HELD_S)
            return
        self._on_its_way = self._marked_done = False
        if self._patience is not None:
            self._patience.cancel()
        if self._held:
            self.post_message(self._held.popleft())

    def _wait_at_most(self, seconds: float) -> None:
        if self._patience is not None:
            self._patience.cancel()
        self._patience = asyncio.get_running_loop().call_later(seconds, partial(self._give_up, self._number))

    def _give_up(self, number: int) -> None:
        if number == self._number:
            self._holders.clear()
            self._next(number)
