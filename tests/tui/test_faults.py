"""What is damaged, full or of another version is told, and the window goes on."""

from __future__ import annotations

import errno
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from studio.jobs import JobRequest
from studio.jobs.record import Event
from studio.spec import load
from studio.tui import StudioApp
from studio.tui.live import progress
from tests.tiny_model import tiny_base
from tests.tui.making import SPEC, WHEN, fill, opened, press, shows, until, window, write_spec
from tests.tui.outcomes import told, trainable

FOLDS: dict[str, Callable[..., Any]] = {
    "bank_started": progress.fold_bank,
    "person_added": progress.fold_bank,
    "serve_ready": progress.fold_chat,
    "probe_scored": progress.fold_evaluate,
    "generate_progressed": progress.fold_generate,
    "package_stepped": progress.fold_package,
    "step_logged": progress.fold_train,
}


def notices(app: StudioApp) -> list[str]:
    return [str(one.message) for one in app._notifications]


@pytest.mark.parametrize("kind", FOLDS)
def test_an_event_of_another_version_is_passed_over(kind: str) -> None:
    fold = FOLDS[kind]
    strange = Event(at=datetime.now(UTC), kind=kind, data={"kind": kind, "of": "another version"})
    assert fold(None, [strange]) == fold(None, [])


async def test_a_job_whose_events_are_of_another_version_is_still_shown(tmp_path: Path) -> None:
    app = opened(tmp_path, 3)
    folder = tmp_path / "ws" / "harbour" / "jobs" / "job-x"
    folder.mkdir(parents=True)
    request = JobRequest(id="job-x", stage="train", entry="x:y", params={}, created=WHEN)
    (folder / "job.json").write_text(request.model_dump_json())
    (folder / "events.jsonl").write_text('{"at":"2026-01-01T00:00:00Z","kind":"step_logged","data":{"step":1}}\n')
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["5"], "dead")
        await press(pilot, ["4"], "Question 000")


async def test_a_workspace_with_a_damaged_studio_json_says_what_to_mend_and_shows_the_rest(tmp_path: Path) -> None:
    app = opened(tmp_path, 3)
    (tmp_path / "ws" / "harbour" / "studio.json").write_text("{")
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: "studio.json" in told(app))
        await press(pilot, ["4"], "Question 000")


@pytest.mark.parametrize("text", ['{"evaluations": {"1": {"a": 1}}}', '{"packages": {"1": {"a": 1}}}'])
async def test_what_another_version_kept_in_another_shape_is_passed_over(tmp_path: Path, text: str) -> None:
    app = opened(tmp_path, 3)
    (tmp_path / "ws" / "harbour" / "studio.json").write_text(text)
    async with app.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: app.marks)
        await press(pilot, ["6"], "train one first (5)")
        assert not notices(app)


async def test_a_studio_json_that_gets_damaged_is_told_once_and_triage_goes_on(tmp_path: Path) -> None:
    app = opened(tmp_path, 3)
    file = tmp_path / "ws" / "harbour" / "studio.json"
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await until(pilot, lambda: app.marks)
        file.write_text("{")
        await press(pilot, ["a"], "saved: accepted")
        await until(pilot, lambda: "studio.json" in told(app))
        await pilot.pause(1.2)  # two more looks
        assert len([one for one in notices(app) if "studio.json" in one]) == 1
        file.write_text("{}")
        await shows(pilot, "spec✓")


async def test_a_spec_that_is_no_text_is_told_and_not_put_into_the_editor(tmp_path: Path) -> None:
    path = write_spec(tmp_path)
    path.write_bytes(raw := SPEC.replace("Harbour", "H\xe4fen").encode("latin-1"))
    app = window(path, tmp_path / "ws")
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "cannot be used yet")
        await pilot.press("e")
        await until(pilot, lambda: "is not UTF-8 text" in told(app))
        await shows(pilot, "cannot be used yet")
        await pilot.press("x", "ctrl+o")
        await press(pilot, ["2"], "Press 1 and fix the spec first")
    assert path.read_bytes() == raw


async def test_a_save_over_what_became_a_folder_is_told(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await shows(pilot, "Tells sailors")
        await press(pilot, ["e", "enter"], "changed, not saved")
        (tmp_path / "harbour.yaml").unlink()
        (tmp_path / "harbour.yaml").mkdir()
        await pilot.press("ctrl+o")
        await until(pilot, lambda: "cannot be read: Is a directory" in told(app))
        await press(pilot, ["enter", "escape", "s"], "changed, not saved")


@pytest.mark.parametrize("editor", ['vim "', "no-such-editor"])
async def test_an_editor_that_is_none_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, editor: str) -> None:
    monkeypatch.setenv("VISUAL", editor)
    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        await pilot.press("E")
        await until(pilot, lambda: "editor" in told(app).lower() and editor in told(app))


async def test_a_full_disk_for_the_editors_file_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, *arguments: object, **options: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    app = opened(tmp_path, 3)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["4"], "Question 000")
        monkeypatch.setattr(Path, "write_text", full)
        await pilot.press("E")
        await until(pilot, lambda: "No space left on device" in told(app))


@pytest.mark.parametrize("typed", ["nan", "inf"])
async def test_a_batch_size_that_is_no_number_is_told_in_the_form(tmp_path: Path, typed: str) -> None:
    path = write_spec(tmp_path, trainable(tiny_base()))
    fill(tmp_path / "ws", load(path), 20).close()
    async with window(path, tmp_path / "ws").run_test(size=(100, 30)) as pilot:
        await press(pilot, ["5"], "4 in 2 epochs")
        await press(pilot, ["e"], "The recipe")
        await pilot.press("down", "down", "down", "down", "end", "backspace", *typed)
        await press(pilot, ["enter"], "batch_size")
        await shows(pilot, "whole number")
