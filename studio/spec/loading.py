"""Loading a spec: all of it, or all that is wrong with it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path

from studio.chatml import Frozen
from studio.spec.beside import read_beside
from studio.spec.checks import check_tree
from studio.spec.models import Spec
from studio.spec.node import Node
from studio.spec.problems import Problem, ProblemList, SpecError
from studio.spec.profiles import Topic
from studio.spec.reading import MAX_SPEC_BYTES, UnreadableError, read_text
from studio.spec.sections import parse_fast
from studio.spec.tree import parse
from studio.spec.validation import validate

Parser = Callable[[str, ProblemList], Node | None]


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
    loaded, problems = _checked(text, path, parse)
    if loaded is None:
        raise SpecError(problems)
    return loaded


def check(text: str, path: Path | str) -> tuple[LoadedSpec | None, tuple[Problem, ...]]:
    """The spec in ``text`` as if it stood in ``path``: valid and no problems, or None and all of them.

    Made to be called at each pause in typing: what did not change since the last call is not parsed again.
    """
    return _checked(text, Path(path), parse_fast)


def _checked(text: str, path: Path, parser: Parser) -> tuple[LoadedSpec | None, tuple[Problem, ...]]:
    problems = ProblemList(path)
    root = _root(text, problems, parser)
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


def _root(text: str, problems: ProblemList, parser: Parser) -> Node | None:
    if len(text) > MAX_SPEC_BYTES:
        problems.add(1, (), f"expected at most {MAX_SPEC_BYTES // 1024} KiB")
        return None
    root = parser(text, problems)
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
