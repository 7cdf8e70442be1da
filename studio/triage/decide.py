"""Deciding what an example is worth: why it is rejected, and what can be learnt from.

Whatever a method here did is on the disk when it returns.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime

from studio.chatml import Messages
from studio.errors import UserError
from studio.store import Decision, Workspace
from studio.store.records import Action
from studio.text.inert import unfit

REASONS: dict[str, tuple[str, str]] = {
    "t": ("tone", "not how the persona talks"),
    "g": ("generic", "any assistant could have said it"),
    "w": ("wrong", "wrong, or made up"),
    "i": ("ignores", "does not do what was asked"),
    "u": ("user", "no person would write the user's side"),
    "b": ("boundary", "crosses a boundary"),
    "l": ("length", "too long or too short"),
    "d": ("duplicate", "says what another example says"),
    "o": ("other", "something else"),
}
"""Why a person rejects an example: key -> (slug that is stored, label)."""


class Triage:
    """One workspace's decisions. The last step can be taken back, also after a restart, whoever made it.

    What is decided by one call is one step for undo and redo, however many examples it speaks of: thousands take a
    second, in chunks between which other writers are served.
    """

    def __init__(self, workspace: Workspace) -> None:
        self._store = workspace.examples

    def accept(self, example_id: str) -> Decision:
        """It is good as it stands, edited or not."""
        return self.accept_all([example_id])[0]

    def reject(self, example_id: str, reason: str) -> Decision:
        """``reason`` is one of the slugs of :data:`studio.triage.REASONS`."""
        return self.reject_all([example_id], reason)[0]

    def reset(self, example_id: str) -> Decision:
        """As if nobody had decided: the judge's word stands, and the original text."""
        return self.reset_all([example_id])[0]

    def accept_all(self, example_ids: Sequence[str]) -> list[Decision]:
        """As :meth:`accept`, in one step."""
        return self._decide(example_ids, "accept")

    def reject_all(self, example_ids: Sequence[str], reason: str) -> list[Decision]:
        """As :meth:`reject`, in one step."""
        slugs = sorted(slug for slug, _ in REASONS.values())
        if reason not in slugs:
            raise UserError(f"no such reason: {reason}", remedy=f"one of {', '.join(slugs)}")
        return self._decide(example_ids, "reject", reason)

    def reset_all(self, example_ids: Sequence[str]) -> list[Decision]:
        """As :meth:`reset`, in one step."""
        return self._decide(example_ids, "reset")

    def edit(self, example_id: str, messages: Messages) -> Decision:
        """Accept it with ``messages`` in the place of its own. The original is kept: the two are a preference pair.

        Raises :class:`UserError` where the conversation is none to learn from.
        """
        check_conversation(messages)
        row = self._store.row(example_id)
        if row is None:
            raise UserError(f"no example {example_id}", remedy="it may be another persona's, or another workspace's")
        if messages == row.messages:
            return self.accept(example_id)
        return self._decide([example_id], "edit", messages=messages)[0]

    def undo(self) -> list[Decision]:
        """Take back the last step; its decisions, none where there was none."""
        return self._store.undo()

    def redo(self) -> list[Decision]:
        """Put back what the last undo took, unless something was decided since."""
        return self._store.redo()

    def _decide(
        self, example_ids: Sequence[str], action: Action, reason: str = "", messages: Messages = ()
    ) -> list[Decision]:
        at, batch = datetime.now(UTC), secrets.token_hex(4) if len(example_ids) > 1 else ""
        return self._store.decide_all(
            [
                Decision(example_id=name, action=action, reason=reason, messages=messages, batch=batch, at=at)
                for name in example_ids
            ]
        )


def check_conversation(messages: Messages) -> None:
    """Whether something can be learnt from it: turns that alternate, a user's before each reply, none empty, and
    nothing in them that nobody writes (:func:`studio.text.inert.unfit`). Raises UserError where it cannot."""
    turns = messages[1:] if messages and messages[0].role == "system" else messages
    if any(not message.content.strip() for message in messages):
        raise UserError("a message is empty", remedy="write it, or remove the turn")
    if sign := next(filter(None, (unfit(message.content) for message in messages)), ""):
        raise UserError(f"a message holds the character {sign}, which cannot be seen", remedy="take it out")
    expected = ("user", "assistant")
    if len(turns) < 2 or len(turns) % 2 or any(turn.role != expected[i % 2] for i, turn in enumerate(turns)):
        raise UserError("the turns do not alternate", remedy="begin with the user's and end with the assistant's")
