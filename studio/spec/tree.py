"""YAML text as a tree of nodes. Tags never run, aliases never expand.

The tree is built from the parser's events, so a hostile file costs no more than reading it: nothing is constructed,
nothing is expanded, and depth is bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
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

from studio.spec.node import Key, Mark, Node, Path
from studio.spec.problems import ProblemList
from studio.spec.scalars import Scalar, resolve

MAX_DEPTH = 12
"""The format needs 5. The scanner's time grows with the depth of brackets, so it is stopped early."""

_STANDARD = {"tag:yaml.org,2002:" + name for name in ("str", "int", "float", "bool", "null", "map", "seq")} | {"!"}
_SURROGATE = re.compile("[\ud800-\udfff]")
_VALUES = (ScalarEvent, SequenceStartEvent, MappingStartEvent, AliasEvent)


class _RefusedError(Exception):
    """Parsing cannot go on; the problem is already noted."""


def parse(text: str, problems: ProblemList) -> Node | None:
    """The one document in ``text``; None where it cannot be read as YAML. What is wrong goes to ``problems``."""
    try:
        return _Builder(text, problems).document(YAML(typ="safe", pure=True).parse(text))
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
    def __init__(self, text: str, problems: ProblemList) -> None:
        self.text = text
        self.problems = problems

    def document(self, events: Iterator[Event]) -> Node | None:
        root: Node | None = None
        for event in events:
            if isinstance(event, DocumentStartEvent) and root is not None:
                self.problems.add(_line(event), (), "expected one document, found a second one (---)")
                raise _RefusedError
            if isinstance(event, _VALUES):
                root = self._node(event, events, ())
        if root is not None and root.value is None and not root.style:
            return None  # nothing but comments, or ---
        return root

    def _node(self, event: Any, events: Iterator[Event], path: Path) -> Node:
        self._note_tricks(event, path)
        if isinstance(event, MappingStartEvent):
            return self._mapping(event, events, path)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(event, events, path)
        start, end = event.start_mark.index, event.end_mark.index
        if isinstance(event, AliasEvent):
            return Node(None, _line(event), start, end)
        style = event.style or ""
        if style in ("|", ">"):
            end = start + len(self.text[start:end].rstrip())
        return Node(self._scalar(event, path), _line(event), start, end, style)

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
        node = Node({}, _line(start), start.start_mark.index, 0, "flow" if start.flow_style else "block")
        for event in events:
            if isinstance(event, MappingEndEvent):
                return self._closed(node, event)
            key = self._key(event, path)
            value = self._node(next(events), events, (*path, key))
            if value.start == value.end:  # nothing: the parser puts it before what comes next, people after the colon
                value.start = value.end = self.text.find(":", event.end_mark.index) + 1
                value.line = _line(event)
            node.end = value.end
            if key in node.value:
                message = f"expected each key once, found it also in line {node.keys[key].line}"
                self.problems.add(_line(event), (*path, key), message)
                continue
            node.value[key] = value
            node.keys[key] = Mark(_line(event), event.start_mark.index, event.end_mark.index)
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
        node = Node([], _line(start), start.start_mark.index, 0, "flow" if start.flow_style else "block")
        for event in events:
            if isinstance(event, SequenceEndEvent):
                self._closed(node, event)
                break
            item = self._node(event, events, (*path, len(node.value)))
            node.value.append(item)
            node.end = item.end
        if not node.value:
            self.problems.add(node.line, path, "expected at least one entry; leave the key out where there is none")
        return node

    def _closed(self, node: Node, event: Any) -> Node:
        if node.style == "flow":
            node.end = event.end_mark.index
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
