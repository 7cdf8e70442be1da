"""Making people from the window: by a job without a model, and by a model behind a server."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from studio.bank.model_job import PeopleParams
from studio.doctor import environment
from studio.jobs import list_jobs
from studio.llm import ModelSettings
from studio.store import Workspace
from studio.tui import StudioApp
from studio.tui.screens.bank.methods import METHODS
from tests.bank.making import answer
from tests.llm.fake_server import FakeServer
from tests.tui.making import opened, press, shows, text_of, until, window, write_spec


def with_model(folder: Path, server: FakeServer) -> StudioApp:
    settings = ModelSettings(endpoint=server.url, model="fake")
    return StudioApp(write_spec(folder), folder / "ws", settings, environment(settings, folder=folder))


async def choose(pilot: Pilot[Any], method: str) -> None:
    await press(pilot, ["s"], "how should people come to be?")
    await pilot.press(*method, "enter")
    await shows(pilot, "enter start")


async def test_people_are_composed_by_a_job_and_appear(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Nobody yet")
        await choose(pilot, "compose")
        await pilot.press("backspace", "backspace", "backspace", "6", "enter")
        await shows(pilot, "6 people  6 composed", "finished", "6 new", "bank✓")
        (job,) = list_jobs(tmp_path / "ws" / "harbour" / "jobs", "bank")
        await until(pilot, lambda: job.view().state == "finished")


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        *((one, "is no number") for one in ("x", "²", "-3")),
        ("99999999", "expected 0 to 100000, found 99999999"),
    ],
)
async def test_a_number_that_is_none_is_refused_and_may_be_mended(tmp_path: Path, typed: str, said: str) -> None:
    async with opened(tmp_path).run_test(size=(100, 30)) as pilot:
        await press(pilot, ["2"], "Nobody yet")
        await choose(pilot, "compose")
        await pilot.press("backspace", "backspace", "backspace", *("minus" if one == "-" else one for one in typed))
        await press(pilot, ["enter"], said)
        assert list_jobs(tmp_path / "ws" / "harbour" / "jobs") == []
        await pilot.press("ctrl+u", "5", "enter")
        await shows(pilot, "5 people  5 composed", "finished")


async def test_each_method_says_what_it_needs_and_what_to_do_where_there_is_no_model(tmp_path: Path) -> None:
    app = opened(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["2"], "Nobody yet")
        await press(pilot, ["s"], "compose         needs no model")
        await shows(pilot, *(method.id for method in METHODS), "needs a model and files of text")
        await press(pilot, ["down"], "The model writes a person a call")
        await shows(pilot, "It needs a model.", "Press escape, 3, then w", "i imports a")
        await press(pilot, ["enter"], "write needs a model")
        await press(pilot, ["n"], "Nobody yet")
        assert list_jobs(tmp_path / "ws" / "harbour" / "jobs") == []


async def test_a_model_writes_people_stops_and_goes_on(tmp_path: Path) -> None:
    async with FakeServer(answer, latency=0.3) as server:
        app = with_model(tmp_path, server)
        async with app.run_test(size=(100, 30)) as pilot:
            await press(pilot, ["2"], "Nobody yet")
            await choose(pilot, "write")
            await pilot.press("ctrl+u", *"90", "enter")
            await shows(pilot, "write  running", "of 90", "/s", "written by a model")
            await press(pilot, ["S"], "stopped short: ")
            await shows(pilot, "are missing", "no cost", "s offers to go on")
            calls = len(server.requests)
            assert 0 < calls < 90
            await press(pilot, ["s"], "go on with write")
            await pilot.press("enter")
            await shows(pilot, "write  finished", "90 of 90", "90 people  90 written by a model")
            first, second = sorted(list_jobs(tmp_path / "ws" / "harbour" / "jobs", "bank"), key=lambda job: job.id)
            tasks = [PeopleParams.model_validate(job.request.params).task for job in (first, second)]
            assert tasks[0] == tasks[1]
        bodies = [str(body["messages"]) for body in server.requests]
        assert len(set(bodies)) == len(bodies), "nobody is asked for twice"
    store = Workspace.open(tmp_path / "ws", "harbour").examples
    assert {one.method for one in store.people()} == {"write"}


async def test_hops_and_the_whole_note_are_told(tmp_path: Path) -> None:
    async with FakeServer(answer) as server:
        app = with_model(tmp_path, server)
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, ["2"], "Nobody yet")
            await choose(pilot, "compose")
            await pilot.press("ctrl+u", "4", "enter")
            await shows(pilot, "4 people", "finished")
            await choose(pilot, "relations")
            await pilot.press("ctrl+u", "1", "down", "ctrl+u", "3", "enter")
            await shows(pilot, "relations  finished", "hop 1", "drift of ages", "of jobs")
            assert "…" not in "".join(row for row in text_of(app).splitlines() if "hop 1" in row)


async def test_that_there_is_nobody_new_is_told_whole(tmp_path: Path) -> None:
    same = answer({"messages": [{}, {"content": "- Age: 40"}], "seed": 1})
    async with FakeServer(lambda body: {**same, "age": answer(body)["age"]}) as server:
        app = with_model(tmp_path, server)
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, ["2"], "Nobody yet")
            await choose(pilot, "write")
            await pilot.press("enter")
            await shows(pilot, "stopped short: nobody new in the last 100 answers", "removed")
            text = " ".join(text_of(app).split())
            assert "another --seed or model may help" in text


async def test_texts_that_are_not_there_are_refused_in_the_form(tmp_path: Path) -> None:
    async with FakeServer(answer) as server:
        app = with_model(tmp_path, server)
        notes = tmp_path / "some notes.txt"
        notes.write_text("The night ferry was late again, and the crew of the tug had to wait for two hours. " * 4)
        async with app.run_test(size=(100, 30)) as pilot:
            await press(pilot, ["2"], "Nobody yet")
            await choose(pilot, "from-text")
            await press(pilot, ["enter"], "files: name a file or a folder")
            await pilot.press(*"nowhere.txt")
            await press(pilot, ["enter"], "there is no such file")
            await pilot.press("ctrl+u")
            app.screen.focused.insert_text_at_cursor(f'"{notes}"')  # type: ignore[union-attr]
            await pilot.press("down", "ctrl+u", "2", "enter")
            await shows(pilot, "from-text  finished", "people  ")


async def test_a_job_that_failed_says_why(tmp_path: Path) -> None:
    app = window(write_spec(tmp_path), tmp_path / "ws")
    async with FakeServer(answer) as server:
        app = with_model(tmp_path, server)
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, ["2"], "Nobody yet")
            await choose(pilot, "enrich")
            await pilot.press("enter")
            await shows(pilot, "failed: ", "nobody is short of anything", "L shows its log")
            await asyncio.sleep(0)
