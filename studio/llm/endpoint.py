"""The endpoints of a process: limiter, circuit breaker and capabilities of each, what it waits for, and what processes
of one workspace tell each other of them.

``endpoints.json`` in the workspace's folder holds what was learned of each endpoint and model: the window and the rate
to begin with, until when it asked to wait, and which parameters and formats it honours. It is a hint: what is not
there, or cannot be read, is learned again.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from studio.files import write_atomic
from studio.llm.breaker import Breaker
from studio.llm.capabilities import Capabilities
from studio.llm.errors import AttemptError
from studio.llm.limiter import Limiter
from studio.llm.rate_limit import MOST, RateLimit
from studio.llm.response import Rates, Tokens
from studio.llm.settings import ModelSettings
from studio.llm.types import Waiting

FILE = "endpoints.json"
EVERY_S = 3.0
"""How often processes tell each other what they learned."""
FRESH = timedelta(hours=1)
"""For how long a window that was learned is one to begin with; limits are other ones the next day."""


class Endpoint:
    """What all callers of one endpoint and model share in one event loop."""

    def __init__(self, settings: ModelSettings, breaker: Breaker) -> None:
        self.place, self.served = settings.place, bool(settings.uds)
        # The studio's own worker answers in batches what it is asked together: nothing has to be learned of it.
        self.limiter = Limiter(RateLimit(start=settings.max_concurrent) if settings.uds else RateLimit(), breaker)
        self.capabilities = Capabilities(settings)
        self.capabilities.effort = settings.reasoning_effort

    @property
    def breaker(self) -> Breaker:
        return self.limiter.breaker

    def rates(self, rates: Rates, tokens: Tokens) -> None:
        """Take note of what the server says it allows."""
        limit, used = self.limiter.limit, tokens.prompt_tokens + tokens.completion_tokens
        if rates.calls is not None:
            limit.name_rate(rates.calls)
        if rates.tokens is not None and used:
            now = asyncio.get_running_loop().time()
            limit.name_tokens(now, used, rates.tokens, rates.tokens_left, rates.tokens_back)

    def waiting(self) -> Waiting | None:
        """What all calls wait for; None while they get through."""
        breaker = self.breaker
        if breaker.reason is None:
            return None
        return Waiting(
            reason=breaker.reason,
            since=_wall(breaker.since),
            until=_wall(breaker.until) if breaker.asked else None,
            status=breaker.last.status if breaker.last is not None else None,
        )

    def learned(self) -> dict[str, Any]:
        """For the others."""
        told: dict[str, Any] = {"at": datetime.now(UTC).isoformat(), "limit": self.limiter.limit.learned()}
        if self.breaker.reason == "limit" and self.breaker.asked:
            told["closed_until"] = _wall(self.breaker.until).isoformat()
        return told | {"capabilities": self.capabilities.kept()}

    def begin_with(self, learned: dict[str, Any]) -> None:
        """What a process learned earlier."""
        self.capabilities.begin_with(learned.get("capabilities"))
        at, limit = _time(learned.get("at")), learned.get("limit")
        if at is not None and datetime.now(UTC) - at < FRESH and isinstance(limit, dict):
            self.limiter.limit.begin_with(limit)
        self.hear(learned)

    def hear(self, learned: dict[str, Any]) -> None:
        """What another process was told meanwhile."""
        until = _time(learned.get("closed_until"))
        if until is None or until <= datetime.now(UTC):
            return
        now = asyncio.get_running_loop().time()
        seconds = (until - datetime.now(UTC)).total_seconds()
        if seconds <= self.breaker.patience:
            self.breaker.wait_until(now, now + seconds, AttemptError("limit", status=429, wait=seconds, again=True))
            self.limiter.look()


class _Loop:
    """The endpoints of one event loop, and what was on file when they were first asked for."""

    def __init__(self) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self.file: dict[str, Any] = {}


_LOOPS: WeakKeyDictionary[asyncio.AbstractEventLoop, _Loop] = WeakKeyDictionary()


def _here() -> _Loop:
    loop = asyncio.get_running_loop()
    found = _LOOPS.get(loop)
    if found is None:
        found = _LOOPS[loop] = _Loop()
    return found


def shared_endpoint(
    settings: ModelSettings, model: str, patience: float = 1800.0, first_wait: float = 0.5, longest_wait: float = 8.0
) -> Endpoint:
    """The one for this place and model in the running loop. An author and a judge that are one model share it,
    so that the judge's calls go first. The newest settings say how many calls there may be at most, and for how many
    seconds of ``patience`` the server may be away."""
    here, key = _here(), f"{settings.place} {model}"
    endpoint = here.endpoints.get(key)
    if endpoint is None:
        endpoint = Endpoint(settings, Breaker(patience, 2 * first_wait, 4 * longest_wait))
        endpoint.breaker.away = partial(_away, here, endpoint)
        here.endpoints[key] = endpoint
        if isinstance(learned := here.file.get(key), dict):
            endpoint.begin_with(learned)
    endpoint.limiter.limit.most = min(MOST, settings.max_concurrent)
    endpoint.breaker.patience = patience
    return endpoint


def _away(here: _Loop, endpoint: Endpoint) -> bool:
    """Whether the server is away for another model of the same place."""
    others = (one for one in here.endpoints.values() if one.place == endpoint.place and one is not endpoint)
    return any(other.breaker.reason == "server" for other in others)


def window() -> int:
    """How many calls the endpoints of the running loop bear at once, as far as is known; 0 before any was asked."""
    return sum(int(endpoint.limiter.limit.window) for endpoint in _here().endpoints.values())


def waiting() -> Waiting | None:
    """What the endpoints of the running loop wait for: the longest wait of any; None while all get through."""
    found = [told for endpoint in _here().endpoints.values() if (told := endpoint.waiting()) is not None]
    return min(found, key=lambda told: told.since, default=None)


def drain(draining: bool = True) -> None:
    """Start no new call in the running loop, but for judgements that can be had at once."""
    for endpoint in _here().endpoints.values():
        endpoint.limiter.drain(draining)


@asynccontextmanager
async def learned_at(folder: Path) -> AsyncIterator[None]:
    """Begin with what processes of the workspace in ``folder`` learned of endpoints, and tell them what is learned."""
    here, path = _here(), folder / FILE
    here.file = await asyncio.to_thread(_read, path)
    for key, endpoint in here.endpoints.items():
        if isinstance(learned := here.file.get(key), dict):
            endpoint.hear(learned)
    telling = asyncio.ensure_future(_tell(here, path))
    try:
        yield
    finally:
        telling.cancel()
        await asyncio.wait((telling,))
        await _told(here, path)


async def _tell(here: _Loop, path: Path) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        await _told(here, path)


async def _told(here: _Loop, path: Path) -> None:
    learned = {key: endpoint.learned() for key, endpoint in here.endpoints.items() if not endpoint.served}
    if not learned:
        return
    others = await asyncio.to_thread(_exchange, path, learned)
    for key, endpoint in here.endpoints.items():
        if isinstance(other := others.get(key), dict):
            endpoint.hear(other)


def _exchange(path: Path, learned: dict[str, Any]) -> dict[str, Any]:
    """Write what was learned over what was there, which is returned. A wait that was asked of another stays."""
    others = _read(path)
    now = datetime.now(UTC)
    for key, one in learned.items():
        earlier = others.get(key)
        until = _time(earlier.get("closed_until")) if isinstance(earlier, dict) else None
        if until is not None and until > now and "closed_until" not in one:
            one["closed_until"] = until.isoformat()
    with suppress(OSError):  # a hint only: a full disk is told by what matters
        write_atomic(path, json.dumps(others | learned, indent=1))
    return others


def _read(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _time(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None


def _wall(moment: float) -> datetime:
    """A time of the running loop on the wall's clock."""
    if math.isnan(moment):
        return datetime.now(UTC)
    return datetime.now(UTC) + timedelta(seconds=moment - asyncio.get_running_loop().time())
