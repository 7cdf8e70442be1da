"""YAML text as a tree of plain values that know their lines. Tags never run, aliases never expand.

The tree is built from the parser's events, so that a hostile file is refused at the first bad event: nothing is
constructed, nothing is expanded, and depth is bounded before it costs anything.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from ruamel.yaml.reader import ReaderError

from studio.spec.problems import ProblemList

Key = str | int
Path = tuple[Key, ...]
MAX_DEPTH = 12
"""The format needs 5."""

# The YAML 1.2 core schema; ``yes``, ``no`` and dates stay text.
_NULL = re.compile(r"(?:~|null|Null|NULL|)\Z")
_TRUE = re.compile(r"(?:true|True|TRUE)\Z")
_FALSE = re.compile(r"(?:false|False|FALSE)\Z")
_INT = re.compile(r"[-+]?[0-9]{1,30}\Z")
_FLOAT = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)
_STANDARD = {"tag:yaml.org,2002:" + name for name in ("str", "int", "float", "bool", "null", "map", "seq")}


@dataclass(slots=True)
class Node:
    """A value and its 1-based line. ``value`` is a scalar, a dict of key to Node, or a list of Nodes."""

    value: Any
    line: int
    key_lines: dict[Key, int] = field(default_factory=dict)

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
                return node.key_lines.get(key, line)
            line = node.key_lines.get(key, child.line)
            node = child
        return line


class _RefusedError(Exception):
    """Parsing cannot go on; the problem is already noted."""


def parse(text: str, problems: ProblemList) -> Node | None:
    """The one document in ``text``; None where it cannot be read as YAML. What is wrong goes to ``problems``."""
    builder = _Builder(problems)
    try:
        return builder.document(YAML(typ="safe", pure=True).parse(text))
    except _RefusedError:
        return None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        problems.add(mark.line + 1 if mark else 1, (), f"not valid YAML: {what or 'cannot be read'}")
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        problems.add(
            line, (), f"expected printable text, found the control character U+{ord(text[error.position]):04X}"
        )
    except (YAMLError, ValueError, RecursionError, IndexError, AttributeError) as error:
        # ruamel lets a few of its own slips through on garbage; they are the file's fault all the same.
        problems.add(1, (), f"not valid YAML: {error or type(error).__name__}")
    return None


class _Builder:
    def __init__(self, problems: ProblemList) -> None:
        self.problems = problems

    def document(self, events: Iterator[Event]) -> Node | None:
        root: Node | None = None
        for event in events:
            if isinstance(event, DocumentStartEvent) and root is not None:
                self.problems.add(_line(event), (), "expected one document, found a second one (---)")
                raise _RefusedError
            if isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent | AliasEvent):
                root = self._node(event, events, ())
        return root

    def _node(self, event: Any, events: Iterator[Event], path: Path) -> Node:
        self._refuse_tricks(event, path)
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, events, path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, events, path)
        return Node(self._scalar(event, path), _line(event))

    def _refuse_tricks(self, event: Any, path: Path) -> None:
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            sign = "*" if isinstance(event, AliasEvent) else "&"
            self.problems.add(
                _line(event), path, f"expected plain text, found {sign}{event.anchor}; write it out or quote it"
            )
            raise _RefusedError
        if len(path) > MAX_DEPTH:
            self.problems.add(_line(event), path[:3], f"expected at most {MAX_DEPTH} levels")
            raise _RefusedError
        tag = str(event.tag) if getattr(event, "tag", None) else None
        if tag and tag not in _STANDARD and tag != "!":
            self.problems.add(_line(event), path, f"expected no tag, found {tag}; nothing in a spec is ever run")

    def _mapping(self, start: Event, events: Iterator[Event], path: Path) -> Node:
        node = Node({}, _line(start))
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._key(event, path)
            value = self._node(next(events), events, (*path, key))
            if key in node.value:
                first = node.key_lines[key]
                self.problems.add(_line(event), (*path, key), f"expected each key once, found it also in line {first}")
                continue
            node.value[key] = value
            node.key_lines[key] = _line(event)
        return node

    def _key(self, event: Any, path: Path) -> Key:
        if not isinstance(event, ScalarEvent):
            self.problems.add(_line(event), path, "expected a word as key, found a list, a mapping or an alias")
            raise _RefusedError
        self._refuse_tricks(event, path)
        value = self._scalar(event, path)
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        return str(event.value)

    def _sequence(self, start: Event, events: Iterator[Event], path: Path) -> Node:
        node = Node([], _line(start))
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            node.value.append(self._node(event, events, (*path, len(node.value))))
        if not node.value:
            self.problems.add(node.line, path, "expected at least one entry; leave the key out where there is none")
        return node

    def _scalar(self, event: Any, path: Path) -> str | int | float | bool | None:
        text = str(event.value)
        if not event.implicit[0]:  # quoted, a block of text, or tagged
            return text
        if _NULL.match(text):
            return None
        if _TRUE.match(text) or _FALSE.match(text):
            return bool(_TRUE.match(text))
        if _INT.match(text):
            return int(text)
        if _FLOAT.match(text):
            return self._float(text, event, path)
        return text

    def _float(self, text: str, event: Any, path: Path) -> float:
        number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        if not math.isfinite(number):
            self.problems.add(_line(event), path, f"expected a finite number, found {text}")
            return 0.0
        return number


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1
