"""How fast it goes and when it will be done."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

_WINDOW_S = 30.0
_EVERY_S = 0.5
_LEAST = 3
"""Accepted examples before an estimate of the end means anything."""


class Meter:
    """Rates over the last half minute. ``clock`` is in seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._began = clock()
        self._landed: deque[tuple[float, bool]] = deque()
        self._told = self._began

    @property
    def seconds(self) -> float:
        return self._clock() - self._began

    def landed(self, accepted: bool) -> None:
        self._landed.append((self._clock(), accepted))

    def due(self) -> bool:
        """Whether to tell how it stands: at most twice a second."""
        if self._clock() - self._told < _EVERY_S:
            return False
        self._told = self._clock()
        return True

    def rate(self) -> float:
        """Examples a second."""
        return len(self._recent()) / self._span()

    def eta_s(self, missing: int) -> float | None:
        """Seconds until ``missing`` more are accepted; None while too few were."""
        accepted = sum(good for _, good in self._recent())
        return missing * self._span() / accepted if accepted >= _LEAST else None

    def _span(self) -> float:
        return max(1e-3, min(_WINDOW_S, self.seconds))

    def _recent(self) -> deque[tuple[float, bool]]:
        while self._landed and self._landed[0][0] < self._clock() - _WINDOW_S:
            self._landed.popleft()
        return self._landed
