"""Exporting conversations as ChatML from either side: its turns are the assistant's, the other's the user's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from studio.bank.talk.record import Talk
from studio.bank.talk.relations import Side
from studio.bank.talk.scene import part_text
from studio.chatml import Message, Messages, system, user
from studio.errors import disk_error
from studio.files import replacing

BEGIN = "(You begin.)"
"""The user's message where the assistant has the first turn: templates want the user to begin."""


def chatml(talk: Talk, side: Side, *, with_system: bool = True) -> Messages:
    """A conversation whose assistant is ``side``. It begins with a user's turn and ends with the assistant's; turns of
    one role after the other are one. The system message is who the side is and all that they know when it begins."""
    turns: list[Message] = [] if talk.turns and talk.turns[0].side != side else [user(BEGIN)]
    for turn in talk.turns:
        role = "assistant" if turn.side == side else "user"
        if turns and turns[-1].role == role:
            turns[-1] = Message.model_validate({"role": role, "content": f"{turns[-1].content}\n{turn.text}"})
        else:
            turns.append(Message.model_validate({"role": role, "content": turn.text}))
    while turns and turns[-1].role == "user":
        turns.pop()
    return (*((system(part_text(talk.scene, talk.subject, side, tags=False)),) if with_system else ()), *turns)


def export_talks(talks: Iterable[Talk], path: Path, sides: Sequence[Side], *, with_system: bool = True) -> int:
    """Write JSON lines ``{"messages", "id", "side", "person", "relation", "medium", "topic"}``; how many.

    The file is there when it is complete. Raises :class:`studio.errors.UserError` where it cannot be written.
    """
    count = 0
    try:
        with replacing(path) as file:
            for talk in talks:
                for side in sides:
                    file.write(json.dumps(_line(talk, side, with_system), ensure_ascii=False).encode() + b"\n")
                    count += 1
    except OSError as error:
        raise disk_error(error, path, doing="not written") from error
    return count


def _line(talk: Talk, side: Side, with_system: bool) -> dict[str, Any]:
    messages = chatml(talk, side, with_system=with_system)
    return {
        "messages": [message.model_dump() for message in messages],
        "id": f"{talk.id}-{side}",
        "side": side,
        "person": talk.scene.person(side).id,
        "relation": talk.scene.kind,
        "medium": talk.scene.medium,
        "topic": talk.subject.topic,
    }
