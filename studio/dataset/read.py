"""Reading the dataset: what was accepted and can be learned from, each conversation once, as lines of ChatML."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from studio.chatml import Messages
from studio.dedup import HeldOut
from studio.errors import UserError
from studio.spec import LoadedSpec, held_out_texts
from studio.store import Filter, Text, Workspace
from studio.triage import check_conversation

_BREAKS = str.maketrans({character: f"\\u{ord(character):04x}" for character in "\u2028\u2029"})
"""Line breaks to readers that split text rather than bytes; JSON may hold them escaped or raw."""


def json_line(value: object) -> str:
    """``value`` as one line, also to readers that break lines where Unicode would."""
    line = json.dumps(value, ensure_ascii=False) + "\n"
    return line if line.isascii() else line.translate(_BREAKS)


def turns(messages: Messages) -> list[dict[str, str]]:
    return [{"role": message.role, "content": message.content} for message in messages]


def chatml_line(messages: Messages) -> str:
    """``{"messages": [{"role", "content"}, ...]}`` and a line end."""
    return json_line({"messages": turns(messages)})


class Sieve:
    """Passes the conversations that can be learned from, each once, and counts the others."""

    def __init__(self, held_out: Iterable[str] = ()) -> None:
        self._held_out = HeldOut(held_out)
        self._seen: set[bytes] = set()
        self.duplicates = self.unusable = self.held_out = 0

    def usable(self, messages: Messages) -> bool:
        """Whether something can be learned from it, and it says no held-out message."""
        try:
            check_conversation(messages)
        except UserError:
            self.unusable += 1
            return False
        if self._held_out.asked_in(messages) is not None:
            self.held_out += 1
            return False
        return True

    def take(self, messages: Messages) -> tuple[bytes, str] | None:
        """SHA-256 and text of its line of ChatML; None where it is left out."""
        if not self.usable(messages):
            return None
        line = chatml_line(messages)
        key = hashlib.sha256(line.encode()).digest()
        if key in self._seen:
            self.duplicates += 1
            return None
        self._seen.add(key)
        return key, line


@dataclass(frozen=True)
class Item:
    """One conversation of the dataset. ``key`` is the SHA-256 of its ``line``."""

    text: Text
    key: bytes
    line: str


@dataclass(frozen=True)
class Accepted:
    """All that is accepted now by one spec, in the order of arrival, and how many were left out, by why."""

    items: tuple[Item, ...]
    left_out: dict[str, int]
    """``duplicates``, ``stale``, ``unusable`` and ``held_out``, as :class:`studio.dataset.Export` has them."""


def item_of(text: Text) -> Item:
    line = chatml_line(text.messages)
    return Item(text, hashlib.sha256(line.encode()).digest(), line)


def accepted(workspace: Workspace, loaded: LoadedSpec) -> Accepted:
    """What can be learned from, as it stands; nothing of a scenario that is held out."""
    total = workspace.examples.count(Filter(status="accepted"))
    closed = {(name, item) for name, row in loaded.spec.scenarios.items() if row.holdout for item in row.items}
    sieve, items, seen = Sieve(held_out_texts(loaded.spec)), [], 0
    for text in workspace.examples.texts(Filter(status="accepted", spec_hash=loaded.hash)):
        seen += 1
        if (text.category, text.scenario) in closed:
            sieve.held_out += 1
        elif taken := sieve.take(text.messages):
            items.append(Item(text, *taken))
    left_out = {"duplicates": sieve.duplicates, "stale": max(0, total - seen)}
    return Accepted(tuple(items), left_out | {"unusable": sieve.unusable, "held_out": sieve.held_out})
