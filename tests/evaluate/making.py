"""Judgements, probe results, labels and evaluations for the tests of this room."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

from studio.chatml import user
from studio.evaluate.metrics import pair_digest, reply_digest
from studio.evaluate.types import Evaluation, Probe, ProbeResult, Side
from studio.judge.types import Comparison, JudgeInfo
from studio.spec import Success
from studio.store.records import Judgement, PairVote, RunLabel, TraitScore, Verdict, Violation

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GOOD = JudgeInfo(name="gpt-5-mini", agreement={"t0": 0.7, "t1": 0.7}, pass_agreement=0.9)
"""A judge that may decide."""
TUNED_WINS = Comparison(winner="tuned", orders=("second", "first"))
BASE_WINS = Comparison(winner="base", orders=("first", "second"))
TIE = Comparison(winner="tie", orders=("first", "first"))


def judgement(*scores: int, boundary: bool = False, verdict: Verdict = "passed") -> Judgement:
    """One with a trait ``t0``, ``t1``, ... a score; unscored where ``verdict`` is ``error`` or ``unscored``."""
    if verdict == "error":
        return Judgement(judge="test", spec_hash="s", verdict="error", error="no answer", at=NOON)
    traits = {f"t{index}": TraitScore.model_validate({"score": score}) for index, score in enumerate(scores)}
    return Judgement(
        judge="test",
        spec_hash="s",
        verdict=verdict,
        traits=traits,
        total=10 * sum(scores) / (2 * len(scores)) if scores else None,
        violations=(Violation(kind="boundary", name="rude"),) if boundary else (),
        at=NOON,
    )


def result(
    name: str,
    base: Judgement,
    tuned: Judgement,
    winner: Comparison | None = TUNED_WINS,
    *,
    category: str = "probe",
    kept: tuple[bool | None, bool | None] = (None, None),
    seconds: tuple[float | None, float | None] = (None, None),
    **parts: Any,
) -> ProbeResult:
    whole: dict[str, Any] = {
        "probe": Probe(id=name, category=category, scenario=name, messages=(user(name),)),
        "base": "plain",
        "tuned": "warm",
        "base_judgement": base,
        "tuned_judgement": tuned,
        "comparison": winner,
        "base_kept": kept[0],
        "tuned_kept": kept[1],
        "base_s": seconds[0],
        "tuned_s": seconds[1],
    }
    return ProbeResult.model_validate(whole | parts)


def results(*tuned: tuple[int, int], base: tuple[int, int] = (0, 0), winner: Comparison | None = TUNED_WINS) -> Any:
    """A result for each pair of trait scores of the tuned side."""
    return tuple(result(f"p{i:03}", judgement(*base), judgement(*one), winner) for i, one in enumerate(tuned))


def label(row: ProbeResult, side: Side = "tuned", boundary: str | None = None, by: str = "", **scores: int) -> RunLabel:
    marks: Mapping[str, Any] = scores
    return RunLabel(
        run_id="run-1",
        probe_id=row.probe.id,
        side=side,
        digest=reply_digest(row, side),
        labels=dict(marks),
        boundary=boundary,
        by=by,
        at=NOON,
    )


def vote(row: ProbeResult, winner: Literal["base", "tuned", "tie"]) -> PairVote:
    return PairVote(run_id="run-1", probe_id=row.probe.id, digest=pair_digest(row), winner=winner, at=NOON)


def evaluation(rows: tuple[ProbeResult, ...], *, success: Mapping[str, Any] | None = None, **parts: Any) -> Evaluation:
    """One before anything is made of its results: see :func:`studio.evaluate.report.restate`."""
    whole: dict[str, Any] = {
        "id": "",
        "run_id": "run-1",
        "spec_name": "Harbour",
        "spec_hash": "s" * 64,
        "base_model": "some/model",
        "judge": GOOD,
        "traits": ("t0", "t1"),
        "success": Success.model_validate(success or {}),
        "trial": False,
        "max_tokens": 512,
        "results": rows,
        "train_loss": 0.3,
        "adapter_mb": 10.0,
        "examples": 200,
        "created": NOON,
        "seconds": 1.0,
        "fingerprint": "f" * 64,
    }
    return Evaluation.model_validate(whole | parts)
