"""The record of improving: rounds as documents, each with its diagnosis, what was written, the run and its deltas."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal

from studio.build.improve_diagnosis import Finding
from studio.chatml import Frozen
from studio.evaluate import Evaluation
from studio.evaluate.compare import MetricDelta, Which, metric_deltas, paired
from studio.evaluate.gate_text import label, percent
from studio.store import Workspace

KIND = "improvements"
Step = Literal["diagnosed", "written", "awaiting", "trained", "evaluated"]


class RoundDelta(MetricDelta):
    """The difference of the round's run to the one before, on probes that no diagnosis has read."""

    @property
    def moved(self) -> bool:
        """Whether its interval excludes 0."""
        return self.delta.low > 0 or self.delta.high < 0

    @property
    def text(self) -> str:
        """``kind +0.84 (95 %: +0.31 to +1.20)``."""
        one = self.delta
        return f"{label(self.name)} {one.value:+.2f} ({percent(one.level)}: {one.low:+.2f} to {one.high:+.2f})"


class Round(Frozen):
    """One pass: diagnose, write, train, evaluate. ``step`` is the last one that is done."""

    number: int
    before: str
    """The id of the run that was diagnosed."""
    findings: tuple[Finding, ...]
    target: Finding
    """What examples are written for."""
    scenarios: tuple[tuple[str, str], ...]
    wanted: int
    step: Step = "diagnosed"
    made: int = 0
    accepted: int = 0
    run_id: str = ""
    deltas: tuple[RoundDelta, ...] = ()
    passed: int = 0
    gates: int = 0

    @property
    def metric(self) -> str:
        """The metric that the round is about."""
        return f"trait:{self.target.trait}" if self.target.trait else "violations"

    @property
    def about(self) -> RoundDelta | None:
        return next((one for one in self.deltas if one.name == self.metric), None)

    @property
    def improved(self) -> bool:
        """Whether the interval of what it is about lies wholly on the better side of 0."""
        one = self.about
        return one is not None and (one.delta.high < 0 if self.metric == "violations" else one.delta.low > 0)

    @property
    def line(self) -> str:
        """One line for a list: what it was for, what came of it."""
        told = [f"round {self.number}: {label(self.metric)}"]
        if self.step != "diagnosed":
            told.append(f"{self.accepted} of {self.wanted} examples accepted, {self.made} made")
        if self.step == "awaiting":
            told.append("they wait for your review")
        if self.run_id:
            told.append(self.run_id)
        if self.step == "evaluated":
            told.append(self.about.text if self.about else f"no paired difference of {label(self.metric)}")
            others = [one.text for one in self.deltas if one.moved and one.name != self.metric]
            told += [f"also {', '.join(others)}"] if others else []
            told.append(f"{self.passed} of {self.gates} gates")
        return "; ".join(told)


class Improvement(Frozen):
    """All rounds from one run on. ``ended`` says why no other follows; empty while it may go on."""

    id: str
    spec_hash: str
    began: datetime
    first: str
    """The id of the run that it began with."""
    rounds: tuple[Round, ...] = ()
    ended: str = ""
    passed: bool = False
    """Whether every gate of the verdict that it ended with is passed."""
    findings: tuple[Finding, ...] = ()
    """What was found at its end."""
    locked: tuple[RoundDelta, ...] = ()
    """The last run less the first on the locked probes, whose interval pays for the looks there were."""
    verdict: str = ""
    """Of the last run, with the locked probes opened; empty where they were not."""

    @property
    def waits(self) -> bool:
        """Whether a person is to look at examples before it goes on."""
        return bool(self.rounds) and self.rounds[-1].step == "awaiting" and not self.ended

    def with_round(self, one: Round) -> Improvement:
        """With ``one`` in the place of the round of its number."""
        return self.model_copy(update={"rounds": (*(r for r in self.rounds if r.number != one.number), one)})


def improvements(workspace: Workspace) -> list[Improvement]:
    """All of a workspace, oldest first."""
    return workspace.documents.readable(KIND, Improvement)


def unfinished_improvement(workspace: Workspace, spec_hash: str) -> Improvement | None:
    """The one to go on with: the newest, where it has not ended and is of this very spec."""
    found = improvements(workspace)
    return found[-1] if found and not found[-1].ended and found[-1].spec_hash == spec_hash else None


def begun(workspace: Workspace, spec_hash: str, first: str) -> Improvement:
    """A new one, kept."""
    id = f"improve-{len(improvements(workspace)) + 1}"
    return keep(workspace, Improvement(id=id, spec_hash=spec_hash, first=first, began=datetime.now(UTC)))


def keep(workspace: Workspace, one: Improvement) -> Improvement:
    workspace.documents.put(KIND, one.id, one)
    return one


def deltas(before: Evaluation, after: Evaluation, which: Which = "tune") -> tuple[RoundDelta, ...]:
    """Every metric of the tuned side, ``after`` less ``before``, paired by probe: on those to ``tune`` by, which no
    diagnosis has read, or on the ``locked`` ones. Of marks none where two judges gave them."""
    one_judge = (before.judge.name, before.judge.version) == (after.judge.name, after.judge.version)
    found = metric_deltas(before, after, paired(before, after, which), same_judge=one_judge)
    return tuple(RoundDelta.model_validate(one.model_dump()) for one in found)
