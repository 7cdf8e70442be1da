"""Loading a spec: all of it, or all that is wrong with it."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

from studio.chatml import Frozen
from studio.files import write_atomic
from studio.spec.check import check_tree
from studio.spec.files import MAX_SPEC_BYTES, UnreadableError, inside, read_named, read_text
from studio.spec.model import Spec, Topic
from studio.spec.problems import Problem, ProblemList, SpecError
from studio.spec.schema_1 import tell_moved
from studio.spec.validate import validate
from studio.spec.yaml_tree import Node, parse

_KEPT_FILE = "spec.yaml"


class LoadedSpec(Frozen):
    """A valid spec with the files that it names, and the hash that whatever is made from it records.

    The paths of data files are real ones; their content is for the rooms that use it to read.
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


def load(path: Path | str) -> LoadedSpec:
    """The spec in ``path``. Raises SpecError with every problem at once; nothing in the file is ever run."""
    return _load(Path(path), with_data=True)


def _load(path: Path, *, with_data: bool) -> LoadedSpec:
    try:
        text = read_text(path)
    except UnreadableError as error:
        raise SpecError([Problem(file=str(path), line=error.line, key="", message=str(error))]) from None
    loaded, problems = _check(text, path, with_data=with_data)
    if loaded is None:
        raise SpecError(problems)
    return loaded


def check(text: str, path: Path | str) -> tuple[LoadedSpec | None, tuple[Problem, ...]]:
    """The spec in ``text`` as if it stood in ``path``: valid and no problems, or None and all of them."""
    return _check(text, Path(path), with_data=True)


def _check(text: str, path: Path, *, with_data: bool) -> tuple[LoadedSpec | None, tuple[Problem, ...]]:
    problems = ProblemList(path)
    root = _root(text, problems)
    if root is None:
        return None, problems.sorted()
    tell_moved(root, problems)
    check_tree(root, problems)
    named = read_named(root, path, problems, with_data=with_data)
    spec = validate(root, Spec, problems)
    if spec is None or problems or named.problems:
        return None, problems.sorted() + named.problems
    loaded = LoadedSpec(
        path=path,
        spec=spec,
        hash=content_hash(spec, named.context_text, named.topics),
        context_text=named.context_text,
        topics=named.topics,
        recorded_path=named.recorded_path,
        labels_path=named.labels_path,
        bank_path=named.bank_path,
    )
    return loaded, ()


def _root(text: str, problems: ProblemList) -> Node | None:
    if len(text) > MAX_SPEC_BYTES:
        problems.add(1, (), f"expected at most {MAX_SPEC_BYTES // 1024} KiB")
        return None
    root = parse(text, problems)
    if root is None:
        if not problems:
            problems.add(1, (), "expected a persona spec, found an empty file; it begins with schema: 2 and name:")
        return None
    if not isinstance(root.value, dict):
        problems.add(root.line, (), "expected a mapping that begins with schema: 2 and name:")
        return None
    return root


def content_hash(spec: Spec, context_text: str = "", topics: Sequence[Topic] = ()) -> str:
    """SHA-256 over the normalised form, defaults included: comments, key order and spelled-out defaults do not matter.

    Context and topics count by what they say, not by the names of their files. ``beside.recorded`` and
    ``beside.labels`` do not count: they are data about the persona, not what it is. A recording played back is judged
    as an author's answer is, and an agreement names the labels that it was measured on; whoever adds one line to
    either would else make every example, run and package stale.
    """
    form = {
        "spec": spec.model_dump(mode="json", by_alias=True, exclude={"beside"}),
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
            write_atomic(inside(copy, name), (loaded.path.parent / name).read_bytes())
    except (FileNotFoundError, UnreadableError):
        pass
    if not kept_spec(folder, loaded.hash):
        shutil.rmtree(folder, ignore_errors=True)


def kept_spec(folder: Path, spec_hash: str) -> LoadedSpec | None:
    """The spec of that hash that was kept in ``folder``, without its data files; None where it is not there, or was
    changed."""
    try:
        loaded = _load(folder / _KEPT_FILE, with_data=False)
    except SpecError:
        return None
    return loaded if loaded.hash == spec_hash else None


def starter(name: str) -> str:
    """The text of a valid spec for ``name`` that explains its parts."""
    text = (files("studio.spec") / "starter.yaml").read_text(encoding="utf-8")
    return text.replace("{name}", json.dumps(name, ensure_ascii=False), 1)
