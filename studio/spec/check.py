"""What must hold between the parts of a spec, checked on the tree so that it is told beside mistakes of form.

Keys of schema 1, the format before this one, are told where they stand, with what became of each; nothing is converted.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from studio.spec.model import bare, compiled, probe_text, unbalanced
from studio.spec.problems import Key, Path, ProblemList
from studio.spec.yaml_tree import Node

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*\Z")
_ANY = -1
"""Stands for every entry of a list."""

MOVED: dict[Path, str] = {
    ("context",): "moved: it is beside.context now",
    ("users", "profiles"): "moved: it is beside.profiles now",
    ("users", "things"): "gone: no words are exchanged in examples any more; leave it out",
    ("slots",): "gone: no words are exchanged in examples any more; leave it out",
    ("traits", _ANY, "cues"): "gone: say under anchors what a 2, a 1 and a 0 look like",
    ("patterns", _ANY, "phrases"): "gone: say the step under how, and put expressions under vocabulary.prefer",
    ("boundaries", _ANY, "cues"): "moved: it is boundaries.{0}.phrases now",
}
MOVED_OF_TOPICS: dict[Path, str] = {
    (_ANY, "example_types", _ANY, "example_things"): "gone: say what is on their mind in example_background",
}


def check_tree(root: Node, problems: ProblemList) -> None:
    """Note keys of schema 1, duplicate names, contradictions and references to nothing. Mistakes of form are not this
    one's business."""
    _schema_1(root, problems)
    for section, name in (("traits", "name"), ("patterns", "step"), ("boundaries", "id")):
        _unique(root, section, name, problems)
    _scenarios(root, problems)
    _examples(root, problems)
    _vocabulary(root, problems)
    node = root.at("language")
    if node and isinstance(node.value, str) and not _LANGUAGE.match(node.value):
        problems.add(node.line, ("language",), f"expected a language tag such as en or pt-BR, found {node.value!r}")
    weight = root.at("users", "weight")
    if weight and all((child := weight.at(name)) and child.value == 0 for name in ("profiles", "bank")):
        problems.add(root.line_of(("users", "weight")), ("users", "weight"), "expected at least one weight above 0")


def _schema_1(root: Node, problems: ProblemList) -> None:
    number = root.at("schema")
    if number and number.value == 1 and not isinstance(number.value, bool):
        message = "expected 2, found the number 1; each key of schema 1 that moved or is gone is named in its line"
        problems.add(root.line_of(("schema",)), ("schema",), message)
    tell_moved(root, MOVED, problems)
    path: Path = ("deployment", "base_model")
    if (model := root.at(*path)) and model.value == "pocket":
        problems.add(root.line_of(path), path, "gone: pocket is no model any more; the one that comes along is smollm2")


def tell_moved(root: Node, moved: dict[Path, str], problems: ProblemList) -> None:
    """Note each key of schema 1 in a spec, or in a file of profiles."""
    for pattern, what in moved.items():
        for path in _fitting(root, pattern):
            places = [part for part, wanted in zip(path, pattern, strict=True) if wanted == _ANY]
            problems.add(root.line_of(path), path, what.format(*places))


def _fitting(node: Node, pattern: Path) -> Iterator[Path]:
    """The paths in ``node`` that ``pattern`` fits."""
    if not pattern:
        yield ()
        return
    first, *rest = pattern
    for key, child in node.entries(kind=list if first == _ANY else object):
        if key == first or first == _ANY:
            yield from ((key, *below) for below in _fitting(child, tuple(rest)))


def _texts(root: Node, *path: Key) -> Iterator[tuple[Path, str, int]]:
    """The text entries of the list at ``path``, with their paths and lines."""
    for index, item in root.entries(*path, kind=list):
        if isinstance(item.value, str) and item.value.strip():
            yield (*path, index), item.value.strip(), item.line


