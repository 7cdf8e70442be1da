"""Diagnosis: why a gate is not passed, told from the training data, the judge and the diagnose part of the probes.

Only that part may be read here, and of it only marks and lengths leave: whoever writes examples for the diagnosis gets
the trait, its anchors and how replies failed in general words, never what a probe says (PaDA, arXiv 2510.18143:
generate from the pattern of a failure, not from its items).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Literal

from studio.chatml import Frozen
from studio.evaluate import Evaluation, Gate, ProbeResult, diagnosable
from studio.evaluate.gate_text import bound, label, measured
from studio.evaluate.gates import out_of_reach, trait_distrust
from studio.evaluate.metrics import crosses_a_boundary
from studio.evaluate.types import GateStatus
from studio.generate.plan import Key
from studio.judge.scoring import mark_of
from studio.spec import LoadedSpec
from studio.spec.describe import words
from studio.store.cross import Marks

CauseKind = Literal["few_examples", "judge", "contradictory", "scenarios", "few_probes", "not_data"]
ABOUT_REPLIES = ("overall", "violations", "win_rate", "beats_prompt")
OTHERS: Mapping[str, str] = {
    "examples": "studio generate makes the examples that are missing",
    "train_loss": "more epochs, or more examples",
    "adapter_mb": "a lower rank",
    "latency_s": "a smaller base model",
    "kept": "no trait: accept more examples that carry the user's own terms over",
}
"""What helps where no trait of the replies failed."""
LEAST_SHOWN = 30
"""Examples with a full mark of a trait under which it counts as too few: a rule of thumb, told as one."""
CONTRADICT = 0.1
"""The share of accepted examples without a trait from which they teach the opposite."""
APART = 0.3
"""Of 2: a kind of probe that is so much weaker than all of them is named."""
LEAST_ROWS = 3


class Cause(Frozen):
    """One reason, with its figures, in plain words. ``kind`` says what would help."""

    kind: CauseKind
    text: str


class Finding(Frozen):
    """A gate that is not passed, and what is known of why. ``trait`` or ``boundary`` is what to write for; both are
    empty where examples would not help."""

    gate: str
    status: GateStatus
    measured: str
    """``0.84 >= 1.5``."""
    shortfall: float
    """How far the value is from its target, as a share of it; 0 where it is there, or not measured."""
    trait: str = ""
    boundary: str = ""
    pattern: str = ""
    """How replies fail, in general words: all of the probes that an author is told."""
    causes: tuple[Cause, ...] = ()

    @property
    def writable(self) -> bool:
        return bool(self.trait or self.boundary)

    @property
    def line(self) -> str:
        """``FAIL kind 0.84 >= 1.5: 6 of 24 accepted examples show it; ...``."""
        told = "; ".join(cause.text for cause in self.causes)
        return f"{self.status} {label(self.gate)} {self.measured}" + (f": {told}" if told else "")


def diagnose(
    loaded: LoadedSpec, evaluation: Evaluation, marks: Mapping[Key, Mapping[str, Marks]]
) -> tuple[Finding, ...]:
    """A finding for each gate that is not passed, those to write for first, the furthest from its target foremost.

    ``marks`` are of what is accepted to train on (:meth:`studio.store.ExampleStore.marks`).
    """
    rows = diagnosable(evaluation)
    found = [_finding(loaded, evaluation, gate, rows, marks) for gate in evaluation.gates if gate.status != "PASS"]
    return tuple(sorted(found, key=lambda one: (not one.writable, one.status != "FAIL", -one.shortfall)))


def scenarios_for(finding: Finding, marks: Mapping[Key, Mapping[str, Marks]], open_: Sequence[Key]) -> tuple[Key, ...]:
    """Where to write: scenarios whose examples show the trait least first; of a boundary all of them in turn."""

    def shown(key: Key) -> float:
        one = marks.get(key, {}).get(finding.trait)
        return -1.0 if one is None or one.mean is None else one.mean

    return tuple(sorted(open_, key=shown)) if finding.trait else tuple(open_)


def _finding(
    loaded: LoadedSpec,
    evaluation: Evaluation,
    gate: Gate,
    rows: Sequence[ProbeResult],
    marks: Mapping[Key, Mapping[str, Marks]],
) -> Finding:
    trait, boundary, causes = "", "", list[Cause]()
    short = _shortfall(gate)
    if gate.name.startswith("trait:"):
        trait = gate.name.removeprefix("trait:")
    elif gate.name == "violations":
        boundary = _crossed(rows, loaded) if gate.value else ""
    elif gate.name in ABOUT_REPLIES:
        trait = _weakest(evaluation, rows)
        if trait:
            causes.append(Cause(kind="scenarios", text=f"weakest in {words(trait)}"))
    else:
        causes.append(Cause(kind="not_data", text=OTHERS.get(gate.name, "no matter of examples")))
    if trait:
        causes += _of_data(trait, marks)
        if told := trait_distrust(evaluation, trait):
            causes.append(Cause(kind="judge", text=told))
        causes += _of_probes(trait, rows)
    if gate.name in (beyond := out_of_reach(evaluation)):
        told = f"{len(evaluation.counted)} probes are too few to pass it: {beyond[gate.name]} or more"
        causes.append(Cause(kind="few_probes", text=told))
    elif gate.status == "UNDECIDED" and gate.note and not any(cause.kind == "judge" for cause in causes):
        causes.append(Cause(kind="few_probes", text=gate.note))
    if short <= 0:  # it is where it has to be: what is missing is certainty, which no example gives
        trait = boundary = ""
    about = {"gate": gate.name, "status": gate.status, "measured": f"{measured(gate)} {bound(gate)}"}
    more = {"trait": trait, "boundary": boundary, "pattern": _pattern(trait, rows) if trait else ""}
    return Finding.model_validate({**about, **more, "shortfall": short, "causes": tuple(causes)})


def _shortfall(gate: Gate) -> float:
    if gate.value is None:
        return 0.0
    gap = gate.target - gate.value if gate.bound == ">=" else gate.value - gate.target
    return max(0.0, gap / gate.target if gate.target else gap)


def _of_data(trait: str, marks: Mapping[Key, Mapping[str, Marks]]) -> list[Cause]:
    every = [of[trait] for of in marks.values() if trait in of]
    n, twos, zeros = (
        (sum(one) for one in zip(*((m.n, m.twos, m.zeros) for m in every), strict=True)) if every else (0,) * 3
    )
    if not n:
        return [Cause(kind="few_examples", text="no accepted example has a mark for it")]
    found = []
    if twos < LEAST_SHOWN or twos < n / 2:
        found.append(Cause(kind="few_examples", text=f"{twos} of {n} accepted examples show it wholly"))
    if zeros >= CONTRADICT * n:
        found.append(Cause(kind="contradictory", text=f"{zeros} of {n} do not show it at all, and teach that"))
    return found


def _of_probes(trait: str, rows: Sequence[ProbeResult]) -> list[Cause]:
    """The categories of probes in which it is much weaker than in all of them."""
    by_category: dict[str, list[float]] = {}
    for row in rows:
        if (mark := _mark(row, trait)) is not None:
            by_category.setdefault(row.probe.category, []).append(mark)
    every = [mark for some in by_category.values() for mark in some]
    weak = {
        name: fmean(some)
        for name, some in by_category.items()
        if len(some) >= LEAST_ROWS and fmean(some) <= fmean(every) - APART
    }
    return [
        Cause(kind="scenarios", text=f"weakest in the probes of {words(name)}: {mean:.2f}, of all {fmean(every):.2f}")
        for name, mean in sorted(weak.items(), key=lambda one: one[1])
    ]


def _pattern(trait: str, rows: Sequence[ProbeResult]) -> str:
    """``in 7 of 10 replies it is missing, in 2 it shows by half; more so where the user writes at length``."""
    marked = [(row, mark) for row in rows if (mark := _mark(row, trait)) is not None]
    if not marked:
        return ""
    none, half = (sum(low <= mark < high for _, mark in marked) for low, high in ((0, 0.5), (0.5, 1.5)))
    told = [f"in {none} of {len(marked)} replies it is missing", *([f"in {half} it shows by half"] if half else [])]
    pattern = ", ".join(told)
    sizes = sorted(len(row.probe.messages[-1].content) for row, _ in marked)
    middle = sizes[len(sizes) // 2]
    sides = [[mark for row, mark in marked if (len(row.probe.messages[-1].content) >= middle) == far] for far in (0, 1)]
    if all(len(side) >= LEAST_ROWS for side in sides):
        brief, long = (fmean(side) for side in sides)
        if abs(brief - long) >= APART:
            pattern += f"; more so where the user writes {'at length' if long < brief else 'little'}"
    return pattern


def _mark(row: ProbeResult, trait: str) -> float | None:
    found = row.tuned_judgement.traits.get(trait)
    return mark_of(found) if found is not None and row.tuned_judgement.verdict != "error" else None


def _weakest(evaluation: Evaluation, rows: Sequence[ProbeResult]) -> str:
    means = {
        name: fmean(some)
        for name in evaluation.traits
        if (some := [mark for row in rows if (mark := _mark(row, name)) is not None])
    }
    low = min(means, key=means.__getitem__, default="")
    return low if low and means[low] < evaluation.success.trait else ""


def _crossed(rows: Sequence[ProbeResult], loaded: LoadedSpec) -> str:
    """The boundary that most replies to the probes for diagnosis cross; the first of the spec where none of these."""
    known = [one.id for one in loaded.spec.boundaries]
    names = [
        one.name
        for row in rows
        if crosses_a_boundary(row.tuned_judgement)
        for one in row.tuned_judgement.violations
        if one.kind == "boundary" and one.name in known
    ]
    return max(known, key=names.count, default="")
