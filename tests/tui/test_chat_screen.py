"""Talking to both sides: what is sent, what is shown while it comes, votes, and what is left after a restart."""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import pytest
from textual.pilot import Pilot

from studio.errors import UserError
from studio.jobs import Job
from studio.serve import AdapterProof, Server, ServeReady
from studio.spec import load
from studio.store import ChatVote, Documents, Filter, Workspace
from studio.train import runs
from studio.train.types import Run
from studio.tui import StudioApp
from studio.tui.live.bridge import JobMoved
from studio.tui.live.progress import ServeProgress
from studio.tui.screens.chat.conversation import (
    VOTES,
    Choice,
    Conversation,
    Exchange,
    conversations,
    keep_conversation,
    keep_vote,
)
from tests.llm.fake_server import Answer, FakeServer
from tests.llm.faults import Cut, Fault
from tests.tui.making import painted_in, press, shows, text_of, until, window, write_spec
from tests.tui.outcomes import keep_run, keep_talk, made_snapshot, told

PROOF = AdapterProof(delta_on_off=12.63, delta_off_base=0.0, proven=True)
SIZE = (80, 24)


def said(body: dict[str, Any]) -> str:
    """Each side tells its name and how many turns it was sent."""
    return f"{body['model']} heard {len(body['messages'])}: {body['messages'][-1]['content']}"


def opened_with_run(folder: Path) -> tuple[StudioApp, Workspace]:
    loaded = load(write_spec(folder))
    workspace = Workspace.open(folder / "ws", loaded.spec.slug)
    keep_run(workspace)
    return window(loaded.path, folder / "ws"), workspace


@asynccontextmanager
async def served(
    monkeypatch: pytest.MonkeyPatch,
    answer: Answer = said,
    faults: tuple[Fault | None, ...] = (),
    lease: IO[bytes] | None = None,
) -> AsyncIterator[FakeServer]:
    """A worker for the chat, without a process or a model."""
    with tempfile.TemporaryDirectory(prefix="chat") as folder:  # a socket's path is short
        socket = Path(folder) / "s"
        ready = ServeReady(socket=str(socket), device="CPU", models=("base", "tuned"), proof=PROOF, seconds=1)

        async def have_worker(jobs_dir: Path, run: Run) -> Server:
            return Server(Job(jobs_dir / "serve"), ready, lease or BytesIO())

        monkeypatch.setattr("studio.tui.screens.chat.models.have_worker", have_worker)
        async with FakeServer(answer, faults=faults, uds=socket) as server:
            yield server


async def say(pilot: Pilot[Any], text: str) -> None:
    await pilot.press("enter")
    await until(pilot, lambda: pilot.app.focused and pilot.app.focused.id == "composer", "the composer")
    await pilot.press(*("space" if one == " " else one for one in text), "enter")


async def test_both_sides_reply_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = opened_with_run(tmp_path)
    async with served(monkeypatch) as server, app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "adapter on, run-made")
        await say(pilot, "hello")
        await shows(pilot, "base heard 1: hello", "tuned heard 1: hello", "which? h l t x")
        row = next(line for line in text_of(app).splitlines() if "base heard" in line)
        assert row.index("base heard") < row.index("│") < row.index("tuned heard")
        await pilot.press("escape")
        await say(pilot, "more")
        await shows(pilot, "base heard 3: more", "tuned heard 3: more")
        turns = {body["model"]: [one["content"] for one in body["messages"]] for body in server.requests}
        assert turns["base"] == ["hello", "base heard 1: hello", "more"]
        assert turns["tuned"] == ["hello", "tuned heard 1: hello", "more"]


async def test_after_sending_the_keys_are_votes_and_enter_writes_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = opened_with_run(tmp_path)
    async with served(monkeypatch), app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "adapter on, run-made")
        await say(pilot, "hello")
        await shows(pilot, "which? h l t x", "l tuned")
        await press(pilot, ["l"], "now: tuned")
        await say(pilot, "more")
        await shows(pilot, "tuned heard 3: more", "which? h l t x")
        await press(pilot, ["enter"], "which? esc, then h l t x")
        await press(pilot, ["l", "escape"], "which? h l t x")
        assert app.screen.query_one("#composer").text == "l"  # type: ignore[attr-defined]


