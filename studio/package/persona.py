"""Which version of the spec a package documents: the one that the adapter was trained and evaluated by."""

from __future__ import annotations

from pathlib import Path

from studio.errors import UserError
from studio.evaluate import Evaluation
from studio.spec import LoadedSpec, kept_spec
from studio.train.folder import SPEC
from studio.train.types import Run


def spec_of(run: Run, evaluation: Evaluation, run_dir: Path, current: LoadedSpec) -> LoadedSpec:
    """The spec that was kept with the run, or ``current`` where that is the same.

    Raises :class:`UserError` where the evaluation was by another version, or the run's is no longer known.
    """
    plan, kept = run.plan, kept_spec(run_dir / SPEC, run.plan.spec_hash)
    if evaluation.spec_hash != plan.spec_hash:
        by_its_own = f"by the one that it was trained by: studio evaluate {kept and kept.path} --run {plan.run_id}"
        remedy = by_its_own if kept else f"train it anew: studio build {current.path}"
        raise UserError("the run was evaluated by another version of the spec", where=plan.run_id, remedy=remedy)
    if kept is not None:
        return kept
    if current.hash != plan.spec_hash:
        remedy = f"train it anew: studio build {current.path}, or put the spec back as {plan.spec_hash[:12]} was"
        raise UserError("the run was trained by another version of the spec", where=plan.run_id, remedy=remedy)
    return current
