"""Packaging as a job: fill a folder, prove it, move it into place."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from studio.chatml import Frozen
from studio.errors import UserError
from studio.evaluate import Evaluation, evaluation_of
from studio.files import write_atomic
from studio.jobs import JobContext
from studio.package.contents import checksums, copy_adapter, copy_tokenizer, write_documents, write_samples
from studio.package.index import find_package, keep_package, package_id
from studio.package.persona import spec_of
from studio.package.types import Package, PackageFinished, PackageStepped
from studio.package.verify import verify
from studio.serve import end_unused
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from studio.train import find_run
from studio.train.types import Run

MANIFEST = "package.json"


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
    asked = PackageParams.model_validate(params)
    loaded = load(Path(asked.spec_path))
    workspace = Workspace.open(Path(asked.workspace), loaded.spec.slug)
    try:
        run, evaluation = find_run(workspace, asked.run_id), _evaluation(workspace, asked)
        package = find_package(workspace, package_id(loaded.spec.slug, evaluation))
        if package is None:
            own = spec_of(run, evaluation, workspace.runs_dir / run.plan.run_id, loaded)
            package = await _pack(own, workspace, run, evaluation, context)
        context.emit(PackageFinished(package=package))
    finally:
        workspace.close()


def _evaluation(workspace: Workspace, asked: PackageParams) -> Evaluation:
    evaluation = evaluation_of(workspace, asked.run_id)
    if evaluation is None or evaluation.id != asked.evaluation_id:
        remedy = "evaluate it first: studio evaluate SPEC"
        raise UserError(f"run {asked.run_id} has no evaluation {asked.evaluation_id}", remedy=remedy)
    return evaluation


async def _pack(
    loaded: LoadedSpec, workspace: Workspace, run: Run, evaluation: Evaluation, context: JobContext
) -> Package:
    name = package_id(loaded.spec.slug, evaluation)
    final = workspace.packages_dir / name
    partial = workspace.packages_dir / f".{name}.partial"
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    steps: list[tuple[str, Callable[[], None]]] = [
        ("adapter", lambda: copy_adapter(run, partial)),
        ("tokenizer", lambda: copy_tokenizer(run, partial)),
        ("documents", lambda: write_documents(loaded, run, evaluation, partial)),
        ("samples", lambda: write_samples(evaluation, partial)),
    ]
    for done, (label, step) in enumerate(steps):
        context.emit(PackageStepped(step=label, done=done, total=len(steps) + 1))
        step()
    context.emit(PackageStepped(step="verify", done=len(steps), total=len(steps) + 1))
    end_unused(workspace.jobs_dir)  # the base model is loaded a second time
    package = Package(
        id=name,
        path=str(final),
        run_id=run.plan.run_id,
        evaluation_id=evaluation.id,
        spec_hash=evaluation.spec_hash,
        files=checksums(partial),
        gates_passed=evaluation.passed,
        verification=await verify(partial, run, evaluation),
        created=datetime.now(UTC),
    )
    _write_manifest(package, partial)
    shutil.rmtree(final, ignore_errors=True)
    partial.rename(final)
    keep_package(workspace, package)
    return package


def _write_manifest(package: Package, folder: Path) -> None:
    manifest = package.model_copy(update={"path": "."})  # it is deployed elsewhere: no path of this machine
    write_atomic(folder / MANIFEST, manifest.model_dump_json(indent=2) + "\n")