async def test_a_new_conversation_keeps_the_one_before_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = opened_with_run(tmp_path)
    async with served(monkeypatch) as server, app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "adapter on, run-made")
        await say(pilot, "hello")
        await shows(pilot, "which? h l t x")
        await press(pilot, ["l"], "now: tuned")
        await press(pilot, ["n"], "Nothing said yet")
        await say(pilot, "another")
        await shows(pilot, "tuned heard 1: another", "which? h l t x")
        await press(pilot, ["o"], "which conversation")
        await shows(pilot, "1 turn  another", "1 turn  hello")
        await pilot.press("h", "e", "l", "l", "o", "enter")
        await shows(pilot, "tuned heard 1: hello", "now: tuned")
        await say(pilot, "more")
        await shows(pilot, "tuned heard 3: more")
        assert next(one["content"] for one in server.requests[-1]["messages"]) == "hello"
        await press(pilot, ["o", *"another", "enter"], "tuned heard 1: another")
        await pilot.press("ctrl+q")
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with again.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "tuned heard 1: another")


async def test_two_windows_that_go_on_with_one_conversation_keep_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, workspace = opened_with_run(tmp_path)
    run = keep_run(workspace)
    here = keep_talk(workspace, run, Exchange(user="first", base="b", tuned="t"))
    async with served(monkeypatch), app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "first")
        keep_conversation(workspace.documents, here.add("said in the other window"), here)
        await say(pilot, "said here")
        await shows(pilot, "tuned heard 3: said here", "which?")
        await until(pilot, lambda: "kept beside it" in told(app))
        await say(pilot, "more")
        await shows(pilot, "tuned heard 5: more", "which?")
        await until(
            pilot, lambda: any("tuned heard 5" in last_reply(one) for one in conversations(workspace.documents))
        )
    kept = {tuple(pair.user for pair in one.exchanges) for one in conversations(workspace.documents)}
    assert kept == {("first", "said in the other window"), ("first", "said here", "more")}


def last_reply(conversation: Conversation) -> str:
    return (conversation.last and conversation.last.tuned) or ""


async def test_an_earlier_conversation_is_with_the_run_that_it_was_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, workspace = opened_with_run(tmp_path)
    older = keep_run(workspace, "run-older", stopped=True)
    keep_talk(workspace, older, Exchange(user="long ago", base="b", tuned="t"), Exchange(user="then", base="b"))
    async with served(monkeypatch) as server, app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "adapter on, run-older")
        await shows(pilot, "a reply is missing: r")
        await pilot.press("r")
        await until(pilot, lambda: "this conversation is with run-older" in told(app))
        await say(pilot, "hello")
        await shows(pilot, "adapter on, run-made", "tuned heard 1: hello")
        assert "long ago" not in text_of(app)
        assert [len(body["messages"]) for body in server.requests] == [1, 1]
        await press(pilot, ["o", *"long", "enter"], "adapter on, run-older")


async def test_ctrl_j_is_a_new_line_and_letters_are_letters(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = opened_with_run(tmp_path)
    async with served(monkeypatch) as server, app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7", "enter"], "^j new line")
        await pilot.press("h", "l", "ctrl+j", "8", "question_mark", "enter")
        await shows(pilot, "base heard 1: hl")
        assert server.requests[0]["messages"][-1]["content"] == "hl\n8?"


async def test_a_reply_is_seen_while_it_comes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = opened_with_run(tmp_path)
    more = asyncio.Event()

    async def slow(body: dict[str, Any]) -> str:
        if body["model"] == "tuned":
            await more.wait()
        return said(body)

    async with served(monkeypatch, slow), app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "run-made")
        await say(pilot, "hello")
        await shows(pilot, "base heard 1: hello", "replying")
        assert "tuned heard" not in text_of(app)
        await pilot.press("enter", "x", "enter")
        await until(pilot, lambda: "still coming" in told(app))
        more.set()
        await shows(pilot, "tuned heard 1: hello", "which? esc, then h l t x")
        assert "x" in app.screen.query_one("#composer").text  # type: ignore[attr-defined]


async def test_votes_are_durable_and_counted_once_a_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, workspace = opened_with_run(tmp_path)
    async with served(monkeypatch), app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "votes  base 0  tuned 0  tie 0  both bad 0")
        await say(pilot, "hello")
        await shows(pilot, "which? h l t x")
        await pilot.press("escape")
        await press(pilot, ["l"], "tuned 1")
        await press(pilot, ["t"], "votes  base 0  tuned 0  tie 1  both bad 0   now: tie")
        await say(pilot, "more")
        await shows(pilot, "which? h l t x")
        await pilot.press("escape")
        await press(pilot, ["x"], "votes  base 0  tuned 0  tie 1  both bad 1   now: both bad")
    votes = workspace.documents.all(VOTES, ChatVote)
    assert [vote.choice for vote in votes] == ["tie", "bad"]
    assert votes[0].tuned_messages[-1].content == "tuned heard 1: hello"
    assert [one.content for one in votes[1].base_messages][:2] == ["hello", "base heard 1: hello"]


