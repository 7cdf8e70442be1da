"""Loading a spec, and the files that it names in its own folder and nowhere else: all of it, or all that is wrong."""

from __future__ import annotations

import hashlib
import json
import shutil
import stat
from collections.abc import Sequence
from functools import lru_cache
from importlib.resources import files
from pathlib import Path

from studio.chatml import Frozen
from studio.files import write_atomic
from studio.spec.check import MOVED_OF_TOPICS, check_tree, tell_moved
from studio.spec.model import DEFAULT_BANK, Spec, Topic
from studio.spec.problems import Key, Problem, ProblemList, SpecError, validate
from studio.spec.yaml_tree import Node, parse

MAX_SPEC_BYTES = 1_048_576
"""A spec is written by hand; the largest sensible one is a tenth of this."""
MAX_CONTEXT_BYTES = 4_194_304
_KEPT_FILE = "spec.yaml"
_BANK = ("users", "bank")


class UnreadableError(Exception):
    """The file cannot be read as text. ``str()`` says why; ``line`` is where, 1-based."""

    def __init__(self, message: str, line: int = 1) -> None:
        self.line = line
        super().__init__(message)


class LoadedSpec(Frozen):
    """A valid spec with the files that it names, and the hash that whatever is made from it records.

    The paths of data files are real ones, no links and nothing relative; their content is for the rooms that use it to
    read.
    """

    path: Path
    spec: Spec
    hash: str
    context_text: str = ""
    topics: tuple[Topic, ...] = ()
    recorded_path: Path | None = None
    labels_path: Path | None = None
    bank_path: Path | None = None
    """The file of people that ``users.bank`` names; None for ``default`` and for nobody."""


def load(path: Path | str, *, with_data: bool = True) -> LoadedSpec:
    """The spec in ``path``. Raises SpecError with every problem at once; nothing in the file is ever run.

    Context and profiles are read. Recordings, labels and a bank are data, of any size: they are only found, and
    without ``with_data`` not looked for.
    """
    path = Path(path)
    try:
        text = read_text(path)
    except UnreadableError as error:
        raise SpecError([Problem(file=str(path), line=error.line, key="", message=str(error))]) from None
    loaded, problems = check(text, path, with_data=with_data)
    if loaded is None:
        raise SpecError(problems)
    return loaded


def check(text: str, path: Path | str, *, with_data: bool = True) -> tuple[LoadedSpec | None, tuple[Problem, ...]]:
    """The spec in ``text`` as if it stood in ``path``: valid and no problems, or None and all of them.

    A name that leads nowhere is a problem of the spec itself, a mistake in its profiles one of their own file.
    """
    path = Path(path)
    problems = ProblemList(path)
    if len(text) > MAX_SPEC_BYTES:
        problems.add(1, (), f"expected at most {MAX_SPEC_BYTES // 1024} KiB")
        return None, problems.sorted()
    begins = "begins with schema: 2 and name:"
    root = _tree(text, problems, dict, f"a persona spec, found an empty file; it {begins}", f"a mapping that {begins}")
    if root is None:
        return None, problems.sorted()
    check_tree(root, problems)
    profiles = _text_at(root, ("beside", "profiles"), path, problems)
    file = str(path.parent / root.text_at("beside", "profiles"))
    topics, in_profiles = parse_topics(profiles, file) if profiles.strip() else ((), ())
    context = _text_at(root, ("beside", "context"), path, problems)
    data = [("beside", "recorded"), ("beside", "labels")] if with_data else []
    if with_data and root.text_at(*_BANK) != DEFAULT_BANK:
        data.append(_BANK)
    found = {key: _path_at(root, key, path, problems) for key in data}
    spec = validate(root, Spec, problems)
    if spec is None or problems or in_profiles:
        return None, problems.sorted() + in_profiles
    loaded = LoadedSpec(
        path=path,
        spec=spec,
        hash=content_hash(spec, context, topics),
        context_text=context,
        topics=topics,
        recorded_path=found.get(("beside", "recorded")),
        labels_path=found.get(("beside", "labels")),
        bank_path=found.get(_BANK),
    )
    return loaded, ()


def _tree(text: str, problems: ProblemList, kind: type, if_empty: str, if_other: str) -> Node | None:
    """The document in ``text`` where it is a mapping or a list, as ``kind`` says."""
    root = parse(text, problems)
    if root is not None and isinstance(root.value, kind):
        return root
    if root is not None:
        problems.add(root.line, (), f"expected {if_other}")
    elif not problems:
        problems.add(1, (), f"expected {if_empty}")
    return None


