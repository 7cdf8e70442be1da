"""Keys take effect one after another, also when they come faster than what they open is there."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from typing import ClassVar

from textual.app import App
from textual.await_complete import AwaitComplete
from textual.events import Event, Key, Paste
from textual.message import Message
from textual.message_pump import MessagePump
from textual.screen import Screen

TICK_S = 0.05
PATIENCE = 10
"""A key whose end is not heard of (its widget went away meanwhile) holds the next ones up for so many ticks. A tick
that comes late does not count: then it is the window itself that is busy."""


class OrderedKeys(App[None]):
    """Textual hands a key to the focused widget at once, even while the action of the key before it still waits in a
    queue: of ``r`` ``t`` typed fast, the ``t`` misses the dialog that ``r`` opens. Here the next key is handed out
    when a marker sent behind the last one has come back, a new screen has its focus, and nobody holds the keys: a
    list does while it is read, and an action that goes on off the UI thread (``StageScreen.run``)."""

    HELD_S: ClassVar[float] = 3.0
    """So long do keys wait for what they are meant for, such as a list that comes from a slow disk."""

    @dataclass
    class KeyDone(Message):
        """Follows a key through the same queues, and a second time what the key made its widget say."""

        number: int
        target: MessagePump
        lap: int = 1

    class NextKey(Message):
        """It is the next key's turn."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[Key | Paste] = deque()
        self._number = 0
        self._on_its_way = False
        self._holders: dict[object, asyncio.TimerHandle] = {}
        self._turn_given = False
        self._screen_before: Screen[object] | None = None
        self._patience: asyncio.TimerHandle | None = None

    def hold_keys(self, holder: object, at_most: float | None = None) -> None:
        """What the next key meets depends on ``holder``: hand none out until it frees them, at the longest for
        ``at_most`` seconds (HELD_S)."""
        self._forget(holder)
        self._holders[holder] = asyncio.get_running_loop().call_later(at_most or self.HELD_S, self.free_keys, holder)

    def free_keys(self, holder: object) -> None:
        """``holder`` is done, if it held any."""
        self._forget(holder)
        self._go_on()

    def _forget(self, holder: object) -> None:
        timer = self._holders.pop(holder, None)
        if timer is not None:
            timer.cancel()

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key | Paste) or event.is_forwarded:
            await super().on_event(event)
        elif self._on_its_way or self._holders or self._waiting:
            self._waiting.append(event)
        else:
            await self._hand_out(event)

    def _go_on(self) -> None:
        if self._waiting and not (self._on_its_way or self._holders or self._turn_given):
            self._turn_given = self.post_message(self.NextKey())

    async def on_ordered_keys_next_key(self) -> None:
        """Not posted again as a key: one that is newer, and in the queue already, would be taken before it."""
        self._turn_given = False
        if self._waiting and not (self._on_its_way or self._holders):
            await self._hand_out(self._waiting.popleft())

    async def _hand_out(self, event: Key | Paste) -> None:
        self._on_its_way, self._number = True, self._number + 1
        number, self._screen_before = self._number, self.screen
        self._wait_for(number, PATIENCE)
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
            self._over(number)
        else:
            self.screen.call_later(self._over, number)

    def _over(self, number: int) -> None:
        if number == self._number and self._on_its_way:
            self._on_its_way = False
            if self._patience is not None:
                self._patience.cancel()
            self._go_on()

    def _wait_for(self, number: int, ticks: int) -> None:
        loop = asyncio.get_running_loop()
        due = loop.time() + TICK_S

        def tick() -> None:
            left = ticks - (loop.time() - due < TICK_S)
            if left > 0:
                self._wait_for(number, left)
            else:
                self._over(number)

        self._patience = loop.call_at(due, tick)
