"""What a chat completion may ask and how a refusal is put, in OpenAI's shapes; and the row that it becomes."""

from __future__ import annotations

import json
import secrets
from typing import Annotated, Any, Literal

from jinja2 import TemplateError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from studio.chatml import Message, Messages, Role, system
from studio.serve.worker.batching import Asked
from studio.serve.worker.models import Served
from studio.train.worker.encoding import prompt_ids

DEFAULT_MAX_TOKENS = 512


class RefusalError(Exception):
    """An answer other than a reply: an HTTP status and OpenAI's error object."""

    def __init__(self, status: int, message: str, *, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code

    @property
    def body(self) -> dict[str, Any]:
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": self.message, "type": kind, "param": self.param, "code": self.code}}


class _Loose(BaseModel):
    """Fields that are not known here are ignored, as other servers do."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class TextPart(_Loose):
    type: Literal["text"]
    text: str


class ChatMessage(_Loose):
    role: Literal["system", "developer", "user", "assistant"]
    content: str | tuple[TextPart, ...]

    @property
    def plain(self) -> Message:
        role: Role = "system" if self.role == "developer" else self.role
        text = self.content if isinstance(self.content, str) else "".join(part.text for part in self.content)
        return Message(role=role, content=text)


class StreamOptions(_Loose):
    include_usage: bool = False


class JsonSchema(_Loose):
    schema_: dict[str, Any] = Field(default={}, alias="schema")


class ResponseFormat(_Loose):
    type: Literal["text", "json_object", "json_schema"] = "text"
    json_schema: JsonSchema = JsonSchema()

    @property
    def instruction(self) -> str:
        """What the model is told of the form of its answer; nothing is enforced. Empty for plain text."""
        if self.type == "text":
            return ""
        schema = self.json_schema.schema_
        fits = f" that fits this JSON schema: {json.dumps(schema)}" if schema else ""
        return f"Answer with one JSON object and nothing else, no remark and no code fence{fits}"


Stop = Annotated[str, Field(min_length=1)]


class ChatRequest(_Loose):
    """Defaults are OpenAI's. ``n`` is named only to refuse what is not done here."""

    model: str
    messages: tuple[ChatMessage, ...] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    seed: int | None = None
    stop: Stop | tuple[Stop, ...] | None = None
    n: Literal[1] | None = None
    response_format: ResponseFormat | None = None

    @property
    def conversation(self) -> Messages:
        """What the model sees: the turns, and in the system turn what form the answer is to have."""
        turns = tuple(message.plain for message in self.messages)
        told = self.response_format.instruction if self.response_format else ""
        if not told:
            return turns
        first, rest = (turns[0].content, turns[1:]) if turns[0].role == "system" else ("", turns)
        return (system("\n\n".join(filter(None, (first, told)))), *rest)


def read_request(body: bytes) -> ChatRequest:
    """The request, or a :class:`RefusalError` with status 400 that names what is wrong with it."""
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        param = ".".join(str(part) for part in first["loc"]) or None
        raise RefusalError(400, f"{param or 'body'}: {first['msg']}", param=param) from None


def asked_of(served: Served, request: ChatRequest) -> Asked:
    """The row of a batch: the conversation as the chat template renders it, and how it is to be answered.

    Raises :class:`RefusalError`: 404 for an unknown model, 400 for what the template or the context refuses. A reply is
    cut to the room that the prompt leaves; it is refused only where there is none.
    """
    if request.model not in served.names:
        known = ", ".join(served.names)
        raise RefusalError(404, f"no model {request.model!r} here: {known}", param="model", code="model_not_found")
    try:
        prompt = prompt_ids(served.tokenizer, [message.model_dump() for message in request.conversation])
    except TemplateError as error:
        raise RefusalError(400, f"the chat template refuses the messages: {error}", param="messages") from None
    room = served.context - len(prompt)
    if room < 1:
        message = f"the prompt has {len(prompt)} tokens, and the model's context {served.context}"
        raise RefusalError(400, message, param="messages", code="context_length_exceeded")
    return Asked(
        model=request.model,
        prompt=prompt,
        max_tokens=min(room, request.max_completion_tokens or request.max_tokens or DEFAULT_MAX_TOKENS),
        temperature=1.0 if request.temperature is None else request.temperature,
        top_p=request.top_p or 1.0,
        seed=secrets.randbits(32) if request.seed is None else request.seed % 2**63,
        stop=(request.stop,) if isinstance(request.stop, str) else request.stop or (),
    )
