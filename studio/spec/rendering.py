"""Values as YAML text, in the form of their surroundings."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from studio.errors import UserError
from studio.spec.problems import ProblemList
from studio.spec.tree import parse

WIDTH = 112
"""Columns at which folded text is wrapped."""

# What JSON leaves as it is and YAML calls unprintable, or the end of a line.
_UNPRINTABLE = re.compile("[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]")


def scalar(value: Any, *, flow: bool = False, quote: str = "") -> str:
    """A scalar on one line: bare where that reads back as the same value, else in quotes (``quote`` if it can be)."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    text = str(value)
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise UserError("expected text, found half of a character (a lone surrogate)")
    if quote != '"':
        single = "'" + text.replace("'", "''") + "'"
        for candidate in (single, text) if quote else (text,):
            if _reads_back(candidate, text, flow):
                return candidate
    return double_quoted(text)


def double_quoted(text: str) -> str:
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", json.dumps(text, ensure_ascii=False))


def _reads_back(candidate: str, value: str, flow: bool) -> bool:
    """True where ``candidate`` means ``value`` as an entry and as a mapping's value."""
    if "\n" in candidate or not candidate:
        return False
    problems = ProblemList("")
    root = parse(f"[{candidate}, {{a: {candidate}}}]" if flow else f"- {candidate} # c\n- a: {candidate}\n", problems)
    return root is not None and not problems and root.plain() == (value, {"a": value})


def block_text(value: str, style: str, indent: int) -> str | None:
    """``value`` as a block of text (``|`` or ``>``), ``indent`` columns in; None where it cannot be written so."""
    margin = " " * indent
    body = value.rstrip("\n")
    if not body.strip() or body != body.strip() or not body.replace("\n", " ").isprintable():
        return None
    chomping = "-" if body == value else ""
    lines = _folded(body, WIDTH - indent) if style == ">" else body.split("\n")
    text = f"{style}{chomping}\n" + "\n".join(margin + line if line else "" for line in lines)
    problems = ProblemList("")
    root = parse(f"{' ' * max(indent - 2, 0)}a: {text}\n", problems)
    return text if root is not None and not problems and root.plain() == {"a": value} else None


def _folded(body: str, width: int) -> list[str]:
    """Paragraphs wrapped at single spaces; a line break in the text is an empty line in a folded block."""
    lines: list[str] = []
    for paragraph in body.split("\n"):
        line = ""
        for word in re.split(r"(?<=\S) (?=\S)", paragraph):
            if line and len(line) + 1 + len(word) > width:
                lines.append(line)
                line = word
            else:
                line = f"{line} {word}" if line else word
        lines += [line, ""]
    return lines[:-1]


def flow(value: Any) -> str:
    """Any value on one line: ``{a: 1, b: [x, y]}``."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{scalar(key, flow=True)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(flow, value)) + "]"
    return scalar(value, flow=True)


def block(value: Any, indent: int) -> list[str]:
    """The lines of a mapping or list, ``indent`` columns in."""
    margin = " " * indent
    if isinstance(value, Mapping):
        return [line for key, item in value.items() for line in entry(f"{margin}{scalar(key)}:", item, indent)]
    lines: list[str] = []
    for item in value:
        if isinstance(item, Mapping | list | tuple) and item:
            first, *rest = block(item, indent + 2)
            lines += [f"{margin}- {first.lstrip(' ')}", *rest]
        else:
            lines.append(f"{margin}- {scalar(item)}" if not _is_empty(item) else f"{margin}- {flow(item)}")
    return lines


def entry(head: str, value: Any, indent: int) -> list[str]:
    """The lines of ``head`` (a key with its colon) and its value."""
    if isinstance(value, Mapping | list | tuple) and value:
        return [head, *block(value, indent + 2)]
    if isinstance(value, str) and (len(value) > WIDTH - len(head) or "\n" in value):
        text = block_text(value, "|" if "\n" in value else ">", indent + 2)
        if text:
            return f"{head} {text}".split("\n")
    return [f"{head} {flow(value) if _is_empty(value) else scalar(value)}"]


def _is_empty(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple) and not value
