"""Packaging: what goes in, what came out, and its path."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.package import PackageStepped, package_id
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from studio.tui import StudioApp
from studio.tui.live.bridge import JobMoved
from studio.tui.live.progress import PackageProgress
from tests.tui.making import press, shows, until, window, write_spec
from tests.tui.outcomes import keep_evaluation, keep_package, keep_run, made_snapshot, told


def opened_with_run(folder: Path, *, evaluated: bool) -> tuple[StudioApp, Workspace, LoadedSpec]:
    loaded = load(write_spec(folder))
    workspace = Workspace.open(folder / "ws", loaded.spec.slug)
    run = keep_run(workspace)
    if evaluated:
        keep_evaluation(workspace, loaded.spec, run)
    return window(loaded.path, folder / "ws"), workspace, loaded


async def test_a_run_is_evaluated_before_it_is_packed(tmp_path: Path) -> None:
    app, _, _ = opened_with_run(tmp_path, evaluated=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["8"], "not evaluated yet: evaluate first (6)")
        await pilot.press("s")
        await until(pilot, lambda: "evaluate it first" in told(app))


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_failed_gates_are_said_before_packing(tmp_path: Path, size: tuple[int, int]) -> None:
    app, workspace, _ = opened_with_run(tmp_path, evaluated=True)
    async with app.run_test(size=size) as pilot:
        await press(pilot, ["8"], "8 PASS  1 FAIL")
        await shows(pilot, "may be packed all the same", "not yet: s packs it", "adapter_model.safetensors")
        step = PackageStepped(step="verify", done=4, total=5)
        app.post_message(JobMoved(made_snapshot(workspace, "package", PackageProgress(step))))
        await shows(pilot, "verify", "4 of 5", "running")


async def test_the_packing_of_another_evaluation_is_not_told_of_this_one(tmp_path: Path) -> None:
    app, workspace, _ = opened_with_run(tmp_path, evaluated=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["8"], "run-made  not packed yet")
        packed = made_snapshot(workspace, "package", None, "finished", run_id="run-old", evaluation_id="run-old-eval")
        app.post_message(JobMoved(packed))
        await pilot.pause(0.5)
        await shows(pilot, "run-made  not packed yet")
        failed = {"run_id": "run-made", "evaluation_id": "run-made-eval"}
        app.post_message(JobMoved(made_snapshot(workspace, "package", None, "failed", **failed)))
        await shows(pilot, "run-made  failed")


async def test_a_package_shows_its_path_its_files_and_its_proof(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path, evaluated=True)
    evaluation = keep_evaluation(workspace, loaded.spec, keep_run(workspace))
    keep_package(workspace, evaluation, "harbour-older", "An older reply.", minutes=7)
    keep_package(workspace, evaluation, package_id(loaded.spec.slug, evaluation), "Ahoy there.")
    async with app.run_test(size=(160, 45)) as pilot:
        await press(pilot, ["8"], "yes, as harbour-run-made-eval")
        await shows(pilot, "2 files, 16 B", "README.md", "7 B", "verified, in 4 s", "gates not passed")
        await shows(pilot, "412 tokens in 8 probes differ by", "0.0004 on average, 0.003 at most; 0.02 allowed")
        await pilot.press("s")
        await until(pilot, lambda: "packed and proven already" in told(app))
        await press(pilot, ["j"], "An older reply.")
        await pilot.press("c")
        await until(pilot, lambda: "written to" in told(app))
    assert (workspace.folder / "copied.txt").read_text() == f"{workspace.packages_dir / 'harbour-older'}\n"
