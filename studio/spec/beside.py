"""The files beside a spec: its context document and its user profiles, from its own folder and nowhere else."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from studio.chatml import Frozen
from studio.spec.node import Node
from studio.spec.node import Path as KeyPath
from studio.spec.problems import Problem, ProblemList
from studio.spec.profiles import Topic
from studio.spec.reading import UnreadableError, read_text
from studio.spec.tree import parse
from studio.spec.validation import validate

MAX_CONTEXT_BYTES = 4_194_304
CONTEXT: KeyPath = ("beside", "context")
PROFILES: KeyPath = ("beside", "profiles")


class Beside(Frozen):
    context_text: str = ""
    topics: tuple[Topic, ...] = ()
    problems: tuple[Problem, ...] = ()
    """Mistakes inside the profiles file, which is named in them."""


def read_beside(root: Node, spec_path: Path, problems: ProblemList) -> Beside:
    """What ``context`` and ``profiles`` name; a name that leads nowhere is a problem of the spec itself."""
    context_text = _text_at(root, CONTEXT, spec_path, problems, MAX_CONTEXT_BYTES)
    profiles_text = _text_at(root, PROFILES, spec_path, problems, MAX_CONTEXT_BYTES)
    if not profiles_text:
        return Beside(context_text=context_text)
    topics, found = parse_topics(profiles_text, str(spec_path.parent / _name_at(root, PROFILES)))
    return Beside(context_text=context_text, topics=topics, problems=found)


@lru_cache(maxsize=8)
def parse_topics(text: str, file: str) -> tuple[tuple[Topic, ...], tuple[Problem, ...]]:
    """The topics in ``text``, which has the published shape, or no topics and what is wrong with it."""
    problems = ProblemList(file)
    topics = _topics(text, problems)
    return (() if problems else topics), problems.sorted()


def _topics(text: str, problems: ProblemList) -> tuple[Topic, ...]:
    root = parse(text, problems)
    if root is None:
        if not problems:
            problems.add(1, (), "expected a list of topics, found an empty file")
        return ()
    if not isinstance(root.value, list):
        problems.add(root.line, (), "expected a list of topics (- topic: ..., example_types: [...])")
        return ()
    found: list[Topic | None] = []
    seen: dict[str, int] = {}
    for index, node in root.entries():
        topic = validate(node, Topic, problems, (index,))
        found.append(topic)
        if topic and topic.topic in seen:
            message = f"expected each topic once, found {topic.topic!r} also in line {seen[topic.topic]}"
            problems.add(node.line, (index, "topic"), message)
        if topic:
            seen.setdefault(topic.topic, node.line)
    return tuple(topic for topic in found if topic)


def _name_at(root: Node, path: KeyPath) -> str:
    node = root.at(*path)
    return node.value.strip() if node and isinstance(node.value, str) else ""


def _text_at(root: Node, path: KeyPath, spec_path: Path, problems: ProblemList, limit: int) -> str:
    node, name = root.at(*path), _name_at(root, path)
    if node is None or not isinstance(node.value, str):
        return ""
    try:
        text = read_text(inside(spec_path, name), limit)
    except UnreadableError as error:
        line = f" (line {error.line})" if error.line > 1 else ""
        problems.add(node.line, path, f"{name or 'empty name'}: {error}{line}")
        return ""
    if not text.strip():
        problems.add(node.line, path, f"{name}: expected some text, found an empty file")
    return text


def inside(spec_path: Path, name: str) -> Path:
    """The real path of ``name`` in the spec's folder or below it; raises UnreadableError for anything outside.

    Links are followed before looking, so that one inside the folder cannot lead out of it.
    """
    try:
        folder = spec_path.parent.resolve()
        target = (folder / name).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise UnreadableError(f"cannot be found: {error}") from None
    if not name or Path(name).is_absolute() or not target.is_relative_to(folder):
        raise UnreadableError("expected a file in the spec's own folder or below it")
    return target
