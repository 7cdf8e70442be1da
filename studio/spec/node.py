"""A value of a YAML file that knows where it stands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

Key = str | int
Path = tuple[Key, ...]


class Mark(NamedTuple):
    """Where a key stands: its line (1-based) and its span in the text."""

    line: int
    start: int
    end: int


@dataclass(slots=True)
class Node:
    """A value, its 1-based line and its span in the text.

    ``value`` is a scalar, a dict of key to Node, or a list of Nodes. The span of a block mapping or list ends with
    its last value: comments below are not part of it.
    """

    value: Any
    line: int
    start: int
    end: int
    style: str = ""
    """Of a scalar: ``''`` plain, ``'``, ``"``, ``|`` or ``>``. Of a mapping or list: ``block`` or ``flow``."""
    keys: dict[Key, Mark] = field(default_factory=dict)

    def plain(self) -> Any:
        """Dicts, tuples and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return tuple(node.plain() for node in self.value)
        return self.value

    def child(self, key: Key) -> Node | None:
        if isinstance(self.value, dict):
            return self.value.get(key)
        if isinstance(self.value, list) and isinstance(key, int) and 0 <= key < len(self.value):
            return self.value[key]  # type: ignore[no-any-return]
        return None

    def at(self, *path: Key) -> Node | None:
        node: Node | None = self
        for key in path:
            node = node.child(key) if node else None
        return node

    def entries(self) -> Iterator[tuple[Key, Node]]:
        """The children by key or index; none for a scalar."""
        if isinstance(self.value, dict):
            yield from self.value.items()
        elif isinstance(self.value, list):
            yield from enumerate(self.value)

    def line_of(self, path: Path) -> int:
        """The line of the deepest part of ``path`` that exists: of its key in a mapping, of itself in a list."""
        node, line = self, self.line
        for key in path:
            child = node.child(key)
            if child is None:
                return line
            line = node.keys[key].line if key in node.keys else child.line
            node = child
        return line

    def moved(self, lines: int, characters: int) -> Node:
        """A copy that stands so much further down the text."""
        value = self.value
        if isinstance(value, dict):
            value = {key: node.moved(lines, characters) for key, node in value.items()}
        elif isinstance(value, list):
            value = [node.moved(lines, characters) for node in value]
        keys = {
            key: Mark(mark.line + lines, mark.start + characters, mark.end + characters)
            for key, mark in self.keys.items()
        }
        return Node(value, self.line + lines, self.start + characters, self.end + characters, self.style, keys)
