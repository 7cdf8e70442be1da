"""Work that may take minutes and is no job: one piece at a time in a thread of its own, told as it goes, given up by
escape."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, TypeVar

from textual.content import Content
from textual.timer import Timer

from studio.tui.live.threads import detached
from studio.tui.text import join

T = TypeVar("T")
Every = Callable[[float, Callable[[], object]], Timer]
LOOK_S = 0.25


class GivenUp(Exception):  # noqa: N818 - a wish, not a fault
    """Raised in the thread where a person gave the work up."""


class Progress(Protocol):
    """How far the work is; raises :class:`GivenUp` where nobody wants it any more."""

    def __call__(self, done: int, whole: int = 0, doing: str = "") -> None: ...


class Work:
    """``look`` is called four times a second while something is under way, and once after."""

    def __init__(self, look: Callable[[], object], say: Callable[[str], object], every: Every) -> None:
        """``say`` tells a person that something is under way already; ``every(seconds, call)`` gives a timer."""
        self._look, self._say, self._every = look, say, every
        self._doing, self._done, self._whole = "", 0, 0
        self._given_up = False

    @property
    def busy(self) -> bool:
        return bool(self._doing)

    @property
    def told(self) -> Content:
        """``comparing 2048 of 100000, escape gives it up``; nothing where nothing is under way."""
        if not self._doing:
            return Content("")
        whole = f" of {self._whole:,}" if self._whole else ""
        count = f" {self._done:,}{whole}" if self._done or self._whole else ""
        return join((f"{self._doing}{count}", "$primary bold"), (", escape gives it up", "$quiet"))

    def give_up(self) -> bool:
        """Whether there was something."""
        self._given_up = self.busy
        return self.busy

    async def do(self, doing: str, function: Callable[[Progress], T]) -> T | None:
        """What ``function`` gives, which is called in a thread; None where it was given up, or something else is under
        way. Raises what it raises."""
        if self.busy:
            self._say(f"{self._doing}: wait for it, or escape gives it up")
            return None
        self._doing, self._done, self._whole, self._given_up = doing, 0, 0, False
        timer = self._every(LOOK_S, self._look)
        self._look()
        try:
            return await detached(function, self._progress)
        except GivenUp:
            self._say(f"given up: {self._doing}; nothing was changed")
            return None
        finally:
            self._doing = ""
            timer.stop()
            self._look()

    def _progress(self, done: int, whole: int = 0, doing: str = "") -> None:
        if self._given_up:
            raise GivenUp
        self._done, self._whole, self._doing = done, whole, doing or self._doing