async def test_an_unfinished_conversation_survives_a_restart(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = opened_with_run(tmp_path)
    async with served(monkeypatch), app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "run-made")
        await say(pilot, "hello")
        await shows(pilot, "which? h l t x")
        await pilot.press("escape", "h")
        await shows(pilot, "now: base")
        await pilot.press("enter", *"unsent", "ctrl+q")
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with served(monkeypatch) as server, again.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "tuned heard 1: hello")
        await shows(pilot, "unsent", "now: base", "base 1")
        await pilot.press("enter", "!", "enter")
        await shows(pilot, "base heard 3: unsent!")
        assert len(server.requests[0]["messages"]) == 3


async def test_a_broken_reply_is_told_and_only_it_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = opened_with_run(tmp_path)
    faults = tuple(Cut(1, clean=False) for _ in range(1))
    async with served(monkeypatch, faults=faults) as server, app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "run-made")
        await say(pilot, "hello")
        await shows(pilot, "a reply is missing: r")
        await until(pilot, lambda: "r asks again" in told(app))
        asked = len(server.requests)
        await pilot.press("escape", "r")
        await shows(pilot, "base heard 1: hello", "tuned heard 1: hello", "which?")
        assert len(server.requests) == asked + 1


async def test_the_worker_is_left_once_another_stage_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    app, _ = opened_with_run(tmp_path)
    lease = BytesIO()
    async with served(monkeypatch, lease=lease), app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "run-made")
        await say(pilot, "hello")
        await shows(pilot, "tuned heard 1: hello")
        await pilot.pause(1.5)
        assert not lease.closed
        await press(pilot, ["escape", "5"], "train")
        await until(pilot, lambda: lease.closed)


async def test_no_worker_is_told_with_its_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = opened_with_run(tmp_path)

    async def none_to_be_had(jobs_dir: Path, run: Run) -> Server:
        raise UserError("the model's worker died", remedy="look at its log")

    async with app.run_test(size=SIZE) as pilot:
        monkeypatch.setattr("studio.tui.screens.chat.models.have_worker", none_to_be_had)
        await press(pilot, ["7"], "run-made")
        await say(pilot, "hello")
        await until(pilot, lambda: "look at its log" in told(app))
        await shows(pilot, "a reply is missing: r")


@pytest.mark.parametrize(
    ("progress", "state", "words"),
    [
        (ServeProgress(), "running", "loading base and adapter"),
        ("ready", "running", "base proven: adapter off = base, on differs by 12.63"),
        ("ready", "finished", "the worker has ended: it starts again with your next message"),
        ("ready", "dead", "s starts it again"),
    ],
)
async def test_the_worker_is_told_as_it_stands(tmp_path: Path, progress: Any, state: Any, words: str) -> None:
    app, workspace = opened_with_run(tmp_path)
    ready = ServeReady(socket="/s", device="CPU", models=("base", "tuned"), proof=PROOF, seconds=1)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "no worker is loaded")
        known = ServeProgress(ready) if progress == "ready" else progress
        app.post_message(JobMoved(made_snapshot(workspace, "chat", known, state)))
        await shows(pilot, words)


async def test_why_the_worker_died_is_told_whole(tmp_path: Path) -> None:
    app, workspace = opened_with_run(tmp_path)
    dead = made_snapshot(workspace, "chat", None, "dead")
    why = "killed, or crashed without a word; its log may say more about where it was when that came"
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "no worker is loaded")
        app.post_message(JobMoved(replace(dead, view=dead.view.model_copy(update={"error": why}))))
        await shows(pilot, "s starts it again, L shows its log", "that came")


async def test_a_proof_that_failed_is_said_so(tmp_path: Path) -> None:
    app, workspace = opened_with_run(tmp_path)
    proof = AdapterProof(delta_on_off=0.0, delta_off_base=0.0, proven=False)
    ready = ServeReady(socket="/s", device="CPU", models=("base", "tuned"), proof=proof, seconds=1)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "no worker is loaded")
        app.post_message(JobMoved(made_snapshot(workspace, "chat", ServeProgress(ready))))
        await shows(pilot, "base NOT proven")


