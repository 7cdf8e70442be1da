"""YAML text as a tree of values that know their lines. Tags never run, aliases never expand.

The tree is built from the parser's events, so a hostile file costs no more than reading it: nothing is constructed,
nothing is expanded, and depth is bounded. Plain scalars are read by the YAML 1.2 core schema: ``yes``, ``no`` and dates
stay text.
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

from studio.spec.problems import Key, Path, ProblemList

Scalar = str | int | float | bool | None

MAX_DEPTH = 12
"""The format needs 5. The scanner's time grows with the depth of brackets, so it is stopped early."""

MAX_DIGITS = 300
"""Of a whole number; a float holds 308."""

_STANDARD = {"tag:yaml.org,2002:" + name for name in ("str", "int", "float", "bool", "null", "map", "seq")} | {"!"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_VALUES = (ScalarEvent, SequenceStartEvent, MappingStartEvent, AliasEvent)
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INT = re.compile(r"[-+]?[0-9]+\Z")
_FLOAT = re.compile(
    r"(?:[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))\Z"
)


@dataclass(slots=True)
class Node:
    """A value with its 1-based line: a scalar, a dict of key to Node, or a list of Nodes."""

    value: Any
    line: int
    keys: dict[Key, int] = field(default_factory=dict)
    """Of a mapping: the line of each key."""

    def plain(self) -> Any:
        """Dicts, tuples and scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, list):
            return tuple(node.plain() for node in self.value)
        return self.value

    def at(self, *path: Key) -> Node | None:
        """What stands at ``path``; None where there is nothing."""
        node: Node | None = self
        for key in path:
            found = node.value if node else None
            if isinstance(found, list) and isinstance(key, int):
                node = found[key] if 0 <= key < len(found) else None
            else:
                node = found.get(key) if isinstance(found, dict) else None
        return node

    def text_at(self, *path: Key) -> str:
        """The text at ``path``, without white space around it; empty where there is none."""
        node = self.at(*path)
        return node.value.strip() if node and isinstance(node.value, str) else ""

    def entries(self, *path: Key, kind: type = object) -> Iterator[tuple[Key, Node]]:
        """The children of what stands at ``path``, by key or index; none of a scalar, or of another ``kind``."""
        node = self.at(*path)
        if node is None or not isinstance(node.value, kind):
            return
        if isinstance(node.value, dict):
            yield from node.value.items()
        elif isinstance(node.value, list):
            yield from enumerate(node.value)

    def line_of(self, path: Path) -> int:
        """The line of the deepest part of ``path`` that exists: of its key in a mapping, of itself in a list."""
        node, line = self, self.line
        for key in path:
            child = node.at(key)
            if child is None:
                return line
            line = node.keys.get(key, child.line)
            node = child
        return line


class _RefusedError(Exception):
    """Parsing cannot go on; the problem is already noted."""


def parse(text: str, problems: ProblemList) -> Node | None:
    """The one document in ``text``; None where it cannot be read as YAML, or is empty. What is wrong goes to
    ``problems``."""
    try:
        return _Builder(problems).document(YAML(typ="safe", pure=True).parse(text))
    except _RefusedError:
        return None
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        what = " ".join(part for part in (error.context, error.problem) if part)
        problems.add(mark.line + 1 if mark else 1, (), f"not valid YAML: {what or 'cannot be read'}")
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        found = f"U+{ord(text[error.position]):04X}"
        problems.add(line, (), f"expected printable text, found the control character {found}")
    except (YAMLError, ValueError, TypeError, LookupError, AttributeError, AssertionError, RecursionError) as error:
        # The parser lets slips of its own through on garbage; they are the file's fault all the same.
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
            if isinstance(event, _VALUES):
                root = self._node(event, events, ())
        if root is not None and root.value is None:
            return None  # nothing but comments, or ---
        return root

    def _node(self, event: Any, events: Iterator[Event], path: Path) -> Node:
        self._note_tricks(event, path)
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, events, path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, events, path)
        return Node(None if isinstance(event, AliasEvent) else self._scalar(event, path), _line(event))

    def _note_tricks(self, event: Any, path: Path) -> None:
        """Aliases, anchors and tags are mistakes, but the rest of the file can still be read."""
        if len(path) > MAX_DEPTH:
            self.problems.add(_line(event), path[:3], f"expected at most {MAX_DEPTH} levels")
            raise _RefusedError
        if event.anchor:
            sign = "*" if isinstance(event, AliasEvent) else "&"
            message = f"expected the text itself, found {sign}{event.anchor}; write it out, or put it in quotes"
            self.problems.add(_line(event), path, message)
        tag = getattr(event, "tag", None)
        if tag and str(tag) not in _STANDARD:
            self.problems.add(_line(event), path, f"expected no tag, found {tag}; nothing in a spec is ever run")

    def _mapping(self, start: Any, events: Iterator[Event], path: Path) -> Node:
        node = Node({}, _line(start))
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            key = self._key(event, path)
            of_value: Any = next(events)
            value = self._node(of_value, events, (*path, key))
            if of_value.start_mark.index == of_value.end_mark.index:
                value.line = _line(event)  # nothing: the parser puts it before what comes next, people after the colon
            if key in node.value:
                message = f"expected each key once, found it also in line {node.keys[key]}"
                self.problems.add(_line(event), (*path, key), message)
                continue
            node.value[key] = value
            node.keys[key] = _line(event)
        return node

    def _key(self, event: Any, path: Path) -> Key:
        if not isinstance(event, ScalarEvent):
            self.problems.add(_line(event), path, "expected a word as key, found a list, a mapping or an alias")
            raise _RefusedError
        self._note_tricks(event, path)
        value = self._scalar(event, path)
        if isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        return str(event.value)

    def _sequence(self, start: Any, events: Iterator[Event], path: Path) -> Node:
        node = Node([], _line(start))
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            node.value.append(self._node(event, events, (*path, len(node.value))))
        if not node.value:
            self.problems.add(node.line, path, "expected at least one entry; leave the key out where there is none")
        return node

    def _scalar(self, event: Any, path: Path) -> Scalar:
        text = str(event.value)
        if _SURROGATE.search(text):
            try:  # two escapes, as JSON writes them, are one character
                text = text.encode("utf-16", "surrogatepass").decode("utf-16")
            except UnicodeDecodeError:
                self.problems.add(_line(event), path, "expected characters, found half of one (a lone surrogate)")
                return ""
        if not event.implicit[0]:  # quoted, a block of text, or tagged
            return text
        try:
            return resolve(text)
        except ValueError as error:
            self.problems.add(_line(event), path, str(error))
            return 0.0


def _line(event: Event) -> int:
    return int(event.start_mark.line) + 1


def resolve(text: str) -> Scalar:
    """The value of an unquoted scalar. Raises ValueError for NaN, the infinities and what overflows."""
    if text in _WORDS:
        return _WORDS[text]
    if _INT.match(text):
        if len(text) > MAX_DIGITS:
            raise ValueError(f"expected a number of at most {MAX_DIGITS} digits")
        return int(text)
    if _FLOAT.match(text):
        number = float(text.lower().replace(".inf", "inf").replace(".nan", "nan"))
        if not math.isfinite(number):
            raise ValueError(f"expected a finite number, found {text}")
        return number
    return text
