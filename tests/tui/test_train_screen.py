"""Training: the plan, its recipe, the run as it goes, and the runs before it."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

from studio.build import Session
from studio.errors import UserError
from studio.spec import load
from studio.store import Workspace
from studio.train import resume_or_start
from studio.train.planning import SMALL
from studio.train.types import StepLogged, TrainFinished, TrainStarted
from studio.tui import StudioApp
from studio.tui.live.bridge import JobMoved
from studio.tui.live.progress import TrainProgress
from studio.tui.screens.train.plan import Planned
from tests.tiny_model import tiny_base, write_tiny_base
from tests.tui.making import fill, opened, press, shows, text_of, until, window, write_spec
from tests.tui.outcomes import keep_evaluation, keep_run, made_snapshot, told, trainable

STARTED = TrainStarted(
    run_id="run-live",
    device="CPU",
    backend="peft",
    steps=100,
    trainable_parameters=320_000,
    total_parameters=4_600_000,
)
PRESET = SMALL.recipe
AS_PRESET = f"{PRESET.steps(16)} in {PRESET.epochs:g} epochs"
STEP = StepLogged(step=40, steps=100, loss=0.734, learning_rate=1e-3, epoch=3.2, rate=2.5, eta_s=24)
POINTS = tuple((step, 4.0 - step / 20) for step in range(1, 41))


def with_examples(folder: Path) -> tuple[StudioApp, Workspace]:
    """The window, and its workspace with twenty examples, sixteen of which passed."""
    path = write_spec(folder, trainable(tiny_base()))
    workspace = fill(folder / "ws", load(path), 20)
    return window(path, folder / "ws"), workspace


async def test_without_accepted_examples_it_says_what_to_do(tmp_path: Path) -> None:
    app = opened(tmp_path, text=trainable(tiny_base()))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], "This cannot be trained yet")
        await shows(pilot, "accept examples in triage first")
        await pilot.press("s")
        await until(pilot, lambda: "accept examples in triage first" in told(app))


async def test_examples_of_an_earlier_spec_are_named_as_the_reason(tmp_path: Path) -> None:
    app, _ = with_examples(tmp_path)
    write_spec(tmp_path, trainable(tiny_base()).replace("Stays level", "Stays quite level"))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], "This cannot be trained yet")
        await shows(pilot, "the 16 accepted examples were judged", "generate (3) judges them again")


async def test_the_plan_is_shown_before_anything_is_trained(tmp_path: Path) -> None:
    app, _ = with_examples(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], "not trained yet: s starts it")
        await shows(pilot, "16 accepted examples", f"{AS_PRESET}, batch 8", "small", "adapter")


async def test_a_stand_in_base_and_an_adapter_over_the_limit_are_told_whole(tmp_path: Path) -> None:
    path = write_spec(tmp_path, trainable(tiny_base()).replace("{examples: 12}", "{examples: 12, adapter_mb: 0.04}"))
    fill(tmp_path / "ws", load(path), 20).close()
    app = window(path, tmp_path / "ws")
    app.base = str(write_tiny_base(tmp_path / "other", seed=1))
    async with app.run_test(size=(160, 45)) as pilot:
        await press(pilot, ["5"], "a stand-in for")
        said = "".join("".join(line.split("│")[0].split()) for line in text_of(app).splitlines())
        note = "rank 16 makes an adapter of 0.1 MB, over the spec's limit of 0.04 MB: rank"
        assert "".join(note.split()) in said and "fits" in said, "wrapped anywhere, and whole"


async def test_a_changed_recipe_changes_the_plan_and_outlives_the_window(tmp_path: Path) -> None:
    app, workspace = with_examples(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], AS_PRESET)
        await press(pilot, ["e"], "The recipe")
        await pilot.press("end", "backspace", "3", "enter")
        await shows(pilot, "6 in 3 epochs, batch 8", "small, changed")
        await pilot.press("ctrl+q")
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with again.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], "6 in 3 epochs, batch 8")
        assert again.session is not None and again.session.recipe == {"epochs": 3}
    workspace.close()


async def test_a_recipe_that_cannot_be_is_told_in_the_form(tmp_path: Path) -> None:
    app, _ = with_examples(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], AS_PRESET)
        await press(pilot, ["e"], "The recipe")
        await pilot.press("end", "backspace", "x")
        await press(pilot, ["enter"], "recipe: epochs: must be a number")
        await pilot.press("backspace", "0")
        await press(pilot, ["enter"], "recipe: epochs: must be greater than 0")
        await press(pilot, ["escape"], AS_PRESET)


async def test_what_saves_memory_can_be_changed_in_the_form(tmp_path: Path) -> None:
    app, _ = with_examples(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], AS_PRESET)
        await press(pilot, ["e"], "The recipe")
        await pilot.press("shift+tab", "end", "x")
        await press(pilot, ["enter"], "recipe: method")
        await pilot.press(*["backspace"] * 5, *"qlora", "shift+tab", "shift+tab", "end", "backspace", "2", "enter")
        await shows(pilot, AS_PRESET, "small, changed")
        assert app.session is not None and app.session.recipe == {"method": "qlora", "micro_batch_size": 2}


async def test_a_running_job_is_told_in_figures_and_as_a_curve(tmp_path: Path) -> None:
    app, workspace = with_examples(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], "not trained yet")
        progress = TrainProgress(started=STARTED, step=STEP, points=POINTS, saved=30)
        app.post_message(JobMoved(made_snapshot(workspace, "train", progress)))
        await shows(pilot, "step 40 of 100", "loss 0.734", "lr 1.0e-03", "2.5/s", "ETA 24 s", "on CPU, peft")
        await shows(pilot, "saved at step 30", "3.950", "step 100", "train 40/100 loss 0.73 ETA 24 s")
        assert any("\u2801" <= sign <= "\u28ff" for sign in text_of(app))


async def test_a_stopped_run_says_that_it_is_saved_and_goes_on(tmp_path: Path) -> None:
    app, workspace = with_examples(tmp_path)
    finished = TrainFinished(
        run_id="run-live", steps=40, loss=0.7, seconds=9, adapter_path="x", adapter_mb=1, stopped=True
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], "not trained yet")
        progress = TrainProgress(started=STARTED, step=STEP, points=POINTS, saved=40, finished=finished)
        app.post_message(JobMoved(made_snapshot(workspace, "train", progress, "stopped")))
        await shows(pilot, "stopped and saved at step 40; s resumes from there")
        app.post_message(JobMoved(made_snapshot(workspace, "train", progress, "running")))
        await shows(pilot, "loading the libraries and the base model", "saved at step 40, it resumes from there")
        assert "stopped" not in text_of(app)


async def test_how_long_it_will_take_is_told_by_an_earlier_run(tmp_path: Path) -> None:
    app, workspace = with_examples(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], AS_PRESET)
        assert "about" not in text_of(app)
        await pilot.press("ctrl+q")
    keep_run(workspace, base=tiny_base())
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with again.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], f"about {round(PRESET.steps(16) * 71 / 120)} s, as the last run went")
        await shows(pilot, "loss gates passed")


async def test_the_state_is_that_of_the_run_under_the_cursor(tmp_path: Path) -> None:
    app, workspace = with_examples(tmp_path)
    for name in ("run-one", "run-two"):
        keep_run(workspace, name)
    progress = TrainProgress(started=STARTED, step=STEP, points=POINTS, saved=40)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], "not trained yet")
        app.post_message(JobMoved(made_snapshot(workspace, "train", progress, plan={"run_id": "run-two"})))
        await shows(pilot, "run-two  running for", "step 40 of 100", "> two")
        key = "k" if text_of(app).index("> two") > text_of(app).index("  one") else "j"
        await press(pilot, [key], "run-one  trained")
        await shows(pilot, "step 120 of 120", "loss 0.412 in the last epoch", "not evaluated yet", "run-one, step 120")
        assert "step 40 of" not in text_of(app) and "run-two  running" not in text_of(app)


async def test_a_run_that_s_goes_on_with_is_not_offered_twice(tmp_path: Path) -> None:
    app, workspace = with_examples(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], "not trained yet")
        plan = app.screen._planned.plan  # type: ignore[attr-defined]
        app.post_message(JobMoved(made_snapshot(workspace, "train", None, "dead", plan={"run_id": "run-another"})))
        await shows(pilot, "R resume")
        app.post_message(JobMoved(made_snapshot(workspace, "train", None, "dead", plan={"run_id": plan.run_id})))
        await until(pilot, lambda: "R resume" not in text_of(app))


async def test_earlier_runs_have_their_loss_and_gates(tmp_path: Path) -> None:
    app, workspace = with_examples(tmp_path)
    loaded = load(tmp_path / "harbour.yaml")
    run = keep_run(workspace)
    keep_evaluation(workspace, loaded.spec, run)
    keep_run(workspace, "run-broken", stopped=True, steps=30)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], "8/9 gates")
        await shows(pilot, "made", "broken", "not finished", "0.412")
        await until(pilot, lambda: "made" in next(row for row in text_of(app).splitlines() if "> " in row))
        await shows(pilot, "run-made, step 120")
        await press(pilot, ["enter"], "8 PASS")


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_it_fits_its_terminal(tmp_path: Path, size: tuple[int, int]) -> None:
    app, workspace = with_examples(tmp_path)
    async with app.run_test(size=size) as pilot:
        await press(pilot, ["5"], AS_PRESET)
        app.post_message(JobMoved(made_snapshot(workspace, "train", TrainProgress(STARTED, STEP, POINTS))))
        await shows(pilot, "step 40 of 100", "ETA 24 s", "step 100", "stop")


async def test_the_job_that_is_started_trains_this_plan(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules[resume_or_start.__module__], "ENTRY", "tests.tui.entries:train")
    app, workspace = with_examples(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["5"], "not trained yet")
        await press(pilot, ["s"], "step 3 of")
        await shows(pilot, "finished", "loss 0.250 in the last epoch")
        await shows(pilot, "trained already")
        await pilot.press("s")
        await until(pilot, lambda: "exactly this is trained already" in told(app))
    request = json.loads(next(workspace.jobs_dir.glob("*train*/job.json")).read_text())
    assert request["params"]["plan"]["examples"] == 16


async def test_keys_typed_ahead_of_the_plan_are_about_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[Session] = []

    def nothing_to_train_with(session: Session) -> Planned:
        time.sleep(0.3)
        raise UserError(f"nothing to train with at {session.recipe}")

    monkeypatch.setattr("studio.tui.screens.train.screen.plan_now", nothing_to_train_with)
    monkeypatch.setattr("studio.tui.screens.train.screen.train_now", started.append)
    app, _ = with_examples(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: app.session and app.marks)
        for key in ("5", "s"):
            app.simulate_key(key)
        await until(pilot, lambda: "nothing to train with at {}" in told(app))
        for key in ("e", "end", "backspace", "3", "enter", "s"):
            app.simulate_key(key)
        await until(pilot, lambda: "nothing to train with at {'epochs': 3.0}" in told(app))
    assert started == []
