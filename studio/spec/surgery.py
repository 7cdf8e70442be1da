"""Changing one value in YAML text and nothing else: every other byte stays, comments and all.

Each function takes the text and its tree and returns the new text. They know the forms people write; the caller reads
the result back and compares, so a form that they get wrong is never saved.
"""

from __future__ import annotations

from typing import Any

from studio.spec.node import Key, Node
from studio.spec.rendering import block, block_text, double_quoted, entry, flow, scalar


def replace(text: str, parent: Node, key: Key, value: Any, *, one_line: bool = False) -> str:
    """``value`` in place of the child ``key`` of ``parent``, in the style of what was there or on one line."""
    node: Node = parent.value[key]
    if one_line and node.style != "block":
        return _spliced(text, node.start, node.end, " " * (node.start == node.end) + flow(value))
    if parent.style == "flow" or node.style == "flow":
        return _spliced(text, node.start, node.end, flow(value))
    nested = isinstance(value, dict | list | tuple) and bool(value)
    if node.style != "block" and not nested:
        gap = " " if node.start == node.end and text[node.start - 1] not in " \n" else ""
        return _spliced(text, node.start, node.end, gap + _in_style(text, node, value, _column(text, parent)))
    if isinstance(parent.value, list):
        lines = block([value], _column(text, node))
        return _spliced(text, node.start, node.end, _joined(text, lines).lstrip(" ").removeprefix("- "))
    head = text[_line_start(text, parent.keys[key].start) : parent.keys[key].end] + ":"
    lines = entry(head, value, _column(text, parent))
    return _spliced(text, _line_start(text, parent.keys[key].start), node.end, _joined(text, lines))


def _in_style(text: str, node: Node, value: Any, column: int) -> str:
    """A scalar in the style of the one that it replaces."""
    long = isinstance(value, str) and ("\n" in value or "\n" in text[node.start : node.end])
    if long and (written := _as_block(text, node, value, column + 2)):
        return _joined(text, written.split("\n"))
    if node.style == '"' and isinstance(value, str):
        return double_quoted(value)
    return scalar(value, quote="'" if node.style == "'" else "")


def _as_block(text: str, node: Node, value: str, column: int) -> str | None:
    style = node.style if node.style in ("|", ">") else ("|" if "\n" in value else ">")
    return block_text(value, style, column)


def insert(text: str, parent: Node, key: Key, value: Any) -> str:
    """``value`` as a new entry at the end of ``parent``: under ``key`` in a mapping, as the last one of a list."""
    if parent.style == "flow":
        written = flow(value) if isinstance(parent.value, list) else flow({key: value})[1:-1]
        closing = parent.end - 1
        inside = text[parent.start + 1 : closing].rstrip()
        at = parent.start + 1 + len(inside)
        return _spliced(text, at, at, (", " if parent.value and not inside.endswith(",") else "") + written)
    column = _column(text, parent)
    lines = block([value], column) if isinstance(parent.value, list) else block({key: value}, column)
    at = _line_end(text, parent.end)
    return _spliced(text, at, at, _newline(text) + _joined(text, lines))


def remove(text: str, parent: Node, key: Key) -> str:
    """Without the child ``key`` of ``parent``, which has others."""
    names = list(parent.value) if isinstance(parent.value, dict) else list(range(len(parent.value)))
    place = names.index(key)
    starts = [_entry_start(text, parent, name) for name in names]
    end = parent.value[key].end
    if parent.style == "flow":
        if place + 1 < len(names):
            return _spliced(text, starts[place], starts[place + 1], "")
        before = parent.value[names[place - 1]].end
        return _spliced(text, before, end, "")
    after = _line_end(text, end)
    before = text[_line_start(text, starts[0]) : starts[0]]
    if place == 0 and before.strip():  # it shares its line with the dash of an outer list
        if text[after : starts[1]].strip():  # a comment stays above the next one
            return _spliced(text, starts[0] - len(before) + len(before.rstrip()), after, "")
        return _spliced(text, starts[0], starts[1], "")
    return _spliced(text, _line_start(text, starts[place]), after + (1 if after < len(text) else 0), "")


def _entry_start(text: str, parent: Node, name: Key) -> int:
    """Where an entry begins: its key, its dash in a block list, itself in a flow list."""
    if isinstance(parent.value, dict):
        return parent.keys[name].start
    node: Node = parent.value[name]
    return node.start if parent.style == "flow" else text.rindex("-", 0, node.start + (node.start == node.end))


def _spliced(text: str, start: int, end: int, piece: str) -> str:
    return text[:start] + piece + text[end:]


def _column(text: str, node: Node) -> int:
    return node.start - _line_start(text, node.start)


def _line_start(text: str, at: int) -> int:
    return text.rfind("\n", 0, at) + 1


def _line_end(text: str, at: int) -> int:
    end = text.find("\n", at)
    if end < 0:
        return len(text)
    return end - 1 if text[end - 1] == "\r" else end


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _joined(text: str, lines: list[str]) -> str:
    return _newline(text).join(lines)
