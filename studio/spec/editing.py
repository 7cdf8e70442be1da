"""Edits of a spec's text by key: what changes is the value, what stays is every comment, the order and the layout.

An edit splices the text. The result is read back and must hold exactly the old values with the one change; where the
text is written in a form that splicing does not know, ruamel.yaml's round trip makes the edit instead.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from studio.errors import UserError
from studio.spec import surgery
from studio.spec.node import Key, Node, Path
from studio.spec.problems import ProblemList, SpecError, dotted
from studio.spec.sections import parse_fast

Candidate = Callable[[], str]


def read_root(text: str, file: str = "") -> Node:
    """The tree of ``text``; raises SpecError where it is not a mapping in YAML."""
    problems = ProblemList(file)
    root = parse_fast(text, problems)
    if root is None or not isinstance(root.value, dict):
        problems.add(1, (), "expected a mapping that begins with schema: 1 and name:")
        raise SpecError(problems.sorted())
    return root


def find_path(root: Node, key: str | Path) -> Path:
    """``traits.0.is`` as a path: a number is an index in a list, and in a mapping whichever key it has."""
    parts: Path = tuple(key.split(".")) if isinstance(key, str) else tuple(key)
    node: Node | None = root
    found: list[Key] = []
    for part in parts:
        number = int(part) if isinstance(part, str) and part.isdecimal() and len(part) < 10 else part
        in_mapping = node is not None and isinstance(node.value, dict) and part in node.value
        found.append(part if in_mapping else number)
        node = node.child(found[-1]) if node else None
    return tuple(found)


def set_value(text: str, key: str | Path, value: Any) -> str:
    """``text`` with ``value`` at ``key``. Missing parents are made; an empty list or mapping removes the key.

    Lists and mappings are changed entry by entry, so that comments beside the entries that stay, stay.
    """
    root = read_root(text)
    path = find_path(root, key)
    old = root.at(*path)
    if isinstance(value, dict | list | tuple) and not value:
        return remove_value(text, path) if old else text
    if old is None:
        return _add(text, root, path, value)
    if isinstance(value, list | tuple) and isinstance(old.value, list):
        return _set_list(text, path, old, list(value))
    if isinstance(value, Mapping) and isinstance(old.value, dict):
        return _set_mapping(text, path, old, value)
    if _same(old.plain(), value):
        return text
    parent = _parent(root, path)
    return _edited(
        text,
        root,
        path,
        value,
        lambda: surgery.replace(text, parent, path[-1], value),
        lambda: surgery.replace(text, parent, path[-1], value, one_line=True),
    )


def append_value(text: str, key: str | Path, value: Any) -> str:
    """``text`` with ``value`` at the end of the list at ``key``, which is made where it is missing."""
    root = read_root(text)
    path = find_path(root, key)
    node = root.at(*path)
    if node is None or node.value is None:
        return set_value(text, path, [value])
    if not isinstance(node.value, list):
        raise UserError(f"expected a list at {dotted(path)}")
    return _add(text, root, (*path, len(node.value)), value)


def remove_value(text: str, key: str | Path) -> str:
    """``text`` without what stands at ``key``; a list or mapping that would be left empty goes too."""
    root = read_root(text)
    path = find_path(root, key)
    if root.at(*path) is None:
        raise UserError(f"there is nothing at {dotted(path)}")
    while len(path) > 1 and len(_parent(root, path).value) == 1:
        path = path[:-1]
    parent = _parent(root, path)
    if len(parent.value) == 1:
        raise UserError("the last key of a spec cannot be removed")
    return _edited(text, root, path, _GONE, lambda: surgery.remove(text, parent, path[-1]))


def _add(text: str, root: Node, path: Path, value: Any) -> str:
    """A new entry under the deepest parent that exists."""
    depth = next(depth for depth in range(len(path) - 1, -1, -1) if root.at(*path[:depth]))
    for key in reversed(path[depth + 1 :]):
        value = [value] if key == 0 and isinstance(key, int) else {key: value}
    here = path[: depth + 1]
    parent = _parent(root, here)
    if parent.value is None:
        return set_value(text, here[:-1], [value] if isinstance(here[-1], int) else {here[-1]: value})
    wrong_index = isinstance(parent.value, list) and here[-1] != len(parent.value)
    if not isinstance(parent.value, dict | list) or wrong_index:
        raise UserError(f"there is no place for {dotted(here)}")
    return _edited(text, root, here, value, lambda: surgery.insert(text, parent, here[-1], value))


def _set_list(text: str, path: Path, old: Node, values: list[Any]) -> str:
    for index, value in enumerate(values):
        text = set_value(text, (*path, index), value)
    for index in range(len(old.value) - 1, len(values) - 1, -1):
        text = remove_value(text, (*path, index))
    return text


def _set_mapping(text: str, path: Path, old: Node, values: Mapping[Key, Any]) -> str:
    for key, value in values.items():
        text = set_value(text, (*path, key), value)
    for key in old.value:
        if key not in values:
            text = remove_value(text, (*path, key))
    return text


def _parent(root: Node, path: Path) -> Node:
    node = root.at(*path[:-1])
    if node is None:
        raise UserError(f"there is nothing at {dotted(path[:-1])}")
    return node


_GONE = object()


def _edited(text: str, root: Node, path: Path, value: Any, *candidates: Candidate) -> str:
    """The first candidate that reads back as the old values with the one change."""
    wanted = _changed(root.plain(), path, value)
    for candidate in (*candidates, lambda: _round_trip(text, path, value)):
        for written in _attempt(candidate):
            problems = ProblemList("")
            again = parse_fast(written, problems)
            if again is not None and _same(again.plain(), wanted):
                return written
    raise UserError(f"{dotted(path)} cannot be written", remedy="edit the text instead")


def _attempt(candidate: Candidate) -> Iterator[str]:
    try:
        yield candidate()
    except (LookupError, ValueError, YAMLError):
        return


def _round_trip(text: str, path: Path, value: Any) -> str:
    """The edit by ruamel.yaml: comments and order stay, the layout may not."""
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 1_000_000
    yaml.indent(mapping=2, sequence=4, offset=2)
    data = yaml.load(text)
    holder = data
    for key in path[:-1]:
        holder = holder[key]
    if value is _GONE:
        del holder[path[-1]]
    elif isinstance(holder, list) and path[-1] == len(holder):
        holder.append(value)
    else:
        holder[path[-1]] = list(value) if isinstance(value, tuple) else value
    written = io.StringIO()
    yaml.dump(data, written)
    return written.getvalue()


def _changed(data: Any, path: Path, value: Any) -> Any:
    """``data`` with ``value`` at ``path``; _GONE takes the entry out."""
    if not path:
        return value
    key, rest = path[0], path[1:]
    entries = dict(data) if isinstance(data, dict) else dict(enumerate(data))
    new = _changed(entries.get(key), rest, value)
    if new is _GONE:
        entries.pop(key)
    else:
        entries[key] = new
    return entries if isinstance(data, dict) else tuple(entries.values())


def _same(first: Any, second: Any) -> bool:
    """Equal values of equal types: 1 is neither True nor 1.0, and a list may be a tuple."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return first.keys() == second.keys() and all(_same(first[key], second[key]) for key in first)
    if isinstance(first, list | tuple) and isinstance(second, list | tuple):
        return len(first) == len(second) and all(map(_same, first, second))
    return type(first) is type(second) and bool(first == second)
