"""Judgements and probe results for the tests of this room."""

from __future__ import annotations

from datetime import UTC, datetime

from studio.chatml import user
from studio.evaluate.types import Probe, ProbeResult
from studio.judge.types import Comparison
from studio.store.records import Judgement, TraitScore, Verdict, Violation

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def judgement(*scores: int, boundary: bool = False, verdict: Verdict = "passed") -> Judgement:
    """One with a trait ``t0``, ``t1``, ... a score; unscored where ``verdict`` is ``error``."""
    if verdict == "error":
        return Judgement(judge="test", spec_hash="s", verdict="error", error="no answer", at=NOON)
    traits = {f"t{index}": TraitScore.model_validate({"score": score}) for index, score in enumerate(scores)}
    return Judgement(
        judge="test",
        spec_hash="s",
        verdict=verdict,
        traits=traits,
        total=10 * sum(scores) / (2 * len(scores)),
        violations=(Violation(kind="boundary", name="rude"),) if boundary else (),
        at=NOON,
    )


def result(
    name: str,
    base: Judgement,
    tuned: Judgement,
    winner: Comparison | None = None,
    *,
    category: str = "probe",
    kept: tuple[bool | None, bool | None] = (None, None),
    seconds: tuple[float | None, float | None] = (None, None),
) -> ProbeResult:
    return ProbeResult(
        probe=Probe(id=name, category=category, scenario=name, messages=(user(name),)),
        base="plain",
        tuned="warm",
        base_judgement=base,
        tuned_judgement=tuned,
        comparison=winner or Comparison(winner="tuned", orders=("second", "first")),
        base_kept=kept[0],
        tuned_kept=kept[1],
        base_s=seconds[0],
        tuned_s=seconds[1],
    )
