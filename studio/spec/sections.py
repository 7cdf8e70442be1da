"""Parsing again only what changed: the text is cut where a key or a list item begins, and each piece is remembered.

The parser takes about 1 ms for 8 entries; a spec has a thousand, and is checked at each pause in typing. The cuts are
safe: a line that begins at the column of its section's keys or dashes cannot be inside a block of text, and a quote or
bracket that spans a cut makes its piece fail alone. Whatever is unusual, or wrong, is parsed as a whole.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from studio.spec.node import Mark, Node
from studio.spec.problems import ProblemList
from studio.spec.tree import parse

_OTHER_LINE_ENDS = re.compile("[\r\u0085\u2028\u2029]")
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_]*:(?=[ \n]|$)")
_ALONE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*: *(?:#.*)?$")
_ITEM = re.compile(r" *- ")
_SILENT = re.compile(r" *(?:#.*)?$")


def parse_fast(text: str, problems: ProblemList) -> Node | None:
    """As :func:`studio.spec.tree.parse`, many times faster for a text that changed little since it was parsed last."""
    root = _assembled(text)
    return root if root is not None else parse(text, problems)


def _assembled(text: str) -> Node | None:
    """The root from its sections; None where cutting does not apply."""
    lines = text.split("\n")
    starts = [number for number, line in enumerate(lines) if line[:1] not in ("", " ", "#", "-")]
    if not starts or _OTHER_LINE_ENDS.search(text) or not all(_KEY.match(lines[number]) for number in starts):
        return None
    if not all(_SILENT.match(line) for line in lines[: starts[0]]) or any(line.startswith("---") for line in lines):
        return None
    root = Node({}, starts[0] + 1, sum(len(line) + 1 for line in lines[: starts[0]]), 0, "block")
    offset = root.start
    for number, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        section = _section(_cut(lines, number, end))
        if section is None or not isinstance(section.value, dict) or section.value.keys() & root.value.keys():
            return None
        moved = section.moved(number, offset)
        root.value |= moved.value
        root.keys |= moved.keys
        root.end = moved.end
        offset += sum(len(line) + 1 for line in lines[number:end])
    return root


@lru_cache(maxsize=256)
def _section(text: str) -> Node | None:
    """A key at the left margin with all that belongs to it."""
    lines = text.split("\n")
    starts = list(_items(lines))
    if len(starts) < 2:
        return _parsed(text)
    items, offset = Node([], starts[0] + 1, 0, 0, "block"), sum(len(line) + 1 for line in lines[: starts[0]])
    items.start = offset + lines[starts[0]].index("-")
    for number, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        item = _parsed(_cut(lines, number, end))
        if item is None or not isinstance(item.value, list) or len(item.value) != 1:
            return _parsed(text)
        items.value.append(item.value[0].moved(number, offset))
        offset += sum(len(line) + 1 for line in lines[number:end])
    items.end = items.value[-1].end
    name = lines[0].partition(":")[0]
    return Node({name: items}, 1, 0, items.end, "block", {name: Mark(1, 0, len(name))})


def _cut(lines: list[str], start: int, end: int) -> str:
    """The lines with their ends: the last line of the whole text has none."""
    return "\n".join(lines[start:end]) + ("\n" if end < len(lines) else "")


def _items(lines: list[str]) -> Iterator[int]:
    """The lines at which the items of a block list begin, where the section is such a list and nothing else."""
    first = next((number for number, line in enumerate(lines) if number and not _SILENT.match(line)), None)
    if first is None or not _ALONE.match(lines[0]) or not (dash := _ITEM.match(lines[first])):
        return
    margin = dash[0]
    for line in lines[first:]:
        inside = line.startswith((margin, " " * len(margin))) or _SILENT.match(line)
        if not inside:
            return
    yield from (number for number, line in enumerate(lines) if number >= first and line.startswith(margin))


@lru_cache(maxsize=2048)
def _parsed(text: str) -> Node | None:
    """A piece on its own; None where anything is wrong with it, so that the whole is parsed and says where."""
    problems = ProblemList("")
    root = parse(text, problems)
    return None if problems else root
