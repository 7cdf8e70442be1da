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
from studio.spec.files import MAX_SPEC_BYTES, UnreadableError, inside, read_beside, read_text
from studio.spec.model import Spec, Topic
from studio.spec.problems import Problem, ProblemList, SpecError
from studio.spec.validate import validate
from studio.spec.yaml_tree import Node, parse

_KEPT_FILE = "spec.yaml"


class LoadedSpec(Frozen):
    """A valid spec with the files that it names, and the hash that whatever is made from it records."""

    path: Path
    spec: Spec
    hash: str
    context_text: str = ""
    topics: tuple[Topic, ...] = ()


def load(path: Path | str) -> LoadedSpec:
    """The spec in ``path``. Raises SpecError with every problem at once; nothing in the file is ever run."""
    path = Path(path)
    try:
        text = read_text(path)
    except UnreadableError as error:
        raise SpecError([Problem(file=str(path), line=error.line, key="", message=str(error))]) from None
    loaded, problems = check(text, path)
    if loaded is None:
        raise SpecError(problems)
    return loaded


def check(text: str, path: Path | str) -> tuple[LoadedSpec | None, tuple[Problem, ...]]:
    """The spec in ``text`` as if it stood in ``path``: valid and no problems, or None and all of them."""
    path = Path(path)
    problems = ProblemList(path)
    root = _root(text, problems)
    if root is None:
        return None, problems.sorted()
    check_tree(root, problems)
    beside = read_beside(root, path, problems)
    spec = validate(root, Spec, problems)
    if spec is None or problems or beside.problems:
        return None, problems.sorted() + beside.problems
    loaded = LoadedSpec(
        path=path,
        spec=spec,
        hash=content_hash(spec, beside.context_text, beside.topics),
        context_text=beside.context_text,
        topics=beside.topics,
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
    """SHA-256 over the normalised form: comments, key order and defaults that are spelled out do not matter."""
    form = {
        "spec": spec.model_dump(mode="json", by_alias=True, exclude_defaults=True),
        "context": context_text,
        "topics": [topic.model_dump(mode="json", exclude_defaults=True) for topic in topics],
    }
    text = json.dumps(form, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def keep_spec(loaded: LoadedSpec, folder: Path) -> None:
    """Copy its files into ``folder``, so that :func:`kept_spec` finds there what ``loaded`` is.

    Where they cannot stand apart from where they lie, or have changed since, nothing is kept.
    """
    if _loaded(folder, loaded.hash):
        return
    copy = folder / _KEPT_FILE
    beside = [name.strip() for name in (loaded.spec.beside.context, loaded.spec.beside.profiles) if name]
    try:
        write_atomic(copy, loaded.path.read_bytes())
        for name in beside:
            write_atomic(inside(copy, name), (loaded.path.parent / name).read_bytes())
    except (FileNotFoundError, UnreadableError):
        pass
    if not _loaded(folder, loaded.hash):
        shutil.rmtree(folder, ignore_errors=True)


def kept_spec(folder: Path, spec_hash: str) -> LoadedSpec | None:
    """The spec of that hash that was kept in ``folder``; None where it is not there, or was changed."""
    return _loaded(folder, spec_hash)


def _loaded(folder: Path, spec_hash: str) -> LoadedSpec | None:
    try:
        loaded = load(folder / _KEPT_FILE)
    except SpecError:
        return None
    return loaded if loaded.hash == spec_hash else None


def starter(name: str) -> str:
    """The text of a spec for ``name`` that explains its parts, is valid, and can be built offline as it stands."""
    text = (files("studio.spec") / "starter.yaml").read_text(encoding="utf-8")
    return text.replace("{name}", json.dumps(name, ensure_ascii=False), 1)
