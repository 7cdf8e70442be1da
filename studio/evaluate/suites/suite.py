"""Suites as files: the built-in ones, those in the folder ``suites`` beside the spec, and those that are named.

A file of the user's adds its items to the suite that it names. What is wrong in one is told by file, line and key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import Field

from studio.chatml import Frozen
from studio.errors import UserError
from studio.evaluate.suites.checks import Checks
from studio.evaluate.suites.types import SUITES, SuiteName
from studio.spec import LoadedSpec, SpecError, Text
from studio.spec.load import UnreadableError, read_text
from studio.spec.model import Pattern, Slug
from studio.spec.problems import Key, ProblemList, validate
from studio.spec.yaml_tree import parse

FOLDER = "suites"
MOST_TURNS = 16
NEVER, NAME = "{never}", "{name}"
"""Places in a user's turn: what a boundary forbids, which makes an item a boundary, and the persona's name."""
BY_RULE = "by rule"
BUILT_IN = "built in"
WRITTEN = "written by the author"
REMEDY = "a whole one: studio evaluate suites --show pressure"


class SuiteItem(Frozen):
    """One conversation from the user's side. The model's own replies stand between the turns.

    ``gives_in`` are patterns, in any case, by which a reply gives in to the pressure whatever a judge says.
    """

    id: Slug
    turns: Annotated[tuple[Text, ...], Field(min_length=1, max_length=MOST_TURNS)]
    group: str = ""
    gives_in: tuple[Pattern, ...] = ()
    check: Checks = Checks()
    boundary: Slug | None = None
    """The boundary that it asks to cross, where it asks for that."""


class SuiteFile(Frozen):
    """A file of items. ``max_tokens`` bounds each reply, and so does the spec's own limit."""

    suite: SuiteName
    about: str = ""
    max_tokens: int = Field(default=160, ge=16, le=4096)
    items: Annotated[tuple[SuiteItem, ...], Field(min_length=1)]


class Suite(Frozen):
    """All items of one suite for one persona, with the file that each comes from."""

    name: SuiteName
    max_tokens: int
    items: tuple[SuiteItem, ...]
    files: dict[str, int]

    @property
    def turns(self) -> int:
        return sum(len(item.turns) for item in self.items)

    @property
    def hash(self) -> str:
        told = self.model_dump_json(include={"name", "max_tokens", "items"})
        return hashlib.sha256(told.encode()).hexdigest()


def built_in_text(name: SuiteName) -> str:
    """The YAML of a built-in suite."""
    return (files("studio.evaluate.suites") / f"{name}.yaml").read_text(encoding="utf-8")


@cache
def built_in(name: SuiteName) -> SuiteFile:
    return check_suite(built_in_text(name), f"{name}.yaml")


def load_suite(path: Path) -> SuiteFile:
    """The suite in a file. Raises :class:`studio.errors.UserError` that names file, line and key of a mistake."""
    try:
        text = read_text(path)
    except UnreadableError as error:
        raise UserError(str(error), where=f"{path}:{error.line}", remedy=REMEDY) from None
    return check_suite(text, str(path))


def check_suite(text: str, file: str) -> SuiteFile:
    """The suite in ``text`` as if it stood in ``file``. Raises as :func:`load_suite`."""
    problems = ProblemList(file)
    root = parse(text, problems)
    found = None
    if root is None or not isinstance(root.value, dict):
        problems.add(1, (), f"expected a suite: a mapping with suite: one of {', '.join(SUITES)}, and items:")
    else:
        found = validate(root, SuiteFile, problems)
        for path, message in _wrong(found) if found else ():
            problems.add(root.line_of(path), path, message)
    if found is None or problems:
        told = SpecError(problems.sorted())
        raise UserError(told.message, where=told.where, remedy=REMEDY)
    return found


def _wrong(suite: SuiteFile) -> Iterator[tuple[tuple[Key, ...], str]]:
    """What does not fit together."""
    seen: set[str] = set()
    for place, item in enumerate(suite.items):
        key: tuple[Key, ...] = ("items", place)
        if item.id in seen:
            yield (*key, "id"), f"expected each id once, found {item.id} again"
        seen.add(item.id)
        if suite.suite == "drift" and len(item.turns) < 3:
            yield (*key, "turns"), f"expected at least 3 turns to see a score drift, found {len(item.turns)}"
        if suite.suite == "capability" and not item.check:
            yield (*key, "check"), "expected a check: what a rule can tell of the reply, such as words_at_most: 20"
        if item.check and suite.suite not in ("leak", "capability"):
            yield (*key, "check"), f"rule checks belong to leak and capability, not to {suite.suite}"
        if suite.suite != "pressure":
            if item.gives_in:
                yield (*key, "gives_in"), f"belongs to pressure, not to {suite.suite}"
            if any(NEVER in turn for turn in item.turns):
                yield (*key, "turns"), f"{NEVER} belongs to pressure: an item for each boundary"


def suite_for(
    loaded: LoadedSpec,
    name: SuiteName,
    more: Sequence[SuiteFile | tuple[str, SuiteFile]] = (),
    generated: Sequence[SuiteItem] = (),
) -> Suite:
    """The suite of a persona: built in, from the folder beside the spec, from ``more`` (with the name to show), and by
    rule. An id that is there already is told apart by the file. Raises as :func:`load_suite`."""
    given = [(BUILT_IN, built_in(name)), *_beside(loaded)]
    given += [one if isinstance(one, tuple) else ("named", one) for one in more]
    items: dict[str, SuiteItem] = {}
    counts: dict[str, int] = {}
    limits = [built_in(name).max_tokens]
    for source, file in given:
        if file.suite != name:
            continue
        limits.append(file.max_tokens)
        for item in (one for raw in file.items for one in _filled(loaded, raw)):
            if item in items.values():
                continue
            items[item.id if item.id not in items else f"{item.id}_{len(items)}"] = item
            counts[source] = counts.get(source, 0) + 1
    for item in generated:
        items[item.id] = item
        counts[BY_RULE] = counts.get(BY_RULE, 0) + 1
    whole = tuple(one.model_copy(update={"id": id}) for id, one in items.items())
    return Suite(name=name, max_tokens=min(max(limits), loaded.spec.deployment.max_tokens), items=whole, files=counts)


def _beside(loaded: LoadedSpec) -> list[tuple[str, SuiteFile]]:
    folder = loaded.path.parent / FOLDER
    found = sorted(path for path in folder.glob("*.y*ml") if path.is_file()) if folder.is_dir() else []
    return [(f"{FOLDER}/{path.name}", load_suite(path)) for path in found]


def _filled(loaded: LoadedSpec, item: SuiteItem) -> Iterator[SuiteItem]:
    """The item for this persona: one for each boundary where it speaks of one."""
    if not any(NEVER in turn for turn in item.turns):
        yield item.model_copy(update={"turns": _turns(item, {NAME: loaded.spec.name})})
        return
    for boundary in loaded.spec.boundaries:
        never = boundary.never.strip().rstrip(".")
        turns = _turns(item, {NAME: loaded.spec.name, NEVER: never})
        more = {"id": f"{item.id}__{boundary.id}"[:64], "boundary": boundary.id, "turns": turns}
        yield item.model_copy(update={**more, "group": item.group or "boundary"})


def _turns(item: SuiteItem, places: dict[str, str]) -> tuple[str, ...]:
    turns = item.turns
    for place, text in places.items():
        turns = tuple(turn.replace(place, text) for turn in turns)
    return turns
