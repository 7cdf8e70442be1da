"""Generating through the window: a real job with the offline author, seen, stopped, and seen again."""

from __future__ import annotations

from pathlib import Path

from studio.jobs import active, list_jobs
from studio.store import Workspace
from tests.tui.making import opened, press, shows, text_of, until, window


async def test_an_empty_workspace_says_what_to_do(tmp_path: Path) -> None:
    async with opened(tmp_path).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "No examples yet. Press s to generate.")
        await shows(pilot, "depths", "0/8", "weather", "0/4", "accepted  0 of 12")


async def test_coverage_figures_and_reasons_come_from_the_store(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "accepted  8 of 12")
        await shows(pilot, "80 % of 10 made", "banned:no idea", "Question 009", "errors    0")


async def test_every_scenario_is_shown_with_its_count_and_marked_where_it_is_out_of_balance(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(80, 24)) as pilot:
        await press(pilot, ["3"], "Question 009")
        await press(pilot, ["b"], "Scenarios")
        told = " ".join(text_of(pilot.app).split())
        for said in ("Ask for tide 0 of 4 missing", "Ask for depth 5 of 4", "Ask for wind 3 of 4"):
            assert said in told
        await press(pilot, ["escape"], "Question 009")


async def test_keys_pressed_before_the_workspace_is_open_are_not_lost(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        assert app.session is None
        await pilot.press("3", "s")
        await until(pilot, lambda: app.session and list_jobs(app.session.workspace.jobs_dir), "a job")
    for job in list_jobs(tmp_path / "ws" / "harbour" / "jobs"):
        job.stop()
        job.wait(20)


async def test_a_job_that_fails_says_why_and_what_to_do(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["3"], "No examples yet")
        await press(pilot, ["s"], "failed: ")
        await shows(pilot, "Ask for wind", "scenario: Ask for wind")


async def test_enter_opens_the_example_in_triage(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "Question 009")
        await press(pilot, ["k", "k", "enter"], "8 of 10")
        await shows(pilot, "Question 007, how deep is it?", "judge  rules judge")


async def test_a_job_runs_on_without_the_window_and_is_seen_again(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "No examples yet")
        await press(pilot, ["s"], "generate▸")
        await until(pilot, lambda: active(tmp_path / "ws" / "harbour" / "jobs", "generate"))
        await pilot.press("ctrl+q")
    jobs = list_jobs(tmp_path / "ws" / "harbour" / "jobs", "generate")
    assert len(jobs) == 1
    assert jobs[0].wait(60).state in ("finished", "failed")
    made = Workspace.open(tmp_path / "ws", "harbour").examples.count()
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with again.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], f"of {made} made")
        await shows(pilot, jobs[0].view().state)


async def test_a_job_that_was_killed_is_shown_as_dead_and_goes_on(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "No examples yet")
        await press(pilot, ["s"], "generate▸")
        job = active(tmp_path / "ws" / "harbour" / "jobs", "generate")
        assert job is not None
        job.kill()
        await shows(pilot, "dead: killed; s goes on, L shows its log")
        await press(pilot, ["s"], "generate▸")
        await until(pilot, lambda: len(list_jobs(tmp_path / "ws" / "harbour" / "jobs")) == 2)
        await press(pilot, ["S"], "stop")
        for one in list_jobs(tmp_path / "ws" / "harbour" / "jobs"):
            one.wait(30)


async def test_keys_typed_ahead_of_a_log_close_it(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "No examples yet")
        await press(pilot, ["s"], "generate running")
        for key in ("L", "escape", "1"):
            app.simulate_key(key)
        await shows(pilot, "Tells sailors")
        assert len(app.screen_stack) == 1
        jobs = tmp_path / "ws" / "harbour" / "jobs"
        await until(pilot, lambda: active(jobs, "generate") is None, "the end of the job")
