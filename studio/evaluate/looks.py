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
from studio.evaluate.report import evaluation_of
from studio.evaluate.types import Probe, Scope
from studio.store import Workspace
from studio.train import runs

KIND, KEY = "probe_looks", "all"


class Look(Frozen):
    """An evaluation's look at probes. ``number`` counts the looks at the locked ones; 0: it saw only open ones."""

    run_id: str
    fingerprint: str
    probes: tuple[str, ...]
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
    asked = [probe.id for probe in probes if locked or probe.part != "locked"]
    found: list[Look] = []

    def with_this(kept: Looks | None) -> Looks:
        there = [one for one in known if one.fingerprint not in {look.fingerprint for look in (kept or Looks()).looks}]
        every = [*there, *(kept.looks if kept else ())]
        mine = next((one for one in every if one.fingerprint == fingerprint), None)
        if mine is None or (locked and mine.scope == "open"):
            others = [one for one in every if one.fingerprint != fingerprint]
            mine = _look(probes, asked, run_id, fingerprint, others, locked=locked)
            every = [*others, mine]
        found.append(mine)
        return Looks(looks=tuple(every))

    workspace.documents.update(KIND, KEY, Looks, with_this)
    return found[-1]


def _look(
    probes: Sequence[Probe], asked: list[str], run_id: str, fingerprint: str, others: Sequence[Look], *, locked: bool
) -> Look:
    shut = {probe.id for probe in probes if probe.part == "locked"}
    scope: Scope = "open"
    if locked:
        every = {probe.id for probe in probes}
        fresh = not any(every.intersection(one.probes) for one in others if one.run_id != run_id)
        scope = "all" if fresh else "locked"
    number = 1 + sum(bool(shut.intersection(one.probes)) for one in others) if locked else 0
    now = datetime.now(UTC)
    return Look(run_id=run_id, fingerprint=fingerprint, probes=tuple(asked), at=now, scope=scope, number=number)


def _with_older(workspace: Workspace, kept: tuple[Look, ...]) -> tuple[Look, ...]:
    """With the evaluations that were made before looks were counted: they saw all of their probes."""
    known, older = {one.fingerprint for one in kept}, []
    for run in runs(workspace):
        found = evaluation_of(workspace, run.plan.run_id)
        if found is not None and found.fingerprint not in known and not any(row.probe.part for row in found.results):
            seen = {"probes": tuple(row.probe.id for row in found.results), "scope": "all", "number": 1}
            of = {"run_id": found.run_id, "fingerprint": found.fingerprint, "at": found.created}
            older.append(Look.model_validate(of | seen))
    return (*sorted(older, key=lambda one: one.at), *kept)
