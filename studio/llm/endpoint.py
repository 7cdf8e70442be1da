"""What all callers of one endpoint and model share in one event loop: the gate, and what was learned."""

from __future__ import annotations

import asyncio
from weakref import WeakKeyDictionary

from studio.llm.abilities import Abilities
from studio.llm.gate import Gate
from studio.llm.limits import Limits
from studio.llm.settings import ModelSettings


class Endpoint:
    def __init__(self, settings: ModelSettings) -> None:
        self.gate = Gate(Limits(settings.max_concurrent))
        self.abilities = Abilities(settings)


_SHARED: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[tuple[str, str], Endpoint]] = WeakKeyDictionary()


def shared_endpoint(settings: ModelSettings, model: str) -> Endpoint:
    """The one for this place and model in the running loop. An author and a judge that are one model share it,
    so that the judge's calls go first. The newest settings say how many calls there may be at most."""
    endpoints = _SHARED.setdefault(asyncio.get_running_loop(), {})
    endpoint = endpoints.setdefault((settings.place, model), Endpoint(settings))
    endpoint.gate.limits.most = settings.max_concurrent
    return endpoint
