"""The files beside a spec: its context document and its user profiles, from its own folder and nowhere else."""

from __future__ import annotations

import stat
from functools import lru_cache
from pathlib import Path

from studio.chatml import Frozen
from studio.spec.model import Topic
from studio.spec.problems import Problem, ProblemList
from studio.spec.validate import validate
from studio.spec.yaml_tree import Node, parse
from studio.spec.yaml_tree import Path as KeyPath

MAX_SPEC_BYTES = 1_048_576
"""A spec is written by hand; the largest sensible one is a tenth of this."""
MAX_CONTEXT_BYTES = 4_194_304
CONTEXT: KeyPath = ("beside", "context")
PROFILES: KeyPath = ("beside", "profiles")


class UnreadableError(Exception):
    """The file cannot be read as text. ``str()`` says why; ``line`` is where, 1-based."""

    def __init__(self, message: str, line: int = 1) -> None:
        self.line = line
        super().__init__(message)


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


def read_text(path: Path, limit: int = MAX_SPEC_BYTES) -> str:
    """The text of a regular UTF-8 file of at most ``limit`` bytes, without a byte order mark.

    Raises UnreadableError: a missing file, a folder, a device or pipe (never opened), too many bytes, another encoding.
    """
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise UnreadableError("expected a file, found a folder")
        if not stat.S_ISREG(mode):
            raise UnreadableError("expected a regular file, found a device, pipe or socket")
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except FileNotFoundError:
        raise UnreadableError("no such file") from None
    except (OSError, ValueError) as error:
        raise UnreadableError(f"cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(raw) > limit:
        raise UnreadableError(f"expected at most {limit // 1024} KiB")
    return decode(raw)


def decode(raw: bytes) -> str:
    """UTF-8 text; raises UnreadableError with the line of the first byte that is not."""
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableError(f"expected UTF-8 text, found the byte 0x{raw[error.start]:02x}", line) from None