def _unique(root: Node, section: str, name: str, problems: ProblemList) -> None:
    seen: dict[str, int] = {}
    for index, item in root.entries(section):
        node = item.at(name)
        if node is None or not isinstance(node.value, str):
            continue
        same = unicodedata.normalize("NFC", node.value).casefold()
        if same in seen:
            message = f"expected a name of its own, found {node.value!r} also in line {seen[same]}"
            problems.add(node.line, (section, index, name), message)
        seen.setdefault(same, node.line)


def _categories(root: Node) -> Iterator[tuple[Key, Node, bool]]:
    """Name, content and whether it is held out, of each."""
    for name, category in root.entries("scenarios", kind=dict):
        held_out = category.at("holdout")
        yield name, category, bool(held_out and held_out.value is True)


def _scenarios(root: Node, problems: ProblemList) -> None:
    seen: dict[str, int] = {}
    for name, category, held_out in _categories(root):
        target = category.at("target")
        if held_out and target and isinstance(target.value, int) and target.value > 0:
            message = f"expected 0, found {target.value}: a category that is held out is never trained on"
            problems.add(target.line, ("scenarios", name, "target"), message)
        for path, text, line in _texts(root, "scenarios", name, "items"):
            if text in seen:
                problems.add(line, path, f"expected each scenario once, found {text!r} also in line {seen[text]}")
            elif held_out and unbalanced(text):
                problems.add(line, path, f"expected every [ to be closed by a ], found {text!r}")
            seen.setdefault(text, line)
    categories = [held_out for _, _, held_out in _categories(root)]
    if categories and all(categories):
        problems.add(root.line_of(("scenarios",)), ("scenarios",), "expected a category that is not held out")


def _examples(root: Node, problems: ProblemList) -> None:
    """Each shows a scenario that is trained on, and says nothing of what is held out to measure with."""
    items: dict[bool, dict[str, int]] = {True: {}, False: {}}
    for name, _, held_out in _categories(root):
        for _, text, line in _texts(root, "scenarios", name, "items"):
            items[held_out].setdefault(text, line)
    probes: dict[str, int] = {}
    for text, line in items[True].items():
        probes.setdefault(bare(probe_text(text)[0]), line)
    for index, example in root.entries("examples"):
        node = example.at("scenario")
        if node and isinstance(node.value, str) and node.value.strip() not in items[False]:
            held_out = node.value.strip() in items[True]
            wanted, why = ("is trained on", ", which is held out") if held_out else ("a category lists", "")
            message = f"expected a scenario that {wanted}, found {node.value!r}{why}"
            problems.add(node.line, ("examples", index, "scenario"), message)
        for path, node in _user_turns(example):
            if isinstance(node.value, str) and (said := bare(node.value)) and said in probes:
                message = f"expected a message that is not held out, found the probe in line {probes[said]}"
                problems.add(node.line, ("examples", index, *path), message)


def _user_turns(example: Node) -> Iterator[tuple[Path, Node]]:
    if (user := example.at("user")) is not None:
        yield ("user",), user
    for index, turn in example.entries("messages", kind=list):
        role, content = turn.at("role"), turn.at("content")
        if role is not None and role.value == "user" and content is not None:
            yield ("messages", index, "content"), content


def _vocabulary(root: Node, problems: ProblemList) -> None:
    wanted = {text.casefold(): line for _, text, line in _texts(root, "vocabulary", "prefer")}
    for path, text, line in _texts(root, "vocabulary", "avoid"):
        if also := wanted.get(text.casefold()):
            message = f"expected a phrase to be preferred or avoided, found {text!r} also in line {also}"
            problems.add(line, path, message)
    for path, text, line in _texts(root, "vocabulary", "avoid_patterns"):
        try:
            if compiled(text).search("", timeout=0.1) is not None:
                problems.add(
                    line, path, f"expected a pattern that needs some text, found {text!r}, which fits every reply"
                )
        except TimeoutError:
            message = f"expected a pattern that is quick, found {text!r}, which takes too long without any text"
            problems.add(line, path, message)
        except ValueError:
            pass  # told as a mistake of form