@lru_cache(maxsize=8)
def parse_topics(text: str, file: str) -> tuple[tuple[Topic, ...], tuple[Problem, ...]]:
    """The topics in ``text``, which has the published shape, or no topics and what is wrong with it."""
    problems = ProblemList(file)
    shape = "a list of topics (- topic: ..., example_types: [...])"
    root = _tree(text, problems, list, "a list of topics, found an empty file", shape)
    if root is None:
        return (), problems.sorted()
    tell_moved(root, MOVED_OF_TOPICS, problems)
    found: list[Topic] = []
    seen: dict[str, int] = {}
    for index, node in root.entries():
        if (topic := validate(node, Topic, problems, (index,))) is None:
            continue
        found.append(topic)
        if topic.topic in seen:
            message = f"expected each topic once, found {topic.topic!r} also in line {seen[topic.topic]}"
            problems.add(node.line, (index, "topic"), message)
        seen.setdefault(topic.topic, node.line)
    return () if problems else tuple(found), problems.sorted()


def _text_at(root: Node, key: tuple[Key, ...], spec_path: Path, problems: ProblemList) -> str:
    """The text of the file that is named at ``key``; empty where there is none, or none that can be read."""
    path, name = _path_at(root, key, spec_path, problems), root.text_at(*key)
    if path is None:
        return ""
    try:
        text = read_text(path, MAX_CONTEXT_BYTES)
    except UnreadableError as error:
        line = f" (line {error.line})" if error.line > 1 else ""
        problems.add(root.line_of(key), key, f"{name}: {error}{line}")
        return ""
    if not text.strip():
        problems.add(root.line_of(key), key, f"{name}: expected some text, found an empty file")
    return text


def _path_at(root: Node, key: tuple[Key, ...], spec_path: Path, problems: ProblemList) -> Path | None:
    """The regular file that is named at ``key``; None where none is named, or there is no such file."""
    name = root.text_at(*key)
    if not name:
        return None
    try:
        path = _inside(spec_path, name)
        _regular(path)
    except UnreadableError as error:
        hint = "; expected default, a file of people beside the spec, or null" if key == _BANK else ""
        problems.add(root.line_of(key), key, f"{name}: {error}{hint}")
        return None
    return path


def _inside(spec_path: Path, name: str) -> Path:
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


def content_hash(spec: Spec, context_text: str = "", topics: Sequence[Topic] = ()) -> str:
    """SHA-256 over the normalised form, defaults included: comments, key order and spelled-out defaults do not matter.

    Context and topics count by what they say, not by the names of their files. ``beside.recorded`` and
    ``beside.labels`` do not count: they are data about the persona, not what it is. A recording played back is judged
    as an author's answer is, and an agreement names the labels that it was measured on; whoever adds one line to
    either would else make every example, run and package stale.
    """
    page = spec.model_dump(mode="json", by_alias=True, exclude={"beside"})
    if page["success"]["suites"] is None:  # a later key: whoever does not use it keeps the hash
        del page["success"]["suites"]
    form = {
        "spec": page,
        "context": context_text,
        "topics": [topic.model_dump(mode="json") for topic in topics],
    }
    text = json.dumps(form, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def keep_spec(loaded: LoadedSpec, folder: Path) -> None:
    """Copy its page, context and profiles into ``folder``, so that :func:`kept_spec` finds there what ``loaded`` is.

    Where they cannot stand apart from where they lie, or have changed since, nothing is kept.
    """
    if kept_spec(folder, loaded.hash):
        return
    copy = folder / _KEPT_FILE
    try:
        write_atomic(copy, loaded.path.read_bytes())
        for name in filter(None, (loaded.spec.beside.context, loaded.spec.beside.profiles)):
            write_atomic(_inside(copy, name), (loaded.path.parent / name).read_bytes())
    except (FileNotFoundError, UnreadableError):
        pass
    if not kept_spec(folder, loaded.hash):
        shutil.rmtree(folder, ignore_errors=True)


def kept_spec(folder: Path, spec_hash: str) -> LoadedSpec | None:
    """The spec of that hash that was kept in ``folder``, without its data files; None where it is not there, or was
    changed."""
    try:
        loaded = load(folder / _KEPT_FILE, with_data=False)
    except SpecError:
        return None
    return loaded if loaded.hash == spec_hash else None


def starter(name: str) -> str:
    """The text of a valid spec for ``name`` that explains its parts."""
    text = (files("studio.spec") / "starter.yaml").read_text(encoding="utf-8")
    return text.replace("{name}", json.dumps(name, ensure_ascii=False), 1)
