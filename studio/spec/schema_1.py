"""Schema 1, the format before this one: what became of each of its keys, told where it stands. Nothing is converted."""

from __future__ import annotations

from collections.abc import Iterator

from studio.spec.problems import ProblemList
from studio.spec.yaml_tree import Node, Path

ANY = -1
"""Stands for every entry of a list."""

MOVED: dict[Path, str] = {
    ("context",): "moved: it is beside.context now",
    ("users", "profiles"): "moved: it is beside.profiles now",
    ("users", "things"): "gone: no words are exchanged in examples any more; leave it out",
    ("slots",): "gone: no words are exchanged in examples any more; leave it out",
    ("traits", ANY, "cues"): "gone: say under anchors what a 2, a 1 and a 0 look like",
    ("patterns", ANY, "phrases"): "gone: say the step under how, and put expressions under vocabulary.prefer",
    ("boundaries", ANY, "cues"): "moved: it is boundaries.{0}.phrases now",
}
MOVED_OF_TOPICS: dict[Path, str] = {
    (ANY, "example_types", ANY, "example_things"): "gone: say what is on their mind in example_background",
}


def tell_moved(root: Node, problems: ProblemList) -> None:
    """Note each key of schema 1 in a spec, the number of the schema among them."""
    number = root.at("schema")
    if number and number.value == 1 and not isinstance(number.value, bool):
        message = "expected 2, found the number 1; each key of schema 1 that moved or is gone is named in its line"
        problems.add(root.line_of(("schema",)), ("schema",), message)
    _tell(root, MOVED, problems)
    if root.text_at("deployment", "base_model") == "pocket":
        path: Path = ("deployment", "base_model")
        problems.add(root.line_of(path), path, "gone: pocket is no model any more; the one that comes along is smollm2")


def tell_moved_of_topics(root: Node, problems: ProblemList) -> None:
    """Note each key of schema 1 in a file of profiles."""
    _tell(root, MOVED_OF_TOPICS, problems)


def _tell(root: Node, moved: dict[Path, str], problems: ProblemList) -> None:
    for pattern, what in moved.items():
        for path in _found(root, pattern):
            places = [part for part, wanted in zip(path, pattern, strict=True) if wanted == ANY]
            problems.add(root.line_of(path), path, what.format(*places))


def _found(node: Node, pattern: Path) -> Iterator[Path]:
    """The paths in ``node`` that ``pattern`` fits."""
    if not pattern:
        yield ()
        return
    first, *rest = pattern
    if first == ANY and not isinstance(node.value, list):
        return
    for key, child in node.entries():
        if key == first or first == ANY:
            yield from ((key, *below) for below in _found(child, tuple(rest)))
