"""Discovery: which models an endpoint has, and which servers run on this machine.

A server that is found is only told of. It is used once the user names it, or says yes to it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from studio.chatml import Frozen
from studio.llm.errors import AttemptError, as_model_error
from studio.llm.settings import ModelSettings
from studio.llm.transport import Transport, import_in_thread

if TYPE_CHECKING:  # imported when it is first used
    from aiohttp import ClientSession

USUAL_PORTS = {"Ollama": 11434, "LM Studio": 1234, "vLLM": 8000, "llama.cpp": 8080}
"""Where servers of these names listen unless they are told otherwise."""
PROBE_S = 0.5
_OWNERS = {"vllm": "vLLM", "llamacpp": "llama.cpp", "library": "Ollama"}
"""What servers call themselves in the list of their models."""
_TIMEOUT = 5.0
_MOST_BYTES = 1 << 20
_LONGEST_NAME = 200


class _Model(BaseModel):
    id: str
    owned_by: str | None = None


class _Models(BaseModel):
    data: list[_Model] = []


class LocalServer(Frozen):
    """A server on this machine. ``name`` is what it calls itself, or who usually listens on its port."""

    name: str
    endpoint: str
    """The base URL, with ``/v1``."""
    models: tuple[str, ...] = ()
    """Chat models in the server's order, as far as names tell; those for embeddings are left out."""
    needs_key: bool = False
    """It listed no models because it wants a key."""


def list_models(settings: ModelSettings) -> list[str]:
    """The names in the server's order. Blocks for up to some seconds: call it from a thread where a loop runs.

    Raises ModelError; nothing is tried again.
    """
    try:
        return asyncio.run(_listed(settings.model_copy(update={"read_timeout": _TIMEOUT})))
    except AttemptError as failure:
        raise as_model_error(failure, settings, "models") from None


async def find_servers(ports: Mapping[str, int] = USUAL_PORTS, timeout_s: float = PROBE_S) -> tuple[LocalServer, ...]:
    """The servers that answer on ``ports`` of 127.0.0.1 within ``timeout_s`` seconds, all asked at once.

    Nothing is asked but ``/v1/models``, without a key, and no other machine. Never raises for what a server does.
    """
    await import_in_thread("aiohttp")
    from aiohttp import ClientSession

    async with ClientSession() as http:
        found = await asyncio.gather(*(_probe(http, name, port, timeout_s) for name, port in ports.items()))
    return tuple(server for server in found if server is not None)


async def _probe(http: ClientSession, name: str, port: int, timeout_s: float) -> LocalServer | None:
    endpoint = f"http://127.0.0.1:{port}/v1"
    try:
        async with asyncio.timeout(timeout_s):  # over all reads
            status, body = await _fetched(http, f"{endpoint}/models")
    except Exception:  # whatever listens there: not a server of models
        return None
    if status in (401, 403):
        return LocalServer(name=name, endpoint=endpoint, needs_key=True)
    if status != 200:
        return None
    try:
        models = _Models.model_validate_json(body).data
    except ValidationError:
        return None
    owners = {_OWNERS.get(model.owned_by or "") for model in models} - {None}
    called = owners.pop() if len(owners) == 1 else None
    return LocalServer(name=called or name, endpoint=endpoint, models=tuple(m.id for m in models if _chats(m.id)))


async def _fetched(http: ClientSession, url: str) -> tuple[int, bytes]:
    body = b""
    async with http.get(url, allow_redirects=False) as response:
        async for chunk in response.content.iter_any():
            body += chunk
            if len(body) > _MOST_BYTES:
                raise ValueError("no list of models is so long")
        return response.status, body


def _chats(name: str) -> bool:
    """Whether it may be a chat model's name, fit to be shown and to be typed."""
    return name.isprintable() and 0 < len(name) <= _LONGEST_NAME and "embed" not in name.casefold()


async def _listed(settings: ModelSettings) -> list[str]:
    transport = Transport(settings)
    try:
        body = await transport.get("/models")
    finally:
        await transport.close()
    try:
        return [model.id for model in _Models.model_validate_json(body).data]
    except ValidationError:
        raise AttemptError("malformed", "the list of models is not one") from None
