"""Coverage as a cross table: scenarios against traits, against who asks, and against the length of replies.

A cell says how many accepted examples there are, of a trait with what mean mark; an empty or a cold one says what to
write next (:mod:`studio.generate.focus` writes for it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Literal, get_args

from studio.chatml import Frozen
from studio.errors import UserError
from studio.generate.ledger import Ledger
from studio.generate.plan import Key
from studio.spec import LoadedSpec
from studio.store import Person, Workspace

By = Literal["trait", "person", "length"]
AGES: tuple[tuple[str, int, int], ...] = (
    ("under 18", 0, 17),
    ("18-29", 18, 29),
    ("30-44", 30, 44),
    ("45-64", 45, 64),
    ("65 up", 65, 200),
)
NO_AGE, NO_METHOD, NOBODY = "no age", "unknown method", "nobody"
LENGTHS: tuple[tuple[str, int, int | None], ...] = (
    ("to 150", 1, 150),
    ("to 300", 151, 300),
    ("to 600", 301, 600),
    ("over 600", 601, None),
)
"""Characters of the last reply: a sentence or two, a paragraph, several, a page."""


class Cell(Frozen):
    """``n`` accepted examples; of a trait those with a full mark, and ``mean`` of all marks, 0..2."""

    n: int = 0
    mean: float | None = None


class MapRow(Frozen):
    """A scenario; ``share`` is an even part of its category's target."""

    category: str
    scenario: str
    accepted: int
    share: float
    cells: tuple[Cell, ...]


class CoverageMap(Frozen):
    """A row a scenario, a cell a column. ``columns`` of ``person`` are age bands, then sources, then methods."""

    by: By
    columns: tuple[str, ...]
    rows: tuple[MapRow, ...]

    @property
    def accepted(self) -> int:
        return sum(row.accepted for row in self.rows)

    def want(self, row: int, column: int) -> int:
        """Examples that the cell is short of an even part of its row: of a trait of the whole row, which is to show it
        throughout."""
        one = self.rows[row]
        even = one.share if self.by == "trait" else one.share / max(1, len(self.columns))
        return max(0, round(even) - one.cells[column].n)


def coverage_map(loaded: LoadedSpec, workspace: Workspace, by: By, examples: int | None = None) -> CoverageMap:
    """What stands accepted of this very spec, in the scenarios that are trained on. Reads the store."""
    rows = list(Ledger(loaded, workspace, examples).scenarios())
    columns, cells = _CROSSED[by](loaded, workspace)
    found = [
        MapRow(
            category=one.category,
            scenario=one.scenario,
            accepted=one.accepted,
            share=one.share,
            cells=tuple(cells.get((one.category, one.scenario), {}).get(name, Cell()) for name in columns),
        )
        for one in rows
    ]
    return CoverageMap(by=by, columns=columns, rows=tuple(found))


_Crossed = tuple[tuple[str, ...], Mapping[Key, Mapping[str, Cell]]]


def _by_trait(loaded: LoadedSpec, workspace: Workspace) -> _Crossed:
    names = loaded.spec.trait_names
    marks = workspace.examples.marks(loaded.hash, names)
    return names, {
        key: {name: Cell(n=one.twos, mean=one.mean) for name, one in of.items()} for key, of in marks.items()
    }


def _by_person(loaded: LoadedSpec, workspace: Workspace) -> _Crossed:
    counts: dict[Key, Counter[str]] = {}
    for category, scenario, age, source, method, n in workspace.examples.askers(loaded.hash):
        counted = counts.setdefault((category, scenario), Counter())
        for name in _groups(age, source, method):
            counted[name] += n
    there = {name for counted in counts.values() for name in counted}
    ages = tuple(name for name, _, _ in AGES)
    sources = tuple(name for name in (*_sources(), NOBODY) if name in there)
    methods = sorted(there - {*ages, NO_AGE, *sources})
    columns = (*ages, *((NO_AGE,) if NO_AGE in there else ()), *sources, *methods)
    return columns, {key: {name: Cell(n=n) for name, n in counted.items()} for key, counted in counts.items()}


def _by_length(loaded: LoadedSpec, workspace: Workspace) -> _Crossed:
    cells: dict[Key, dict[str, Cell]] = {}
    ends = [end for _, _, end in LENGTHS if end is not None]
    for category, scenario, band, n in workspace.examples.lengths(loaded.hash, ends):
        cells.setdefault((category, scenario), {})[LENGTHS[band][0]] = Cell(n=n)
    return tuple(name for name, _, _ in LENGTHS), cells


_CROSSED = {"trait": _by_trait, "person": _by_person, "length": _by_length}


def _sources() -> tuple[str, ...]:
    return get_args(Person.model_fields["source"].annotation)


def _groups(age: int | None, source: str, method: str) -> tuple[str, str, str]:
    """The groups of somebody: by age, by whom they belong to, and by how they were made."""
    band = next((name for name, low, high in AGES if age is not None and low <= age <= high), NO_AGE)
    return band, source or NOBODY, f"by {method}" if method else NO_METHOD


def in_group(person: Person, group: str) -> bool:
    """Whether ``person`` is of the column ``group`` of a table by person."""
    return group in _groups(person.age, person.source, person.method)


def length_band(name: str) -> tuple[int, int | None]:
    """The least and most characters of the column ``name`` of a table by length. Raises UserError."""
    for band, low, high in LENGTHS:
        if band == name:
            return low, high
    raise UserError(f"there is no length {name!r}", remedy=f"one of: {', '.join(name for name, _, _ in LENGTHS)}")
