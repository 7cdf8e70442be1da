"""Deciding what an example is worth. Whatever a method here did is on the disk when it returns."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime

from studio.chatml import Messages
from studio.errors import UserError
from studio.store import Decision, Row, Workspace
from studio.store.records import Action
from studio.triage.reasons import SLUGS


class Triage:
    """One workspace's decisions. The last one can be taken back, also after a restart, whoever made it.

    What is decided through an object made with a ``batch`` is one step for undo and redo.
    """

    def __init__(self, workspace: Workspace, batch: str = "") -> None:
        self._store, self._batch = workspace.examples, batch

    @classmethod
    def of_several(cls, workspace: Workspace) -> Triage:
        """For decisions that are one step together."""
        return cls(workspace, secrets.token_hex(4))

    def accept(self, example_id: str) -> Decision:
        """It is good as it stands, edited or not."""
        return self._decide(example_id, "accept")

    def reject(self, example_id: str, reason: str) -> Decision:
        """``reason`` is one of the slugs of :data:`studio.triage.REASONS`."""
        if reason not in SLUGS:
            raise UserError(f"no such reason: {reason}", remedy=f"one of {', '.join(sorted(SLUGS))}")
        return self._decide(example_id, "reject", reason)

    def edit(self, example_id: str, messages: Messages) -> Decision:
        """Accept it with ``messages`` in the place of its own. The original is kept: the two are a preference pair.

        Raises :class:`UserError` where the conversation is none to learn from.
        """
        check_conversation(messages)
        if messages == self._row(example_id).messages:
            return self.accept(example_id)
        return self._decide(example_id, "edit", messages=messages)

    def reset(self, example_id: str) -> Decision:
        """As if nobody had decided: the judge's word stands, and the original text."""
        return self._decide(example_id, "reset")

    def undo(self) -> list[Decision]:
        """Take back the last step; its decisions, none where there was none."""
        return self._store.undo()

    def redo(self) -> list[Decision]:
        """Put back what the last undo took, unless something was decided since."""
        return self._store.redo()

    def _row(self, example_id: str) -> Row:
        row = self._store.row(example_id)
        if row is None:
            raise UserError(f"no example {example_id}", remedy="it may be another persona's, or another workspace's")
        return row

    def _decide(self, example_id: str, action: Action, reason: str = "", messages: Messages = ()) -> Decision:
        at = datetime.now(UTC)
        return self._store.decide(
            Decision(example_id=example_id, action=action, reason=reason, messages=messages, batch=self._batch, at=at)
        )


def check_conversation(messages: Messages) -> None:
    """Whether something can be learnt from it: turns that alternate, a user's before each reply, none empty."""
    turns = messages[1:] if messages and messages[0].role == "system" else messages
    if any(not message.content.strip() for message in messages):
        raise UserError("a message is empty", remedy="write it, or remove the turn")
    expected = ("user", "assistant")
    if len(turns) < 2 or len(turns) % 2 or any(turn.role != expected[i % 2] for i, turn in enumerate(turns)):
        raise UserError("the turns do not alternate", remedy="begin with the user's and end with the assistant's")
