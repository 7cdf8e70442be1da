"""The conversations that a workspace keeps: each by its id, so that no window writes over another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.tui.conversation import Conversation, new_id

if TYPE_CHECKING:
    from studio.store import StudioFile

TABLE = "conversations"


def keep_conversation(file: StudioFile, now: Conversation, before: Conversation | None) -> Conversation:
    """Write ``now`` in the place of ``before``, what this window wrote last of it; None where it never did.

    Where another window went on from ``before`` too, that stays, and ``now`` is kept beside it under an id of its own,
    which comes back. Writes the disk.
    """
    kept = file.update(TABLE, now.id, Conversation, lambda there: now if there in (None, before, now) else there)
    if kept != now:
        kept = now.model_copy(update={"id": new_id()})
        file.put(TABLE, kept.id, kept)
    return kept


def find_conversation(file: StudioFile, id: str) -> Conversation | None:
    """Reads the disk."""
    return file.get(TABLE, id, Conversation)


def conversations(file: StudioFile) -> list[Conversation]:
    """All, the one that was begun last first. Reads the disk."""
    return sorted(file.all(TABLE, Conversation), key=lambda one: one.begun, reverse=True)
