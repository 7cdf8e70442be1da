"""What must hold between the parts of a spec, checked on the tree so that it is told beside mistakes of form."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

from studio.spec.model import compiled
from studio.spec.problems import ProblemList
from studio.spec.scenarios import bare, probe_text, unbalanced
from studio.spec.yaml_tree import Node, Path

_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z0-9]{1,8})*\Z")


def check_tree(root: Node, problems: ProblemList) -> None:
    """Note duplicate names, contradictions and references to nothing. Mistakes of form are not this one's business."""
    for section, name in (("traits", "name"), ("patterns", "step"), ("boundaries", "id")):
        _unique(root, section, name, problems)
    _scenarios(root, problems)
    _examples(root, problems)
    _leaks(root, problems)
    _vocabulary(root, problems)
    _language(root, problems)
    _weights(root, problems)


def _texts(node: Node | None, path: Path) -> Iterator[tuple[Path, str, int]]:
    """The text entries of a list, with their paths and lines."""
    for index, item in node.entries() if node and isinstance(node.value, list) else ():
        if isinstance(item.value, str) and item.value.strip():
            yield (*path, index), item.value.strip(), item.line


def _unique(root: Node, section: str, name: str, problems: ProblemList) -> None:
    seen: dict[str, int] = {}
    holder = root.child(section)
    for index, item in holder.entries() if holder else ():
        node = item.child(name)
        if node is None or not isinstance(node.value, str):
            continue
        same = unicodedata.normalize("NFC", node.value).casefold()
        if same in seen:
            message = f"expected a name of its own, found {node.value!r} also in line {seen[same]}"
            problems.add(node.line, (section, index, name), message)
        seen.setdefault(same, node.line)


def _categories(root: Node) -> Iterator[tuple[str, Node]]:
    holder = root.child("scenarios")
    if holder and isinstance(holder.value, dict):
        yield from ((str(name), node) for name, node in holder.value.items())


def _held_out(category: Node) -> bool:
    node = category.child("holdout")
    return bool(node and node.value is True)


def _scenarios(root: Node, problems: ProblemList) -> None:
    seen: dict[str, int] = {}
    trained = False
    for name, category in _categories(root):
        held_out = _held_out(category)
        trained = trained or not held_out
        target = category.child("target")
        if held_out and target and isinstance(target.value, int) and target.value > 0:
            message = f"expected 0, found {target.value}: a category that is held out is never trained on"
            problems.add(target.line, ("scenarios", name, "target"), message)
        for path, text, line in _texts(category.child("items"), ("scenarios", name, "items")):
            if text in seen:
                problems.add(line, path, f"expected each scenario once, found {text!r} also in line {seen[text]}")
            elif held_out and unbalanced(text):
                problems.add(line, path, f"expected every [ to be closed by a ], found {text!r}")
            seen.setdefault(text, line)
    if not trained and any(True for _ in _categories(root)):
        problems.add(root.line_of(("scenarios",)), ("scenarios",), "expected a category that is not held out")


def _examples(root: Node, problems: ProblemList) -> None:
    open_items: set[str] = set()
    held_out: set[str] = set()
    for _, category in _categories(root):
        kept = held_out if _held_out(category) else open_items
        kept.update(text for _, text, _ in _texts(category.child("items"), ()))
    examples = root.child("examples")
    for index, example in examples.entries() if examples else ():
        node = example.child("scenario")
        if node is None or not isinstance(node.value, str) or node.value.strip() in open_items:
            continue
        if node.value.strip() in held_out:
            message = f"expected a scenario that is trained on, found {node.value!r}, which is held out"
        else:
            message = f"expected a scenario that a category lists, found {node.value!r}"
        problems.add(node.line, ("examples", index, "scenario"), message)


def _leaks(root: Node, problems: ProblemList) -> None:
    """What is held out to measure with must not be trained on."""
    probes: dict[str, int] = {}
    for _, category in _categories(root):
        for _, text, line in _texts(category.child("items"), ()) if _held_out(category) else ():
            probes.setdefault(bare(probe_text(text)[0]), line)
    examples = root.child("examples")
    for index, example in examples.entries() if examples else ():
        for path, node in _user_turns(example):
            if isinstance(node.value, str) and (said := bare(node.value)) and said in probes:
                message = f"expected a message that is not held out, found the probe in line {probes[said]}"
                problems.add(node.line, ("examples", index, *path), message)


def _user_turns(example: Node) -> Iterator[tuple[Path, Node]]:
    if (user := example.child("user")) is not None:
        yield ("user",), user
    turns = example.child("messages")
    for index, turn in turns.entries() if turns and isinstance(turns.value, list) else ():
        role, content = turn.child("role"), turn.child("content")
        if role is not None and role.value == "user" and content is not None:
            yield ("messages", index, "content"), content


def _vocabulary(root: Node, problems: ProblemList) -> None:
    wanted = {text.casefold(): line for _, text, line in _texts(root.at("vocabulary", "prefer"), ())}
    for path, text, line in _texts(root.at("vocabulary", "avoid"), ("vocabulary", "avoid")):
        if text.casefold() in wanted:
            message = (
                f"expected a phrase to be preferred or avoided, found {text!r} also in line {wanted[text.casefold()]}"
            )
            problems.add(line, path, message)
    for path, text, line in _texts(root.at("vocabulary", "avoid_patterns"), ("vocabulary", "avoid_patterns")):
        if message := _bad_pattern(text):
            problems.add(line, path, message)


def _bad_pattern(text: str) -> str:
    """Why a regular expression that compiles would still be a mistake; empty where it is none."""
    try:
        if compiled(text).search("", timeout=0.1) is not None:
            return f"expected a pattern that needs some text, found {text!r}, which fits every reply"
    except TimeoutError:
        return f"expected a pattern that is quick, found {text!r}, which takes too long without any text"
    except ValueError:
        pass  # told as a mistake of form
    return ""


def _language(root: Node, problems: ProblemList) -> None:
    node = root.child("language")
    if node and isinstance(node.value, str) and not _LANGUAGE.match(node.value):
        problems.add(node.line, ("language",), f"expected a language tag such as en or pt-BR, found {node.value!r}")


def _weights(root: Node, problems: ProblemList) -> None:
    weight = root.at("users", "weight")
    if weight and all((child := weight.child(name)) and child.value == 0 for name in ("profiles", "bank")):
        problems.add(root.line_of(("users", "weight")), ("users", "weight"), "expected at least one weight above 0")
