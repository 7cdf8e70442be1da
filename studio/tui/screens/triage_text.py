"""A conversation as text that a person edits, and back."""

from __future__ import annotations

import re
from typing import cast

from studio.chatml import Message, Messages, Role
from studio.errors import UserError

_HEADING = re.compile(r"^=== (system|user|assistant) ===[ \t]*$", re.MULTILINE)


def as_text(messages: Messages) -> str:
    """``=== user ===`` headings, each with its turn below."""
    return "\n".join(f"=== {one.role} ===\n{one.content}\n" for one in messages)


def from_text(text: str) -> Messages:
    """The turns under their headings; white space around a turn is dropped.

    Raises UserError for text without headings, an empty turn, or a conversation that does not end with a reply.
    """
    parts = _HEADING.split(text)
    if parts[0].strip() or len(parts) < 3:
        raise UserError("the headings are gone", remedy="keep lines such as === user ===")
    pairs = zip(parts[1::2], parts[2::2], strict=True)
    messages = tuple(Message(role=cast(Role, role), content=content.strip()) for role, content in pairs)
    if any(not one.content for one in messages):
        raise UserError("a turn is empty", remedy="remove it with its heading")
    if messages[-1].role != "assistant":
        raise UserError("the last turn is not the assistant's", remedy="end with === assistant === and the reply")
    return messages
