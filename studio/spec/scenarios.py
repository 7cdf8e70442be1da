"""The scenario matrix at work: coverage targets of what is trained on, probes of what is held out, and what lies in the
data files of a spec, counted: recorded conversations by scenario, labels by trait.

Counting only: the rooms that use the files read them with models of their own. A line that is no JSON object of the
published shape is counted as unreadable and stops nothing.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from studio.chatml import Frozen
from studio.spec.load import LoadedSpec, UnreadableError, read_text
from studio.spec.model import Spec, bare, probe_text

WEIGHTS = {"high": 3, "medium": 2, "low": 1}
MAX_DATA_BYTES = 67_108_864


def targets(spec: Spec) -> dict[str, int]:
    """Accepted examples wanted of each category that is trained on, in the order of the file.

    Each has its own target. If these sum to less than ``success.examples`` the rest is spread by priority
    (high 3, medium 2, low 1) with the largest remainder; equal remainders go to the category listed first.
    """
    open_categories = {name: category for name, category in spec.scenarios.items() if not category.holdout}
    wanted = {name: category.target for name, category in open_categories.items()}
    rest = spec.success.examples - sum(wanted.values())
    if rest <= 0:
        return wanted
    weights = {name: WEIGHTS[category.priority] for name, category in open_categories.items()}
    total = sum(weights.values())
    for name, weight in weights.items():
        wanted[name] += rest * weight // total
    left = spec.success.examples - sum(wanted.values())
    for name in sorted(weights, key=lambda name: -(rest * weights[name] % total))[:left]:
        wanted[name] += 1
    return wanted


def held_out_texts(spec: Spec) -> tuple[str, ...]:
    """Every probe's message: what no training data may say."""
    return tuple(probe_text(item)[0] for row in spec.scenarios.values() if row.holdout for item in row.items)


class Tally(Frozen):
    """``rows`` that can be read, and how many of them by ``of``: scenario of a recording, trait of a label."""

    path: Path
    rows: int = 0
    of: dict[str, int] = {}
    unknown: int = 0
    """Conversations of a scenario that is not trained on, or scores of a trait that the spec does not list; they are
    not in ``of``."""
    held_out: int = 0
    """Recorded conversations in which a user says a held-out probe: they are not to be played back."""
    unreadable: int = 0
    """Lines that are no conversation."""
    problem: str = ""
    """Why the file could not be read at all."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What is wrong, a sentence each; the spec is valid all the same."""
        counts = (
            (self.unreadable, "lines that are no conversation"),
            (self.unknown, "of a scenario or a trait that the spec does not train on"),
            (self.held_out, "conversations that say a held-out probe, which are never played back"),
        )
        told = (self.problem, *(f"{what}: {count}" for count, what in counts if count))
        return tuple(f"{self.path.name}: {note}" for note in told if note)


def recorded_tally(loaded: LoadedSpec) -> Tally | None:
    """The recorded conversations by the scenario that they show, in the spec's order; None where none are named."""
    known = [item for row in loaded.spec.scenarios.values() if not row.holdout for item in row.items]
    return _counted(loaded.recorded_path, "scenario", str, known, {bare(text) for text in held_out_texts(loaded.spec)})


def labels_tally(loaded: LoadedSpec) -> Tally | None:
    """The labelled replies by the trait that was scored, in the order of the spec; None where none are named."""
    return _counted(loaded.labels_path, "labels", dict, loaded.spec.trait_names)


def _counted(
    path: Path | None, key: str, kind: type, known: Iterable[str], probes: Collection[str] = ()
) -> Tally | None:
    """How often ``key`` names each of ``known``: as a text, or among the keys of a mapping."""
    if path is None:
        return None
    try:
        lines = read_text(path, MAX_DATA_BYTES).split("\n")
    except UnreadableError as error:
        return Tally(path=path, problem=str(error))
    found: Counter[str] = Counter()
    rows = unreadable = held_out = 0
    for row in (_row(line) for line in lines if line.strip()):
        said = [turn["content"] for turn in row["messages"] if turn["role"] == "user"] if row else []
        held_out += bool(probes) and any(bare(text) in probes for text in said)
        if row is None or not isinstance(row.get(key), kind):
            unreadable += 1
            continue
        rows += 1
        found.update([row[key].strip()] if kind is str else row[key].keys())
    of = {name: found[name] for name in known}
    unknown = found.total() - sum(of.values())
    return Tally(path=path, rows=rows, of=of, unknown=unknown, held_out=held_out, unreadable=unreadable)


def _row(line: str) -> Mapping[str, Any] | None:
    """One conversation; None for what is none."""
    try:
        row = json.loads(line)
        sound = all(isinstance(turn["role"], str) and isinstance(turn["content"], str) for turn in row["messages"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return row if isinstance(row, dict) and sound and row["messages"] else None
