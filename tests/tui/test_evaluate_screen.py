"""Evaluating: measures and gates side by side, and the probes in which the tuned side is weakest."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from studio.evaluate import fingerprint, save
from studio.evaluate.job import EvaluateParams
from studio.evaluate.types import EvaluateStarted, ProbeScored
from studio.jobs.record import Event
from studio.judge import open_judge
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from studio.tui import StudioApp
from studio.tui.live.bridge import JobMoved
from studio.tui.live.progress import EvaluateProgress, fold_evaluate
from studio.tui.live.state import ScreenState
from studio.tui.screens.evaluate.probe import probe_line
from studio.tui.screens.evaluate.screen import EvaluateScreen
from studio.tui.widgets.virtual_list import VirtualList
from tests.tui.making import press, shows, text_of, until, window, write_spec
from tests.tui.outcomes import keep_evaluation, keep_run, made_evaluation, made_result, made_snapshot, told

STARTED = EvaluateStarted(run_id="run-made", judge="learned judge", probes=24)


def opened_with_run(folder: Path) -> tuple[StudioApp, Workspace, LoadedSpec]:
    loaded = load(write_spec(folder))
    workspace = Workspace.open(folder / "ws", loaded.spec.slug)
    keep_run(workspace)
    return window(loaded.path, folder / "ws"), workspace, loaded


def line_with(app: StudioApp, word: str) -> str:
    return next(line for line in text_of(app).splitlines() if word in line)


async def test_without_a_run_it_says_to_train_first(tmp_path: Path) -> None:
    app = window(write_spec(tmp_path), tmp_path / "ws")
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "train one first (5)")
        await pilot.press("s")
        await until(pilot, lambda: "train one first" in told(app))


@pytest.mark.parametrize("size", [(80, 24), (160, 45)])
async def test_measures_and_gates_are_on_one_line_each(tmp_path: Path, size: tuple[int, int]) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    keep_evaluation(workspace, loaded.spec, keep_run(workspace))
    async with app.run_test(size=size) as pilot:
        await press(pilot, ["6"], "60 probes")
        await shows(pilot, "gpt-5-mini, agreement .70 with people")
        assert "9.50" in line_with(app, "overall") and "PASS" in line_with(app, "overall")
        assert "8.36-10.00" in line_with(app, "overall")
        assert "FAIL" in line_with(app, "train loss") and "<= 0.4" in line_with(app, "train loss")
        assert "100%" in line_with(app, "wins")
        await shows(pilot, "not approved  8 PASS  1 FAIL", "required terms", "latency s", "examples")


async def test_too_few_probes_leave_a_gate_undecided_and_say_what_it_takes(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    few = [made_result(loaded.spec, number) for number in range(5)]
    save(workspace, made_evaluation(loaded.spec, keep_run(workspace), few))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "6 UNDECIDED")
        await shows(pilot, "UNDECIDED: more probes would decide")
        assert "UNDECIDED" in line_with(app, "overall")
        await press(pilot, ["r"], "about 45 more probes; 95 %: 4.07 to 10.00, n 5")


async def test_a_gate_that_failed_says_what_to_do(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    run = keep_run(workspace)
    mark = fingerprint(loaded, run, open_judge(app.settings, loaded))
    results = [made_result(loaded.spec, number, marks=(2, 1)) for number in range(60)]
    evaluation = made_evaluation(loaded.spec, run, results)
    save(workspace, evaluation.model_copy(update={"fingerprint": mark}))
    async with app.run_test(size=(160, 45)) as pilot:
        await press(pilot, ["6"], "calm fails: r says what to do")
        await press(pilot, ["r"], "Weakest in calm (1.00 of 2)")
        await shows(pilot, "accept more examples", "train again", "Train loss: train for more epochs")


def test_a_side_that_wins_against_the_scores_is_told_with_the_reason(tmp_path: Path) -> None:
    spec = load(write_spec(tmp_path)).spec
    even = made_result(spec, 1, marks=(1, 1))
    assert even.comparison is not None
    lost = even.comparison.model_copy(
        update={"winner": "base", "orders": ("first", "second"), "rationale": "The first: it answers what was asked."}
    )
    told = probe_line(even.model_copy(update={"comparison": lost}), 90).plain
    assert "base wins  it answers what was" in told and "The first" not in told
    assert "warmer" not in probe_line(made_result(spec, 1), 90).plain


async def test_the_weakest_probe_is_first_and_opens_whole(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    keep_evaluation(workspace, loaded.spec, keep_run(workspace))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "> ")
        assert "tuned   0.0  base   0.0" in line_with(app, "> ")
        await press(pilot, ["enter"], "Ahoy. Berth 0 has four metres.")
        await shows(
            pilot, "tuned  0.0 of 10", "names the berth", "base  0.0 of 10", "asked in both orders: tuned, tuned"
        )


async def test_what_is_evaluated_already_is_not_evaluated_again(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    run = keep_run(workspace)
    mark = fingerprint(loaded, run, open_judge(app.settings, loaded))
    evaluation = keep_evaluation(workspace, loaded.spec, run)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["6"], "spec or judge changed: s")
    save(workspace, evaluation.model_copy(update={"fingerprint": mark}))
    again = window(loaded.path, tmp_path / "ws")
    async with again.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["6"], "8 PASS  1 FAIL")
        assert "judge changed" not in text_of(again)
        await pilot.press("s")
        await until(pilot, lambda: "evaluated already" in told(again))


async def test_the_locked_probes_are_opened_by_a_key_of_their_own_after_a_yes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _workspace, _loaded = opened_with_run(tmp_path)
    asked: list[bool] = []

    def started(screen: EvaluateScreen, entry: str, params: EvaluateParams) -> None:
        asked.append(params.locked)

    monkeypatch.setattr(EvaluateScreen, "launch_entry", started)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "not evaluated yet")
        await press(pilot, ["v"], "Open the locked probes for a verdict?")
        await shows(pilot, "It rests on all ", "no other run was evaluated", "95 % intervals")
        await pilot.press("enter")
        assert asked == [], "enter opens nothing"
        await pilot.press("n", "s")
        await until(pilot, lambda: asked == [False])
        await press(pilot, ["v"], "Open the locked probes for a verdict?")
        await pilot.press("y")
        await until(pilot, lambda: asked == [False, True])


async def test_locked_probes_are_counted_and_not_listed(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    evaluation = keep_evaluation(workspace, loaded.spec, keep_run(workspace))
    parts = [
        row.model_copy(update={"probe": row.probe.model_copy(update={"part": "locked" if n % 3 == 0 else "tune"})})
        for n, row in enumerate(evaluation.results)
    ]
    save(workspace, evaluation.model_copy(update={"results": tuple(parts), "looks": 1}))
    async with app.run_test(size=(160, 45)) as pilot:
        await press(pilot, ["6"], "20 locked probes are scored and not listed")
        await shows(pilot, "How deep is berth 1?")
        assert app.screen.query_one("#probes", VirtualList).count == 40 and "berth 0?" not in text_of(app)


async def test_what_is_scored_is_shown_while_the_job_runs(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "not evaluated yet")
        app.post_message(JobMoved(made_snapshot(workspace, "evaluate", EvaluateProgress(), run_id="run-made")))
        await shows(pilot, "loading base and adapter")
        results = tuple(made_result(loaded.spec, number) for number in range(6))
        progress = EvaluateProgress(STARTED, results, eta_s=90)
        app.post_message(JobMoved(made_snapshot(workspace, "evaluate", progress, run_id="run-made")))
        await shows(pilot, "6 of 24 probes", "ETA 1:30", "evaluate 6/24 ETA 1:30", "How deep is berth 4?")
        assert "PASS" not in text_of(app)


async def test_an_evaluation_of_another_run_is_not_told_of_this_one(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    results = tuple(made_result(loaded.spec, number) for number in range(6))
    progress = EvaluateProgress(STARTED, results)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "run-made  not evaluated yet")
        app.post_message(JobMoved(made_snapshot(workspace, "evaluate", progress, run_id="run-older")))
        await shows(pilot, "run-older  running for", "6 of 24 probes")
        for state in ("stopped", "finished", "dead"):
            app.post_message(JobMoved(made_snapshot(workspace, "evaluate", progress, state, run_id="run-older")))
            await shows(pilot, "run-made  not evaluated yet", "s runs the open probes through base and tuned")


async def test_why_it_failed_is_told_whole_with_what_to_do(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    why = "the judge at a place with quite a long name did not answer; try it again with one that is nearer"
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "not evaluated yet")
        progress = EvaluateProgress(STARTED, (made_result(loaded.spec, 1),), eta_s=9)
        failed = made_snapshot(workspace, "evaluate", progress, "failed", run_id="run-made")
        app.post_message(JobMoved(replace(failed, view=failed.view.model_copy(update={"error": why}))))
        await shows(pilot, "run-made  failed: the judge", "one that is nearer; s resumes it")
        await shows(pilot, "L shows its log", "1 of 24")
        assert "ETA" not in text_of(app)


async def test_the_cursor_stays_on_its_probe_over_a_restart(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    keep_evaluation(workspace, loaded.spec, keep_run(workspace))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "60 probes")
        await pilot.press("j", "j")
        await until(pilot, lambda: "berth 2?" in line_with(app, "> "))
        await pilot.press("ctrl+q")
    again = window(loaded.path, tmp_path / "ws")
    async with again.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "60 probes")
        await until(pilot, lambda: "berth 2?" in line_with(again, "> "))


async def test_while_no_probe_comes_no_line_of_the_list_is_drawn(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    results = tuple(made_result(loaded.spec, number) for number in range(6))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "not evaluated yet")
        app.post_message(JobMoved(made_snapshot(workspace, "evaluate", EvaluateProgress(STARTED, results, eta_s=90))))
        await shows(pilot, "6 of 24 probes")
        await pilot.pause(0.5)
        probes, drawn = app.screen.query_one("#probes", VirtualList), []
        draw = probes.draw
        probes.draw = lambda index, width: drawn.append(index) or draw(index, width)  # type: ignore[func-returns-value]
        await shows(pilot, "running for 3 s")
        assert drawn == []


async def test_the_cursor_stays_where_a_key_put_it_while_probes_come(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    workspace.studio.put("screen", "evaluate", ScreenState(stage="evaluate", values={"probe": "probe-009"}))
    results = [made_result(loaded.spec, number) for number in range(12)]

    def scored(count: int) -> JobMoved:
        progress = EvaluateProgress(STARTED, tuple(results[:count]), eta_s=90)
        return JobMoved(made_snapshot(workspace, "evaluate", progress, run_id="run-made"))

    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "not evaluated yet")
        app.post_message(scored(6))
        await shows(pilot, "6 of 24 probes")
        await pilot.press("j", "j", "k")
        await until(pilot, lambda: "berth 1?" in line_with(app, "> "))
        app.post_message(scored(12))
        await shows(pilot, "12 of 24 probes")
        await pilot.pause(0.3)
        assert "berth 1?" in line_with(app, "> ")


async def test_the_cursor_goes_to_the_remembered_probe_once_it_comes(tmp_path: Path) -> None:
    app, workspace, loaded = opened_with_run(tmp_path)
    workspace.studio.put("screen", "evaluate", ScreenState(stage="evaluate", values={"probe": "probe-004"}))
    results = [made_result(loaded.spec, number) for number in range(6)]
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["6"], "not evaluated yet")
        for count in (2, 6):
            progress = EvaluateProgress(STARTED, tuple(results[:count]), eta_s=90)
            app.post_message(JobMoved(made_snapshot(workspace, "evaluate", progress, run_id="run-made")))
            await shows(pilot, f"{count} of 24 probes")
        await until(pilot, lambda: "berth 4?" in line_with(app, "> "))


def test_an_evaluation_that_goes_on_counts_each_probe_once(tmp_path: Path) -> None:
    loaded = load(write_spec(tmp_path))
    scored = ProbeScored(result=made_result(loaded.spec, 1), done=1, probes=24, eta_s=5.0)
    events = [
        Event(at=datetime.now(UTC), kind=value.kind, data=value.model_dump(mode="json"))
        for value in (STARTED, scored, STARTED, scored)
    ]
    progress = fold_evaluate(fold_evaluate(None, events[:2]), events[2:])
    assert len(progress.results) == 1 and progress.brief == "1/24 ETA 5 s"
