"""Decisions: painted at once, written off the UI thread, called saved when durable; and the drafts of edits, which
outlive a write that failed, and the window."""

from __future__ import annotations

import asyncio
import json
import re
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Literal, cast

from pydantic import TypeAdapter
from textual.content import Content

from studio.chatml import Message, Messages, Role
from studio.errors import UserError
from studio.store.records import Decision, Status
from studio.triage import Triage
from studio.tui.text import join

if TYPE_CHECKING:
    from studio.tui.screens.triage.screen import TriageScreen

Write = Callable[[Triage, list[str]], object]
Kind = Literal["reply", "whole"]
"""The last reply, written in the window; the whole conversation, written in a person's own editor."""
_HEADING = re.compile(r"^=== (system|user|assistant) ===[ \t]*$", re.MULTILINE)


class Decisions:
    """Decisions on examples of the screen's list, and undoing them."""

    def __init__(self, screen: TriageScreen) -> None:
        self._screen = screen
        self._writing: Counter[str] = Counter()
        """On their way to the disk, by example."""
        self._said = Content("")
        self.drafts = Drafts()

    @property
    def state(self) -> Content:
        """Whether what was decided is on the disk."""
        writing = self._writing.total()
        return join((f"saving {writing}", "$warning")) if writing else self._said

    def say(self, told: str, style: str = "") -> None:
        """Show what was just done, in the title."""
        self._said = join((told, style))
        self._screen.show_title()

    def decide(self, ids: list[str], status: Status | None, said: str, write: Write) -> asyncio.Event:
        """Paint, go on to the next example, and write behind it. ``status`` is None where the judge's word decides.
        The event is set once it is written."""
        written = asyncio.Event()
        if not ids:
            return written
        screen, rows = self._screen, self._screen.rows
        self._writing.update(ids)
        if status is not None:
            rows.deciding.update(dict.fromkeys(ids, status))
        rows.repaint(set(ids))
        if rows.marked.issuperset(ids):
            rows.unmark()
        else:
            rows.pass_by(ids[0])
        screen.show_title()
        screen.run(self._write(ids, said, write, written))
        return written

    async def _write(self, ids: list[str], said: str, write: Write, written: asyncio.Event) -> None:
        try:
            await self._screen.studio.disk.write(write, Triage(self._screen.session.workspace), ids)
            self.drafts.drop(*ids)
            written.set()
            self._said = join((f"saved: {len(ids)} {said}" if len(ids) > 1 else f"saved: {said}", "$success"))
        except UserError:
            self._said = join(("not saved", "$error bold"))
            raise
        finally:
            self._writing.subtract(ids)
            await self._settle(ids)

    async def _settle(self, ids: list[str]) -> None:
        """Show the examples as the disk has them now."""
        screen, store = self._screen, self._screen.session.workspace.examples
        settled = [id_ for id_ in ids if self._writing[id_] <= 0]
        found = await screen.studio.disk.read(store.rows_of, screen.rows.held(settled))
        for id_ in settled:
            screen.rows.deciding.pop(id_, None)
        for id_, row in found.items():
            screen.rows.settle(id_, row)
        self._writing += Counter()
        screen.show_detail()
        screen.studio.wake()

    def step(self, take: Callable[[Triage], list[Decision]], name: str, done: str) -> None:
        """Undo or redo."""
        self.say(f"{name}ing", "$warning")
        self._screen.run(self._step(take, name, done), keys_wait=True)

    async def _step(self, take: Callable[[Triage], list[Decision]], name: str, done: str) -> None:
        try:
            decisions = await self._screen.studio.disk.write(take, Triage(self._screen.session.workspace))
        except UserError:
            self.say("not saved", "$error bold")
            raise
        if not decisions:
            self.say(f"there is nothing to {name}", "$quiet")
            return
        many = f" of {len(decisions)}" if len(decisions) > 1 else ""
        self.say(f"{done}: {decisions[-1].action}{many}", "$success")
        self._screen.rows.stand_on(decisions[-1].example_id)
        await self._settle([one.example_id for one in decisions])


class Drafts:
    """What was written of an example and is not on the disk yet: texts by kind and example."""

    def __init__(self) -> None:
        self._texts: dict[str, str] = {}

    def get(self, kind: Kind, example_id: str) -> str | None:
        return self._texts.get(f"{kind} {example_id}")

    def keep(self, kind: Kind, example_id: str, text: str) -> None:
        self._texts[f"{kind} {example_id}"] = text

    def drop(self, *example_ids: str) -> None:
        """Saved, or not wanted."""
        for id_ in example_ids:
            for kind in ("reply", "whole"):
                self._texts.pop(f"{kind} {id_}", None)

    def as_text(self) -> str:
        return json.dumps(self._texts, ensure_ascii=False) if self._texts else ""

    def read(self, text: str) -> None:
        """Take up what :meth:`as_text` gave; anything else is none."""
        with suppress(ValueError):
            self._texts = TypeAdapter(dict[str, str]).validate_json(text)


def as_text(messages: Messages) -> str:
    """A conversation to edit: ``=== user ===`` headings, each with its turn below."""
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
