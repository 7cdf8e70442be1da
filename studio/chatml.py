"""One conversation: the roles and messages that every room exchanges."""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict

Role = Literal["system", "user", "assistant"]


def well_formed(text: str) -> str:
    """``text`` with the two halves of a surrogate pair made one character, and a lone half U+FFFD.

    Halves come from command lines that are not UTF-8 and from servers that cut an emoji in two. No file takes them.
    """
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return text


Unicode = Annotated[str, AfterValidator(well_formed)]


class Frozen(BaseModel):
    """Base of the values that cross rooms: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Message(Frozen):
    """One turn. ``content`` is stored raw; it is rendered inert only where it is shown."""

    role: Role
    content: Unicode


Messages = tuple[Message, ...]


def user(content: str) -> Message:
    return Message(role="user", content=content)


def assistant(content: str) -> Message:
    return Message(role="assistant", content=content)


def system(content: str) -> Message:
    return Message(role="system", content=content)


def digest(messages: Messages) -> str:
    """Sixteen hex digits that tell a conversation from any other."""
    turns = [[message.role, message.content] for message in messages]
    return hashlib.sha256(json.dumps(turns).encode()).hexdigest()[:16]


def conversation_problem(messages: Messages) -> str:
    """What keeps ``messages`` from being a conversation to learn from; empty where they are one.

    One begins with the user, takes turns, ends with the assistant and has no empty turn. System turns have no place.
    """
    if len(messages) < 2:
        return "expected a user's message and a reply"
    for number, message in enumerate(messages):
        expected = ("user", "assistant")[number % 2]
        if message.role != expected:
            return f"expected user and assistant to take turns, found {message.role} where {expected} is due"
        if not message.content.strip():
            return f"expected some words in message {number + 1}"
    return "" if messages[-1].role == "assistant" else "expected the last message to be the assistant's"


def last_reply(messages: Messages) -> str:
    """The last assistant turn, the one that is judged; empty if there is none."""
    return next((m.content for m in reversed(messages) if m.role == "assistant"), "")


def last_request(messages: Messages) -> str:
    """The last user turn, the one that the judged reply answers; empty if there is none."""
    return next((m.content for m in reversed(messages) if m.role == "user"), "")