async def test_the_transcript_stays_where_the_reader_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app, _ = opened_with_run(tmp_path)
    go: dict[str, Callable[[], None]] = {}
    waits = asyncio.Event()
    go["on"] = waits.set

    async def long(body: dict[str, Any]) -> str:
        if len(body["messages"]) > 1:
            await waits.wait()
        return "\n".join(f"{body['model']} line {number}" for number in range(40))

    async with served(monkeypatch, long), app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "run-made")
        await say(pilot, "hello")
        await shows(pilot, "tuned line 39", "which?")
        await pilot.press("escape")
        await say(pilot, "more")
        await shows(pilot, "replying")
        await pilot.press("escape", "home")
        await shows(pilot, "tuned line 2")
        go["on"]()
        await shows(pilot, "which?", "base line 39", "tuned line 2")
        assert "tuned line 39" not in text_of(app)


async def test_a_vote_that_could_not_be_written_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(documents: Documents, vote: ChatVote) -> Counter[Choice]:
        raise UserError("cannot save: no space left on device")

    app, workspace = opened_with_run(tmp_path)
    async with served(monkeypatch), app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "run-made")
        await say(pilot, "hello")
        await shows(pilot, "which? h l t x")
        await press(pilot, ["escape", "h"], "base 1  tuned 0")
        with monkeypatch.context() as patch:
            patch.setattr("studio.tui.screens.chat.voting.keep_vote", full)
            await pilot.press("l")
            await until(pilot, lambda: "no space left" in told(app))
        await shows(pilot, "base 1  tuned 0", "now: base")
        await pilot.press("ctrl+q")
    again = window(tmp_path / "harbour.yaml", tmp_path / "ws")
    async with again.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "base 1  tuned 0  tie 0  both bad 0   now: base")
    assert [vote.choice for vote in workspace.documents.all(VOTES, ChatVote)] == ["base"]


async def test_a_vote_on_its_way_is_shown_at_once_and_marked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = threading.Event()

    def slowly(documents: Documents, vote: ChatVote) -> Counter[Choice]:
        written.wait(10)
        return keep_vote(documents, vote)

    app, _ = opened_with_run(tmp_path)
    monkeypatch.setattr("studio.tui.screens.chat.voting.keep_vote", slowly)
    async with served(monkeypatch), app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "run-made")
        await say(pilot, "hello")
        await shows(pilot, "which? h l t x")
        await press(pilot, ["escape", "h", "l"], "base 0  tuned 0  tie 0  both bad 0   now: tuned …")
        written.set()
        await shows(pilot, "base 0  tuned 1")
        assert "…" not in text_of(app)


async def test_a_worker_that_is_ready_and_idle_paints_nothing(tmp_path: Path) -> None:
    app, workspace = opened_with_run(tmp_path)
    ready = ServeReady(socket="/s", device="CPU", models=("base", "tuned"), proof=PROOF, seconds=1)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "no worker is loaded")
        app.post_message(JobMoved(made_snapshot(workspace, "chat", ServeProgress(ready))))
        await shows(pilot, "base proven", "chat ready")
        await pilot.pause(0.5)
        assert await painted_in(pilot, 2.5) == 0


async def test_a_side_of_the_conversation_becomes_an_example_as_it_is_or_edited(tmp_path: Path) -> None:
    app, workspace = opened_with_run(tmp_path)
    first = Exchange(user="How deep is berth two?", base="I would not know.", tuned="Ahoy. Four metres, skipper.")
    second = Exchange(user="And at night?", base="Dark.", tuned="Ahoy again. Still four metres.")
    keep_talk(workspace, runs(workspace)[0], first, second)
    async with app.run_test(size=SIZE) as pilot:
        await press(pilot, ["7"], "And at night?")
        await press(pilot, ["e"], "the tuned side as it is")
        await press(pilot, ["l"], "which scenario does it show")
        await pilot.press(*"depth", "enter")
        await until(pilot, lambda: "saved and accepted" in told(app))
        await press(pilot, ["e"], "its reply edited first")
        await press(pilot, ["H"], "The reply as it ought to be")
        await pilot.press(*" But charted.")
        await press(pilot, ["ctrl+o"], "which scenario does it show")
        await pilot.press(*"wind", "enter")
        await until(pilot, lambda: workspace.examples.count() == 2)
        await until(pilot, lambda: workspace.examples.count(Filter(edited=True)) == 1)
    tuned, base = workspace.examples.rows(Filter(origin="chat", status="accepted"))
    assert [turn.content for turn in tuned.messages][::3] == [
        "How deep is berth two?",
        "Ahoy again. Still four metres.",
    ]
    assert tuned.example.scenario == "Ask for depth" and tuned.example.author.endswith(" tuned")
    assert base.messages[-1].content == "Dark. But charted." and base.example.messages[-1].content == "Dark."
