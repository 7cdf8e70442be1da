"""The files that a spec names: read, or found, in its own folder and nowhere else."""

from __future__ import annotations

import stat
from functools import lru_cache
from pathlib import Path

from studio.chatml import Frozen
from studio.spec.model import DEFAULT_BANK, Topic
from studio.spec.problems import Problem, ProblemList
from studio.spec.schema_1 import tell_moved_of_topics
from studio.spec.validate import validate
from studio.spec.yaml_tree import Node, parse
from studio.spec.yaml_tree import Path as KeyPath

MAX_SPEC_BYTES = 1_048_576
"""A spec is written by hand; the largest sensible one is a tenth of this."""
MAX_CONTEXT_BYTES = 4_194_304
_BANK = ("users", "bank")


class UnreadableError(Exception):
    """The file cannot be read as text. ``str()`` says why; ``line`` is where, 1-based."""

    def __init__(self, message: str, line: int = 1) -> None:
        self.line = line
        super().__init__(message)


class NamedFiles(Frozen):
    """What the names in a spec lead to. The paths are real ones: no links, nothing relative."""

    context_text: str = ""
    topics: tuple[Topic, ...] = ()
    recorded_path: Path | None = None
    labels_path: Path | None = None
    bank_path: Path | None = None
    problems: tuple[Problem, ...] = ()
    """Mistakes inside the profiles file, which is named in them."""


def read_named(root: Node, spec_path: Path, problems: ProblemList, *, with_data: bool = True) -> NamedFiles:
    """What ``beside`` and ``users.bank`` name; a name that leads nowhere is a problem of the spec itself.

    Context and profiles are read. Recordings, labels and a bank are data, of any size: they are only found, and
    without ``with_data`` not looked for.
    """

    def text(*key: str) -> str:
        return _text_at(root, key, spec_path, problems)

    def path(*key: str) -> Path | None:
        return _path_at(root, key, spec_path, problems) if with_data else None

    profiles = text("beside", "profiles")
    name = (root.text_at("beside", "profiles") or "").strip()
    topics, found = parse_topics(profiles, str(spec_path.parent / name)) if profiles.strip() else ((), ())
    own_bank = (root.text_at(*_BANK) or "").strip() != DEFAULT_BANK
    return NamedFiles(
        context_text=text("beside", "context"),
        topics=topics,
        recorded_path=path("beside", "recorded"),
        labels_path=path("beside", "labels"),
        bank_path=path(*_BANK) if own_bank else None,
        problems=found,
    )


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
    tell_moved_of_topics(root, problems)
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


def _text_at(root: Node, key: KeyPath, spec_path: Path, problems: ProblemList) -> str:
    """The text of the file that is named at ``key``; empty where there is none, or none that can be read."""
    path = _path_at(root, key, spec_path, problems)
    if path is None:
        return ""
    name = (root.text_at(*key) or "").strip()
    try:
        text = read_text(path, MAX_CONTEXT_BYTES)
    except UnreadableError as error:
        line = f" (line {error.line})" if error.line > 1 else ""
        problems.add(root.line_of(key), key, f"{name}: {error}{line}")
        return ""
    if not text.strip():
        problems.add(root.line_of(key), key, f"{name}: expected some text, found an empty file")
    return text


def _path_at(root: Node, key: KeyPath, spec_path: Path, problems: ProblemList) -> Path | None:
    """The regular file that is named at ``key``; None where none is named, or there is no such file."""
    name = (root.text_at(*key) or "").strip()
    if not name:
        return None
    try:
        path = inside(spec_path, name)
        _regular(path)
    except UnreadableError as error:
        hint = "; expected default, a file of people beside the spec, or null" if key == _BANK else ""
        problems.add(root.line_of(key), key, f"{name}: {error}{hint}")
        return None
    return path


def inside(spec_path: Path, name: str) -> Path:
    """The real path of ``name`` in the spec's folder or below it; raises UnreadableError for anything outside.

    Links are followed before looking, so that one inside the folder cannot lead out of it.
    """
    try:
        folder = spec_path.parent.resolve()
        target = (folder / name).resolve()
    except (OSError, RuntimeError, ValueError) as error:
        raise UnreadableError(f"cannot be found: {error}") from None
    if Path(name).is_absolute() or not target.is_relative_to(folder):
        raise UnreadableError("expected a file in the spec's own folder or below it")
    return target


def read_text(path: Path, limit: int = MAX_SPEC_BYTES) -> str:
    """The text of a regular UTF-8 file of at most ``limit`` bytes, without a byte order mark.

    Raises UnreadableError: a missing file, a folder, a device or pipe (never opened), too many bytes, another encoding.
    """
    _regular(path)
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except (OSError, ValueError) as error:
        raise UnreadableError(_why(error)) from None
    if len(raw) > limit:
        raise UnreadableError(f"expected at most {limit // 1024} KiB")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise UnreadableError(f"expected UTF-8 text, found the byte 0x{raw[error.start]:02x}", line) from None


def _regular(path: Path) -> None:
    """Raises UnreadableError for what is no regular file."""
    try:
        mode = path.stat().st_mode
    except (OSError, ValueError) as error:
        raise UnreadableError(_why(error)) from None
    if stat.S_ISDIR(mode):
        raise UnreadableError("expected a file, found a folder")
    if not stat.S_ISREG(mode):
        raise UnreadableError("expected a regular file, found a device, pipe or socket")


def _why(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "no such file"
    return f"cannot be read: {getattr(error, 'strerror', None) or error}"
