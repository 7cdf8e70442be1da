"""Pieces that the prompts are put together from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from studio.chatml import Messages


def joined(parts: Iterable[str]) -> str:
    """The parts that are not empty, as paragraphs."""
    return "\n\n".join(part for part in parts if part)


def section(title: str, text: str) -> str:
    return f"{title}:\n{text}" if text else ""


def bullets(lines: Iterable[str]) -> str:
    return "\n".join(f"- {line}" for line in lines if line)


def quoted(phrases: Iterable[str]) -> str:
    return ", ".join(f'"{phrase}"' for phrase in phrases)


def words(name: str) -> str:
    """``action_oriented`` -> ``action oriented``."""
    return name.replace("_", " ")


def sentence(text: str) -> str:
    """``text`` with a full stop where it has no end of its own."""
    text = text.strip()
    return text if not text or text[-1] in ".!?…。！？।" else f"{text}."  # noqa: RUF001


def nonce(texts: Iterable[str]) -> str:
    """Eight hex digits to end the tags around ``texts``: a digest of them, so that none of them can contain it on
    purpose, and the same for equal texts."""
    return hashlib.sha256("\x1f".join(texts).encode("utf-8", "replace")).hexdigest()[:8]


def tagged(name: str, key: str, text: str) -> str:
    return f"<{name}-{key}>\n{text}\n</{name}-{key}>"


def block(name: str, text: str) -> str:
    """``text`` between tags of its own."""
    return tagged(name, nonce([text]), text) if text.strip() else ""


def turns(messages: Messages, key: str) -> str:
    """A conversation with every turn between its own tags, so that no turn can speak for another."""
    return "\n".join(tagged(message.role, key, message.content) for message in messages)
