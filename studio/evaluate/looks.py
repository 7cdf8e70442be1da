"""The record of who looked at which probes, and what a verdict rests on because of it.

Data that is written for what a probe showed, or a run that is chosen by it, makes that probe's score no estimate of
anything any more. So a verdict rests on the locked probes, which nobody else may see, and each further look at them is
paid for by a wider interval. While no other run was evaluated on any of the probes, nothing can have learned from them,
and the verdict rests on all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from studio.chatml import Frozen
from studio.evaluate.gate_text import percent
from studio.evaluate.intervals import alpha_at
from studio.evaluate.probes import dealt
from studio.evaluate.report import evaluation_of
from studio.evaluate.types import Part, Probe, Scope
from studio.store import Workspace
from studio.train import runs

KIND, KEY = "probe_looks", "all"


class Look(Frozen):
    """An evaluation's look at probes. ``number`` counts the looks at the locked ones; 0: it saw only open ones."""

    run_id: str
    fingerprint: str
    probes: tuple[str, ...]
    locked: tuple[str, ...] = ()
    """The probes that are locked for it, seen or not: those of the part that no earlier evaluation saw open."""
    at: datetime
    scope: Scope = "open"
    number: int = 0


class Looks(Frozen):
    """All of a workspace, oldest first. They stay when a run is deleted."""

    looks: tuple[Look, ...] = ()


def looks(workspace: Workspace) -> tuple[Look, ...]:
    """Every look at the probes of this workspace, oldest first."""
    kept = workspace.documents.get(KIND, KEY, Looks)
    return _with_older(workspace, kept.looks if kept else ())


def looked(workspace: Workspace, probes: Sequence[Probe], run_id: str, fingerprint: str, *, locked: bool) -> Look:
    """Keep, before anything is asked, that the evaluation of this fingerprint sees these probes: all where ``locked``,
    else the open ones. One that goes on, or was there already, is the same look."""
    known = _with_older(workspace, ())
    found: list[Look] = []

    def with_this(kept: Looks | None) -> Looks:
        there = [one for one in known if one.fingerprint not in {look.fingerprint for look in (kept or Looks()).looks}]
        every = [*there, *(kept.looks if kept else ())]
        mine = next((one for one in every if one.fingerprint == fingerprint), None)
        if mine is None or (locked and mine.scope == "open"):
            others = [one for one in every if one.fingerprint != fingerprint]
            mine = _look(probes, run_id, fingerprint, others, locked=locked)
            every = [*others, mine]
        found.append(mine)
        return Looks(looks=tuple(every))

    workspace.documents.update(KIND, KEY, Looks, with_this)
    return found[-1]


def next_look(workspace: Workspace, probes: Sequence[Probe], run_id: str, fingerprint: str) -> Look:
    """The look that a verdict on this evaluation would be. Nothing is kept of it."""
    others = [one for one in looks(workspace) if one.fingerprint != fingerprint]
    return _look(probes, run_id, fingerprint, others, locked=True)


def price_of(look: Look) -> str:
    """What a verdict would rest on, and cost: ``the 20 locked probes, looked at 2 times then: 97.5 % intervals``."""
    level, times = percent(1 - alpha_at(look.number)), f"{look.number} time{'' if look.number == 1 else 's'}"
    if look.scope == "all":
        told = f"It rests on all {len(look.probes)} probes: no other run was evaluated on any of them"
        return f"{told}. Of the locked {len(look.locked)} it is look {look.number}: {level} intervals."
    told = f"It rests on the {len(look.locked)} locked probes alone, looked at {times} then: {level} intervals"
    return f"{told}. Each further look makes them wider."


def seen_by(look: Look, probes: Sequence[Probe]) -> tuple[Probe, ...]:
    """The probes that an evaluation asks, with the parts that they have for it."""
    known = [probe for probe in probes if probe.id in look.probes]
    once_open: dict[str, Part] = {"part": "tune"}
    return tuple(
        probe.model_copy(update=once_open) if probe.part == "locked" and probe.id not in look.locked else probe
        for probe in known
    )


def _look(probes: Sequence[Probe], run_id: str, fingerprint: str, others: Sequence[Look], *, locked: bool) -> Look:
    opened = {name for one in others for name in set(one.probes) - set(one.locked)}
    shut = [probe.id for probe in probes if probe.part == "locked" and probe.id not in opened]
    every = [probe.id for probe in probes]
    scope: Scope = "open"
    if locked:
        fresh = not any(set(every).intersection(one.probes) for one in others if one.run_id != run_id)
        scope = "all" if fresh else "locked"
    return Look(
        run_id=run_id,
        fingerprint=fingerprint,
        probes=tuple(name for name in every if locked or name not in shut),
        locked=tuple(shut),
        at=datetime.now(UTC),
        scope=scope,
        number=1 + sum(bool(set(shut).intersection(one.probes)) for one in others) if locked else 0,
    )


def _with_older(workspace: Workspace, kept: tuple[Look, ...]) -> tuple[Look, ...]:
    """With the evaluations from before looks were counted: they saw all of their probes, the locked ones too."""
    known, older = {one.fingerprint for one in kept}, []
    for run in runs(workspace):
        found = evaluation_of(workspace, run.plan.run_id)
        if found is not None and found.fingerprint not in known and not any(row.probe.part for row in found.results):
            probes = dealt([row.probe for row in found.results])
            of = {"run_id": found.run_id, "fingerprint": found.fingerprint, "at": found.created}
            seen = {"probes": [one.id for one in probes], "locked": [one.id for one in probes if one.part == "locked"]}
            older.append(Look.model_validate({**of, **seen, "scope": "all", "number": 1}))
    return (*sorted(older, key=lambda one: one.at), *kept)
