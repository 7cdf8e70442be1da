"""One reply in the making: what is asked of it, and how its text comes out token by token."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tokenizers.decoders import DecodeStream

Finish = Literal["stop", "length"]


@dataclass(frozen=True)
class Asked:
    """One row of a batch. ``model`` is ``base`` or ``tuned``; ``temperature`` 0 takes the likeliest token."""

    model: str
    prompt: list[int]
    max_tokens: int
    temperature: float = 1.0
    top_p: float = 1.0
    seed: int = 0
    stop: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """What came out since the last part. ``finish`` is set on the last one; ``tokens`` counts the reply so far."""

    text: str
    tokens: int
    finish: Finish | None = None


@dataclass
class Row:
    """A reply while it is made. ``tell`` is called in the generating thread with every part.

    Setting ``cancelled``, from any thread, ends it at the next token.
    """

    asked: Asked
    tell: Callable[[Part], None]
    cancelled: bool = False
    tokens: int = 0
    finish: Finish | None = None
    _decoder: DecodeStream = field(default_factory=lambda: DecodeStream(skip_special_tokens=True))
    _held: str = ""
    """Text that may turn out to be the beginning of a stop string."""

    @property
    def over(self) -> bool:
        return self.cancelled or self.finish is not None

    def take(self, token: int, ends: frozenset[int], tokenizer: Any) -> None:
        """The next token: tells its text, or the end of the reply. ``tokenizer`` is of the tokenizers library."""
        if self.over:
            return
        if token in ends:
            self._end("stop")
            return
        self.tokens += 1
        self._held += self._decoder.step(tokenizer, token) or ""
        cut = min((at for stop in self.asked.stop if (at := self._held.find(stop)) >= 0), default=None)
        if cut is not None:
            self._held = self._held[:cut]
            self._end("stop")
        elif self.tokens >= self.asked.max_tokens:
            self._end("length")
        else:
            self._tell_safe()

    def _end(self, finish: Finish) -> None:
        self.finish = finish
        self.tell(Part(self._held, self.tokens, finish))

    def _tell_safe(self) -> None:
        keep = max((_overlap(self._held, stop) for stop in self.asked.stop), default=0)
        ready = self._held[: len(self._held) - keep]
        if ready:
            self._held = self._held[len(ready) :]
            self.tell(Part(ready, self.tokens))


def _overlap(text: str, stop: str) -> int:
    """Length of the longest end of ``text`` that is a beginning of ``stop``."""
    return next((size for size in range(min(len(text), len(stop)), 0, -1) if text.endswith(stop[:size])), 0)
