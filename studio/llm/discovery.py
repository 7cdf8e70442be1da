"""Which models an endpoint has."""

from __future__ import annotations

from pydantic import BaseModel, ValidationError

from studio.llm.errors import AttemptError, as_model_error
from studio.llm.settings import ModelSettings
from studio.llm.transport import NO_KEY, failure_of

_TIMEOUT = 5.0


class _Model(BaseModel):
    id: str


class _Models(BaseModel):
    data: list[_Model] = []


def list_models(settings: ModelSettings) -> list[str]:
    """The names in the server's order. Blocks for up to some seconds: call it from a thread where a loop runs.

    Raises ModelError; nothing is tried again.
    """
    try:
        return _listed(settings)
    except AttemptError as failure:
        raise as_model_error(failure, settings, "models") from None


def _listed(settings: ModelSettings) -> list[str]:
    from httpx2 import Client, HTTPTransport, InvalidURL, Response
    from openai import APIError, OpenAI

    key = settings.key()
    transport = HTTPTransport(uds=settings.uds) if settings.uds else None
    with Client(transport=transport, timeout=_TIMEOUT, trust_env=not settings.local) as http:
        try:
            client = OpenAI(api_key=key or NO_KEY, base_url=settings.url, max_retries=0, http_client=http)
            response = client.get("/models", cast_to=Response)
        except InvalidURL as error:
            raise AttemptError("connection", str(error)) from None
        except APIError as error:
            raise failure_of(error, key) from None
    try:
        return [model.id for model in _Models.model_validate_json(response.content).data]
    except ValidationError:
        raise AttemptError("malformed", "the list of models is not one") from None
