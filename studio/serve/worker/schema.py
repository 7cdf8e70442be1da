"""What a chat completion may ask, and how a refusal is put: OpenAI's shapes."""

from __future__ import annotations

import json
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from studio.chatml import Message, Messages, Role, system


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
        fits = (
            f" that fits this JSON schema: {json.dumps(self.json_schema.schema_)}" if self.json_schema.schema_ else ""
        )
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

    @property
    def stops(self) -> tuple[str, ...]:
        if self.stop is None:
            return ()
        return (self.stop,) if isinstance(self.stop, str) else self.stop

    @property
    def limit(self) -> int | None:
        return self.max_completion_tokens or self.max_tokens


def read_request(body: bytes) -> ChatRequest:
    """The request, or a :class:`RefusalError` with status 400 that names what is wrong with it."""
    try:
        return ChatRequest.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        param = ".".join(str(part) for part in first["loc"]) or None
        raise RefusalError(400, f"{param or 'body'}: {first['msg']}", param=param) from None
