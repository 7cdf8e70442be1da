"""A worker in use: it stays for as long as somebody holds one of these."""

from __future__ import annotations

from dataclasses import dataclass
from types import TracebackType
from typing import IO, Self

from studio.jobs import Job
from studio.llm import ModelSettings, OpenAIModel
from studio.serve.types import ServeReady

_ENDPOINT = "http://studio/v1"
"""The host is a name only: the socket is dialled in its place."""
_AT_ONCE = 128
_PATIENCE_S = 3600.0


@dataclass(frozen=True)
class Server:
    """A worker that is ready. Closing this, or dying, leaves it; some time after the last one left it ends."""

    job: Job
    ready: ServeReady
    lease: IO[bytes]

    def close(self) -> None:
        self.lease.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_model(ready: ServeReady, name: str) -> OpenAIModel:
    """A client for one of the worker's models, ``base`` or ``tuned``. Close it when done."""
    return OpenAIModel(served_settings(ready, name), name)


def served_settings(ready: ServeReady, name: str) -> ModelSettings:
    """Where one of the worker's models is asked; safe to hand to another process of the same user.

    A reply may wait for the batches before its own, so whatever is asked at once has time.
    """
    return ModelSettings(
        endpoint=_ENDPOINT,
        uds=ready.socket,
        model=name,
        max_concurrent=_AT_ONCE,
        read_timeout=_PATIENCE_S,
        total_timeout=_PATIENCE_S,
    )
