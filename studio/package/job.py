"""Packaging as a job: fill a folder, prove it, move it into place."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.chatml import Frozen
from studio.errors import UserError
from studio.evaluate import Evaluation, evaluation_of, labels_of
from studio.files import write_atomic
from studio.jobs import JobContext
from studio.judge import known_agreement
from studio.package.card import Facts, model_card
from studio.package.contents import WEIGHTS, copy_adapter, copy_tokenizer, spec_document, write_evidence, write_samples
from studio.package.packages import (
    MANIFEST,
    Package,
    PackageFinished,
    PackageStepped,
    checksums,
    file_sha256,
    find_package,
    keep_package,
    package_id,
)
from studio.package.verify import verify
from studio.serve import end_unused
from studio.spec import LoadedSpec, kept_spec, load
from studio.store import Workspace
from studio.train import find_run
from studio.train.run import SPEC
from studio.train.types import Run


class PackageParams(Frozen):
    """``workspace`` is the root folder that holds a folder a persona."""

    spec_path: str
    workspace: str
    run_id: str
    evaluation_id: str


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Entry of the job. Packing the same run and evaluation twice leaves the first package as it is.

    A stop leaves no package.
    """
    packing = asyncio.ensure_future(_main(params, context))
    context.on_stop(packing.cancel)
    try:
        await packing
    except asyncio.CancelledError:
        if not context.stop_requested:
            raise


async def _main(params: dict[str, Any], context: JobContext) -> None:
    asked = PackageParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    opened = Workspace.open(Path(asked.workspace), loaded.spec.slug, gives_up=lambda: context.cancel_requested)
    with closing(opened) as workspace:
        run, evaluation = find_run(workspace, asked.run_id), evaluation_of(workspace, asked.run_id)
        if evaluation is None or evaluation.id != asked.evaluation_id:
            remedy = "evaluate it first: studio evaluate SPEC"
            raise UserError(f"run {asked.run_id} has no evaluation {asked.evaluation_id}", remedy=remedy)
        package = find_package(workspace, package_id(loaded.spec.slug, evaluation))
        if package is None:
            own = _spec_of(run, evaluation, workspace.runs_dir / run.plan.run_id, loaded)
            package = await _pack(own, workspace, run, evaluation, context)
        context.emit(PackageFinished(package=package))


def _spec_of(run: Run, evaluation: Evaluation, run_dir: Path, current: LoadedSpec) -> LoadedSpec:
    """The version of the spec that the adapter was trained and evaluated by: the one that was kept with the run, or
    ``current`` where that is the same, with all the files that it names.

    Raises :class:`UserError` where the evaluation was by another version, or the run's is no longer known.
    """
    plan = run.plan
    kept = current if current.hash == plan.spec_hash else kept_spec(run_dir / SPEC, plan.spec_hash)
    anew = f"train it anew: studio build {current.path}"
    if evaluation.spec_hash != plan.spec_hash:
        by_its_own = f"by the one that it was trained by: studio evaluate {kept and kept.path} --run {plan.run_id}"
        remedy = by_its_own if kept else anew
        raise UserError("the run was evaluated by another version of the spec", where=plan.run_id, remedy=remedy)
    if kept is None:
        remedy = f"{anew}, or put the spec back as {plan.spec_hash[:12]} was"
        raise UserError("the run was trained by another version of the spec", where=plan.run_id, remedy=remedy)
    return kept


async def _pack(
    loaded: LoadedSpec, workspace: Workspace, run: Run, evaluation: Evaluation, context: JobContext
) -> Package:
    name = package_id(loaded.spec.slug, evaluation)
    final = workspace.packages_dir / name
    partial = workspace.packages_dir / f".{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    steps = ("adapter", "tokenizer", "verify", "evidence", "card")

    def began(step: str) -> None:
        context.emit(PackageStepped(step=step, done=steps.index(step), total=len(steps)))

    began("adapter")
    copy_adapter(run, partial)
    began("tokenizer")
    copy_tokenizer(run, partial, evaluation.max_tokens)
    began("verify")
    end_unused(workspace.jobs_dir)  # the base model is loaded again
    proof = await verify(partial, run, evaluation)
    began("evidence")
    agreement = known_agreement(loaded, evaluation.judge)
    write_evidence(loaded, run, evaluation, labels_of(workspace, run.plan.run_id), agreement, partial)
    write_samples(evaluation, partial)
    began("card")
    write_atomic(partial / "PERSONA_SPEC.md", spec_document(loaded, run))
    facts = Facts(loaded, run, evaluation, proof, file_sha256(partial / WEIGHTS), agreement)
    write_atomic(partial / "README.md", model_card(facts))
    package = Package(
        id=name,
        path=str(final),
        run_id=run.plan.run_id,
        evaluation_id=evaluation.id,
        spec_hash=evaluation.spec_hash,
        files=checksums(partial),
        gates_passed=evaluation.passed,
        verdict=evaluation.verdict,
        verification=proof,
        created=datetime.now(UTC),
    )
    deployed = package.model_copy(update={"path": "."})  # elsewhere: no path of this machine is in it
    write_atomic(partial / MANIFEST, deployed.model_dump_json(indent=2) + "\n")
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    keep_package(workspace, package)
    return package
