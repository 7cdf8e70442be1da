"""Progress: whether anything is left to do, how fast it goes, and which calls failed."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable

from studio.generate.ledger import Ledger
from studio.generate.recorded import Recordings, read_recordings
from studio.generate.types import CallFailed
from studio.llm import ModelError, ModelSettings
from studio.spec import LoadedSpec
from studio.store import Judgement, Workspace

MOST_IN_A_ROW = 10
"""So many calls that the server fails for good one after the other, each after its own retries, end the run."""
_OUTCOMES = ("refused", "malformed")
"""What is an outcome of its example alone, however often it comes."""
_WINDOW_S, _EVERY_S, _EVERY_HELD_UP_S = 30.0, 0.5, 5.0
_LEAST = 3
"""Accepted examples before an estimate of the end means anything."""


def unfinished(loaded: LoadedSpec, workspace: Workspace, settings: ModelSettings, examples: int | None = None) -> bool:
    """Whether generating has anything to do: a category short of its target, or a recording to play on."""
    played = {name for _, name in workspace.examples.ids()}
    left = (
        Recordings(read_recordings(loaded), played).left() if settings.author_offline and loaded.recorded_path else None
    )
    ledger = Ledger(loaded, workspace, examples, left=left)
    return bool(ledger.short()) or (left is not None and ledger.wants)


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

    def due(self, *, held_up: bool = False) -> bool:
        """Whether to tell how it stands: at most twice a second, and more rarely while it is ``held_up``."""
        if self._clock() - self._told < (_EVERY_HELD_UP_S if held_up else _EVERY_S):
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


class Failures:
    """Counts failed calls. ``fatal`` is the error that ends the run: the first that no other call can do better than,
    or the last of many that the server failed. A refusal or a malformed answer is an outcome of its example."""

    def __init__(self) -> None:
        self.count = 0
        self.last = ""
        self.fatal: ModelError | None = None
        self._in_a_row = 0

    def wrote_nothing(self, error: ModelError, scenario: str) -> CallFailed | None:
        """The author failed; None where the call was not sent because of a stop, or of the budget."""
        return self._failed("author", error, scenario)

    def judged(self, judgement: Judgement, error: ModelError | None, scenario: str) -> CallFailed | None:
        """A judgement came, or the ``error`` of its call: the event of its failure, or None where it is one."""
        if judgement.verdict != "error":
            self._in_a_row = 0
            return None
        return self._failed("judge", error or ModelError("server", judgement.error or "the judge failed"), scenario)

    def _failed(self, purpose: str, error: ModelError, scenario: str) -> CallFailed | None:
        if error.kind == "budget":  # nothing failed: many at once are not sent, for the one reason that ends the run
            self.fatal = self.fatal or error
        if error.kind in ("stopped", "budget"):
            return None
        self.count, self.last = self.count + 1, str(error)
        if error.fatal:
            self.fatal = self.fatal or error
        elif error.kind not in _OUTCOMES:
            self._again(error)
        return CallFailed(purpose=purpose, error=str(error), scenario=scenario)

    def _again(self, error: ModelError) -> None:
        self._in_a_row += 1
        if self._in_a_row >= MOST_IN_A_ROW and self.fatal is None:
            self.fatal = ModelError(error.kind, f"{self._in_a_row} calls in a row failed, the last with: {error}")
