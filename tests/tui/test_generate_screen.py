"""Generating: a real job with the recorded author, seen, stopped and seen again; and who could write."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from studio.build import Session
from studio.doctor import environment
from studio.generate.types import GenerateFinished, GenerateProgressed, Spending, SpentOn
from studio.jobs import active, list_jobs
from studio.llm import BatchClient, LocalServer, ModelSettings, Submitted, Waiting
from studio.llm.batch import TABLE, Wanted
from studio.spec import load
from studio.store import Workspace
from studio.store.records import Violation
from studio.tui import StudioApp
from studio.tui.live.bridge import JobMoved
from studio.tui.live.progress import GenerateProgress
from tests.llm.fake_server import FakeServer
from tests.small_persona import SLUG, copy_to
from tests.store.making import decision
from tests.tui.making import PERSON, made, opened, press, shows, text_of, until, window
from tests.tui.outcomes import made_snapshot, told


def opened_wren(folder: Path, *, recorded: bool = True) -> StudioApp:
    """The window on a persona with a recording and labels, and a fresh workspace."""
    return window(copy_to(folder, recorded=recorded), folder / "ws")


def whole(app: StudioApp) -> str:
    """What is on the screen, with what was wrapped put together again."""
    return "".join(line[1:] for line in text_of(app).splitlines())


async def test_an_empty_workspace_says_what_to_do(tmp_path: Path) -> None:
    async with opened_wren(tmp_path).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "No examples yet. Press s to generate.")
        await shows(pilot, "watering", "0/4", "accepted  0 of 12", "recorded author", "learned judge")


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
    app = opened_wren(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        assert app.session is None
        await pilot.press("3", "s")
        await until(pilot, lambda: app.session and list_jobs(app.session.workspace.jobs_dir), "a job")
    for job in list_jobs(tmp_path / "ws" / SLUG / "jobs"):
        job.stop()
        job.wait(20)


async def test_a_job_that_fails_says_why_and_what_to_do(tmp_path: Path) -> None:
    app = opened_wren(tmp_path)
    (tmp_path / "wren.recorded.jsonl").write_text('{"scenario": "Nothing of the kind", "messages": []}\n')
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["3"], "No examples yet")
        await press(pilot, ["s"], "failed:")
        await until(pilot, lambda: "/wren.recorded.jsonl:1: messages: expected" in whole(app))
        assert "s resumes it, L shows its log" in " ".join(text_of(app).split())


async def test_enter_opens_the_example_in_triage(tmp_path: Path) -> None:
    async with opened(tmp_path, 10).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "Question 009")
        await press(pilot, ["k", "k", "enter"], "8 of 10")
        await shows(pilot, "Question 007, how deep is it?", "judge  learned judge")


async def test_a_job_runs_on_without_the_window_and_is_seen_again(tmp_path: Path) -> None:
    app = opened_wren(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "No examples yet")
        await press(pilot, ["s"], "generate▸")
        await until(pilot, lambda: active(tmp_path / "ws" / SLUG / "jobs", "generate"))
        await pilot.press("ctrl+q")
    jobs = list_jobs(tmp_path / "ws" / SLUG / "jobs", "generate")
    assert len(jobs) == 1
    assert jobs[0].wait(60).state == "finished"
    made = Workspace.open(tmp_path / "ws", SLUG).examples.count()
    again = window(tmp_path / "wren.yaml", tmp_path / "ws")
    async with again.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], f"of {made} made")
        await shows(pilot, jobs[0].view().state)


async def test_a_job_that_was_killed_is_shown_as_dead_and_goes_on(tmp_path: Path) -> None:
    app = opened_wren(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "No examples yet")
        await press(pilot, ["s"], "generate▸")
        job = active(tmp_path / "ws" / SLUG / "jobs", "generate")
        assert job is not None
        job.kill()
        await shows(pilot, "dead: killed; s resumes it, L shows its log")
        await press(pilot, ["s"], "generate▸")
        await until(pilot, lambda: len(list_jobs(tmp_path / "ws" / SLUG / "jobs")) == 2)
        await press(pilot, ["S"], "stop")
        for one in list_jobs(tmp_path / "ws" / SLUG / "jobs"):
            one.wait(30)


async def test_keys_typed_ahead_of_a_log_close_it(tmp_path: Path) -> None:
    app = opened_wren(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "No examples yet")
        await press(pilot, ["s"], "generate running")
        for key in ("L", "escape", "1"):
            app.simulate_key(key)
        await shows(pilot, "Helps people keep their houseplants alive")
        assert len(app.screen_stack) == 1
        jobs = tmp_path / "ws" / SLUG / "jobs"
        await until(pilot, lambda: active(jobs, "generate") is None, "the end of the job")


async def test_a_log_opens_at_its_end(tmp_path: Path) -> None:
    app, workspace = opened(tmp_path, 3), Workspace.open(tmp_path / "ws", "harbour")
    ended = made_snapshot(workspace, "generate", None, "finished")
    ended.job.folder.mkdir(parents=True)
    ended.job.paths.log.write_text("".join(f"line {number}\n" for number in range(100)))
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["3"], "Question 002")
        app.post_message(JobMoved(ended))
        await shows(pilot, "finished")
        await press(pilot, ["L"], "line 99")
        assert "line 0\n" not in text_of(app)


async def test_figures_agree_with_the_status_line_and_stay_when_it_ends(tmp_path: Path) -> None:
    app, workspace = opened(tmp_path, 20), Workspace.open(tmp_path / "ws", "harbour")
    progress = GenerateProgress(wanted=12, accepted=12, rate=3.2, eta_s=8)
    note = GenerateFinished(
        complete=False, targets=(), generated=20, accepted=12, rejected=4, errors=0, seconds=3, cost_usd=0, note="why"
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["3"], "Question 019")
        app.post_message(JobMoved(made_snapshot(workspace, "generate", progress)))
        await shows(pilot, "3.2/s, 8 s left", "generate 12/12", "12 of 12, +4")
        app.post_message(JobMoved(made_snapshot(workspace, "generate", replace(progress, finished=note), "stopped")))
        await shows(pilot, "3.2/s at the end", "stopped")
        assert "why" not in text_of(app)


async def test_what_it_waits_for_is_told_and_keys_change_how_many_are_under_way(tmp_path: Path) -> None:
    app, workspace = opened(tmp_path, 20), Workspace.open(tmp_path / "ws", "harbour")
    last = GenerateProgressed(
        targets=(), generated=20, accepted=12, rejected=4, errors=0, rate=0.0, eta_s=None, cost_usd=0, reasons={},
        under_way=9, at_once=16, spending=Spending(judge=SpentOn(calls=1, cost_usd=1.5), limit_usd=4),
        waiting=Waiting(reason="server", since=datetime.now(UTC) - timedelta(minutes=3)),
    )  # fmt: skip
    held_up = GenerateProgress(wanted=12, accepted=12, last=last)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "Question 019")
        await press(pilot, ["plus"], "Question 019")
        assert "nothing is being generated" in told(app)
        snapshot = made_snapshot(workspace, "generate", held_up)
        snapshot.job.folder.mkdir(parents=True)
        app.post_message(JobMoved(snapshot))
        await shows(pilot, "waiting for the server, 3 min; S stops", "at once", "9 of 16", "$1.50 of $4.00")
        await pilot.press("plus")
        control = snapshot.job.folder / "concurrency"
        await until(pilot, lambda: control.exists() and control.read_text() == "32\n")
        await pilot.press("minus")
        await until(pilot, lambda: control.read_text() == "8\n")
        stopping = replace(held_up, last=last.model_copy(update={"stopping": True}))
        app.post_message(JobMoved(made_snapshot(workspace, "generate", stopping, "stopping")))
        await shows(pilot, "stopping, 9 answers awaited; S again cancels them")


async def test_a_pattern_is_told_by_the_words_that_it_was_found_in(tmp_path: Path) -> None:
    app = opened(tmp_path)
    loaded, workspace = load(tmp_path / "harbour.yaml"), Workspace.open(tmp_path / "ws", "harbour")
    example, judgement = made(4, loaded)
    found = Violation(kind="pattern", name="(?:![^!]*){4,}", quote="Ahoy! Ahoy! Ahoy! Ahoy!")
    broken = judgement.model_copy(update={"violations": (found,), "reasons": ("pattern:(?:![^!]*){4,}",)})
    workspace.examples.add_person(PERSON)
    workspace.examples.add_example(example, broken)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], '1 pattern "Ahoy! Ahoy!')
        assert "{4,}" not in text_of(app).split("Question 004")[0]


OLLAMA = LocalServer(name="Ollama", endpoint="http://127.0.0.1:11434/v1", models=("llama3.1:8b",))


async def test_without_an_author_it_lists_who_could_write_with_what_to_press(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.screens.generate.authors.servers_here", lambda: (OLLAMA,))
    app = opened_wren(tmp_path, recorded=False)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["3"], "Who could write examples here")
        await shows(pilot, "nobody is there to write examples", "Ollama, found running at http://127.0.0.1:11434/v1")
        await shows(pilot, "enter: name a model", "enter: write one in $EDITOR", "triage import")
        await pilot.press("s")
        await until(pilot, lambda: "nobody is there to write examples" in told(app))
        assert not list_jobs(tmp_path / "ws" / SLUG / "jobs")


async def test_a_found_server_is_used_after_a_yes_and_enter_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.tui.screens.generate.authors.servers_here", lambda: (OLLAMA,))
    app = opened_wren(tmp_path, recorded=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "Ollama, found running")
        await press(pilot, ["enter"], "Use llama3.1:8b at http://127.0.0.1:11434/v1 to write and to judge?")
        await pilot.press("enter")
        await press(pilot, ["n"], "Who could write")
        assert app.session is not None and app.session.settings.offline
        await press(pilot, ["enter"], "to write and to judge?")
        await press(pilot, ["y"], "llama3.1:8b writes and judges")
        assert app.session.settings.endpoint == OLLAMA.endpoint and app.session.settings.model == "llama3.1:8b"
        await shows(pilot, "press s to start", "No examples yet")


async def test_a_model_is_named_that_the_studio_serves(tmp_path: Path) -> None:
    app = opened_wren(tmp_path, recorded=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "enter: name a model")
        await press(pilot, ["enter"], "Which chat model should write?")
        await press(pilot, [*"some/chat", "enter"], "some/chat writes")
        assert app.session is not None and app.session.settings.author_local == "some/chat"


async def test_an_example_is_written_by_hand_and_waits_for_a_decision(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: list[str] = []

    def written(app: StudioApp, text: str, suffix: str = ".txt") -> str:
        pages.append(text)
        scenario = next(line for line in text.splitlines() if line.startswith("scenario: "))
        return f"{scenario}\nuser: My fern sulks\nassistant:{replies.pop(0)}\n"

    replies = ["", " Dry soil? Stand it in water for half an hour."]
    monkeypatch.setattr("studio.tui.live.by_hand.edit_text", written)
    app = opened_wren(tmp_path, recorded=False)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "Who could write")
        await pilot.press("n")
        await until(pilot, lambda: "n opens what you wrote again" in told(app))
        await pilot.press("n")
        await until(pilot, lambda: "waits for your decision" in told(app))
        assert "My fern sulks" in pages[1] and "My fern sulks" not in pages[0]
        await shows(pilot, "1 example waits for your decision (4)")
        await pilot.press("escape")
        await shows(pilot, "unscored", "My fern sulks")


async def test_what_waits_is_counted_as_it_is_now_whatever_the_job_said(tmp_path: Path) -> None:
    app, workspace = opened(tmp_path, 3), Workspace.open(tmp_path / "ws", "harbour")
    example, judgement = made(3, load(tmp_path / "harbour.yaml"))
    workspace.examples.add_example(example, judgement.model_copy(update={"verdict": "unscored", "total": None}))
    note = GenerateFinished(
        complete=False,
        targets=(),
        generated=4,
        accepted=3,
        rejected=0,
        errors=0,
        seconds=3,
        cost_usd=0,
        note="9 examples wait for your decision (4); the recording is exhausted: 3 of 12 wanted",
    )
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["3"], "Question 003")
        progress = GenerateProgress(wanted=12, accepted=3, finished=note)
        app.post_message(JobMoved(made_snapshot(workspace, "generate", progress, "finished")))
        await shows(pilot, "1 example waits for your decision (4); the recording is", "unscored")
        workspace.examples.decide(decision(example.id, "accept"))
        await until(pilot, lambda: "waits for your decision" not in text_of(app))
        await shows(pilot, "the recording is exhausted: 3 of 12 wanted")


async def test_a_batch_at_a_server_is_shown_and_looked_at_and_cancelled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.generate.submissions.CANCEL_LOOK_S", 0.0)
    path, root = copy_to(tmp_path, recorded=True), tmp_path / "ws"
    workspace = Workspace.open(root, SLUG)
    async with FakeServer(lambda body: "ok") as server:
        settings = ModelSettings(endpoint=server.url, model="fake")
        requests = tmp_path / "requests.jsonl"
        lines = [Wanted(f"{number:064x}", 0, {"model": "fake", "messages": []}, None).line for number in range(3)]
        requests.write_text("".join(lines))
        client = BatchClient(settings, "fake")
        submitted = await client.submit(requests, "token")
        await client.close()
        batch = Submitted(
            token="token",
            place=settings.place,
            model="fake",
            purpose="author",
            requests=3,
            batch_id=submitted.id,
            at=datetime.now(UTC) - timedelta(days=2),
        )
        workspace.studio.put(TABLE, "author", batch)
        server.batches.hold, server.batches.answered = True, 2
        app = StudioApp(path, root, settings, environment(settings, folder=tmp_path), None)
        async with app.run_test(size=(160, 30)) as pilot:
            await press(pilot, ["3"], "batch_0, author: 3 requests submitted on ")
            await shows(pilot, "c collects, C cancels")
            await pilot.press("c")
            await until(pilot, lambda: told(app) == "author: in_progress 0/3", "what it was told")
            await shows(pilot, "author: 0 of 3 answered at ")
            await pilot.press("C")
            await until(pilot, lambda: told(app) == "author: cancelling 0/3", "what it was told")
            server.batches.hold = False
            await pilot.press("C")
            await until(pilot, lambda: "cancelled, 2 of 3 answered; 1 forgotten" in told(app), "what it was told")
            await until(pilot, lambda: "C cancels" not in text_of(app), "the batch is gone")
            await pilot.press("C")
            await until(pilot, lambda: "no batch is at a server" in told(app), "what to do")
    assert workspace.examples.spent().calls == 2 and workspace.studio.readable(TABLE, Submitted) == []
    workspace.close()


async def test_the_judge_checks_who_asks_from_the_next_start_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def begin(session: Session) -> None:
        asked.append(session.check_fit)

    monkeypatch.setattr("studio.tui.screens.generate.screen.begin_generating", begin)
    app = opened(tmp_path, 5)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["3"], "Question 004")
        await pilot.press("f")
        await until(pilot, lambda: any("takes a model that judges" in one.message for one in app._notifications))
        await app.use_models(ModelSettings(endpoint="http://127.0.0.1:9/v1", model="fake"))
        await press(pilot, ["f"], "checks who asks")
        await pilot.press("s")
        await until(pilot, lambda: asked == [True])
        await pilot.press("f", "s")
        await until(pilot, lambda: asked == [True, False])
