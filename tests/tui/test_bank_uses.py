"""What people are for, from the window: each use as a job over HTTP, and what it left looked at, judged and written."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from studio.bank import compose
from studio.doctor import environment
from studio.generate.recipes import made_by, recipe_runs
from studio.jobs import list_jobs
from studio.llm import ModelSettings
from studio.queries.review import CATEGORY
from studio.queries.voting import votes_of
from studio.spec import load
from studio.store import Filter, Workspace
from studio.tui import StudioApp
from studio.tui.screens.bank.uses import USES
from tests.bank.studying import bank, follows_the_free_prompt
from tests.bank.talking import talks
from tests.generate.recipes.serving import answer as recipe_answer
from tests.llm.fake_server import FakeServer
from tests.queries.making import SPEC, author, chatbot, query
from tests.tui.making import press, shows, text_of, until

LISTED = "What were people used for?"


def support(root: Path, server: FakeServer | None = None, people: Any = ()) -> StudioApp:
    """The window on the bank's assistant, with these people."""
    workspace = Workspace.open(root, load(SPEC).spec.slug)
    workspace.examples.add_people(list(people))
    workspace.close()
    settings = ModelSettings(endpoint=server.url, model="fake") if server else ModelSettings()
    return StudioApp(SPEC, root, settings, environment(settings, folder=root))


def stored(root: Path) -> Workspace:
    return Workspace.open(root, load(SPEC).spec.slug)


async def use(pilot: Pilot[Any], what: str, /, **fields: str) -> None:
    """Fill in the form of a use, and start it."""
    await until(pilot, lambda: pilot.app.session)  # type: ignore[attr-defined]
    await press(pilot, ["x"], "what should people do?")
    await pilot.press(*("space" if letter == " " else letter for letter in what))
    await pilot.press("enter")
    await shows(pilot, "enter start")
    for field, value in fields.items():
        pilot.app.screen.query_one(f"#{field.replace('_', '-')}").value = value  # type: ignore[attr-defined]
    await pilot.press("enter")


async def told(pilot: Pilot[Any], words: str) -> None:
    """Wait for a notice, which this window does not draw."""
    await until(pilot, lambda: any(words in str(one.message) for one in pilot.app._notifications), words)


async def result(pilot: Pilot[Any], name: str) -> None:
    """Open the list of what a use has left."""
    await press(pilot, ["o"], "esc leave")
    await pilot.press(*("space" if letter == " " else letter for letter in name))
    await pilot.press("enter")


async def written(pilot: Pilot[Any], path: Path) -> str:
    """Write what is listed to ``path``; what was told of it."""
    await press(pilot, ["w"], "enter write it")
    pilot.app.screen.query_one("#file").value = str(path)  # type: ignore[attr-defined]
    await pilot.press("enter")
    await until(pilot, path.exists, str(path))
    return path.read_text()


async def test_a_recipe_is_followed_reviewed_reported_and_written(tmp_path: Path) -> None:
    async with FakeServer(recipe_answer) as server:
        app = support(tmp_path, server, compose.people(30, 1))
        async with app.run_test(size=(120, 40)) as pilot:
            await press(pilot, ["2"], "30 people")
            await use(pilot, "recipe", count="6")
            await shows(pilot, "recipe math  finished", "6 of 6")
            await result(pilot, "recipe math")
            await shows(pilot, "recipe math, persona  1 of 6", "There are", "Agreement", "r review", "w export")
            await press(pilot, ["r"], "1 of 5  is it valid")
            await press(pilot, ["a"], "2 of 5  saved")
            await press(pilot, ["r"], "Why is it not valid?")
            await press(pilot, ["w"], "3 of 5  saved")
            await press(pilot, ["u"], "2 of 5  the answer before is taken back")
            await press(pilot, ["question_mark"], "Take back the answer before")
            await press(pilot, ["escape"], "2 of 5")
            await pilot.press("escape")
            await told(pilot, "100% valid (21% to 100%) of 1 reviewed")
            await press(pilot, ["v"], "6 for 6 people, of ")
            await shows(pilot, "agreement", "all agree", "100% valid (21% to 100%) of 1 reviewed, 5 wanted")
            await press(pilot, ["escape"], "1 of 6")
            text = await written(pilot, tmp_path / "math.jsonl")
            assert [sorted(json.loads(one)) for one in text.splitlines()] == [
                ["description", "input persona", "synthesized text"]
            ] * 6
    (run,) = recipe_runs(stored(tmp_path).documents)
    assert len(made_by(stored(tmp_path).documents, run)) == 6


async def test_queries_of_both_kinds_stop_go_on_and_are_compared_in_a_blind_vote(tmp_path: Path) -> None:
    async with FakeServer(author, latency=0.1) as server:
        app = support(tmp_path, server)
        async with app.run_test(size=(120, 40)) as pilot:
            await press(pilot, ["2"], "Nobody yet")
            await use(pilot, "queries", count="60")
            await shows(pilot, "queries  running", "of 60")
            await press(pilot, ["S"], "stopped short: ")
            await shows(pilot, "x offers to go on")
            assert len(server.requests) < 120
            await press(pilot, ["x"], "go on with queries")
            await press(pilot, ["enter"], "queries  finished")
            await shows(pilot, "60 of 60")
            await use(pilot, "queries naive", count="12")
            await shows(pilot, "finished")
            await until(pilot, lambda: not app.snapshots["bank"].alive)
            await result(pilot, "queries of people")
            await shows(pilot, "1 of 60", "topic fit", "r vote")
            await press(pilot, ["r"], "which would a real customer type?")
            assert "naive" not in text_of(app) and "people" not in text_of(app)
            for number, key in enumerate(("1", "2", "t"), 2):
                await press(pilot, [key], f"{number} of ")
            await pilot.press("escape")
            await told(pilot, "ties count half: 1")
            await press(pilot, ["v"], "As written")
            await shows(pilot, "fit their topic", "distinct-1", "of the blind votes; ties count half: 1")
            await press(pilot, ["escape"], "1 of 60")
            text = await written(pilot, tmp_path / "queries.csv")
            assert text.startswith("user_type,background,query,topic\n") and len(text.splitlines()) >= 61
    assert len(votes_of(stored(tmp_path).documents)) == 3
    bodies = [str(body["messages"]) for body in server.requests if "AskerAnswer" in str(body.get("response_format"))]
    assert len(set(bodies)) == len(bodies), "nobody is asked for twice"


async def test_a_chatbot_is_asked_and_its_mismatches_go_to_triage(tmp_path: Path) -> None:
    async with FakeServer(author) as server, FakeServer(chatbot) as bot:
        app = support(tmp_path, server)
        async with app.run_test(size=(120, 40)) as pilot:
            await press(pilot, ["2"], "Nobody yet")
            await use(pilot, "ask", chatbot=bot.url, chatbot_model="bot")
            await shows(pilot, "there are no queries to ask", "x, queries makes some")
            await press(pilot, ["escape"], "Nobody yet")
            await use(pilot, "queries", count="24")
            await shows(pilot, "queries  finished")
            await use(pilot, "ask", chatbot=bot.url, chatbot_model="bot", name="first", count="24")
            await shows(pilot, "ask answers  finished", "24 of 24")
            await result(pilot, "answers first")
            await shows(pilot, "answers first: bot  1 of 24", "customer", "expected: ", "t to triage")
            await press(pilot, ["v"], "Mismatched by topic")
            await shows(pilot, "Payments abroad", "judge: fake")
            await press(pilot, ["escape"], "1 of 24")
            await pilot.press("t")
            await told(pilot, f'sent to triage: 4, then f "{CATEGORY}"')
            text = await written(pilot, tmp_path / "answers.md")
            assert text.startswith("# Answers of first") and "it costs 25 dollars" in text
    assert stored(tmp_path).examples.count(Filter(category=CATEGORY)) > 0


async def test_two_people_talk_and_both_sides_are_written(tmp_path: Path) -> None:
    async with FakeServer(talks(6)) as server:
        app = support(tmp_path, server, compose.people(40, 0))
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, ["2"], "40 people")
            await use(pilot, "talk", count="4", turns="3")
            await shows(pilot, "turns: expected 4 to 60, found 3")
            pilot.app.screen.query_one("#turns").value = "6"  # type: ignore[attr-defined]
            pilot.app.screen.query_one("#language").value = "any"  # type: ignore[attr-defined]
            await pilot.press("enter")
            await shows(pilot, "talk  finished", "4 of 4")
            await result(pilot, "talk")
            await shows(pilot, "conversations of two people  1 of 4", "Relation")
            await press(pilot, ["v"], "6.0 on average, 6 to 6")
            await press(pilot, ["escape"], "1 of 4")
            lines = (await written(pilot, tmp_path / "talks.jsonl")).splitlines()
            assert [json.loads(line)["side"] for line in lines] == ["first", "second"] * 4


async def test_a_study_shows_its_box_plots_and_draws_them(tmp_path: Path) -> None:
    async with FakeServer(follows_the_free_prompt) as server:
        app = support(tmp_path, server, bank(6))
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, ["2"], "36 people")
            await use(pilot, "study", pairs="3", bins=".4, x")
            await shows(pilot, "bins: expected similarities from 0.05 to 0.95")
            pilot.app.screen.query_one("#bins").value = ".4 .6 .8"  # type: ignore[attr-defined]
            await pilot.press("enter")
            await shows(pilot, "study outputs  finished")
            await result(pilot, "study")
            await shows(pilot, "1 of 1", "people compared")
            await press(pilot, ["v"], "free prompt, fake")
            await shows(pilot, "~0.80", "[", "Spearman", "pairs asks for")
            await press(pilot, ["escape"], "1 of 1")
            assert (await written(pilot, tmp_path / "study.svg")).startswith("<svg")
            await press(pilot, ["escape"], "36 people")
            await result(pilot, "outputs")
            await shows(pilot, "outputs of the study")
            assert "w export" not in text_of(app)


async def test_the_effect_of_the_person_is_asked_for_and_told(tmp_path: Path) -> None:
    def turns(body: dict[str, Any]) -> dict[str, Any]:
        said = str(body["messages"][-1]["content"])
        return {
            "messages": [{"role": "user", "content": said[-400:]}, {"role": "assistant", "content": "It is noted."}]
        }

    async with FakeServer(turns) as server:
        app = support(tmp_path, server, compose.people(40, 0))
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, ["2"], "40 people")
            await result(pilot, "effect")
            await shows(pilot, "0 scenarios have two people who asked twice", "x, effect has a sample written")
            await press(pilot, ["escape"], "40 people")
            await use(pilot, "effect", turns="33")
            await shows(pilot, "effect turns  finished")
            await result(pilot, "effect")
            await shows(pilot, "effect of the person on the text  1 of ")
            await press(pilot, ["v"], "share of variation")
            await shows(pilot, "meaning", "person", "by fake")
            await press(pilot, ["escape"], "1 of ")
            assert (await written(pilot, tmp_path / "effect.svg")).startswith("<svg")


async def test_each_use_says_what_it_needs(tmp_path: Path) -> None:
    app = support(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["2"], "Nobody yet")
        await press(pilot, ["x"], "needs a model and profiles in the spec")
        await shows(pilot, *(one.id for one in USES), "It needs a model.", "Press escape, 3, then w")
        await press(pilot, ["enter"], "recipe needs a model")
        await press(pilot, ["n"], "Nobody yet")
        await use(pilot, "ask", chatbot="http://127.0.0.1:9/v1", chatbot_model="bot")
        await shows(pilot, "judging the answers needs a model", "Press escape, 3, then w")
        await press(pilot, ["escape"], "Nobody yet")
        await press(pilot, ["w"], "Write people to a file")
    assert list_jobs(tmp_path / "linden" / "jobs") == []


@pytest.mark.parametrize(
    ("name", "fields", "said"),
    [
        ("recipe", {"recipe": "mths"}, "no such recipe: mths"),
        ("recipe", {"recipe": "npc"}, "needs a file that describes the world"),
        ("recipe", {"samples": "1"}, "one solution agrees with nothing"),
        ("recipe", {"shots": "many"}, "shots: expected one of zero, few, persona"),
        ("ask", {}, "expected one chatbot to ask"),
        ("ask", {"chatbot": "http://127.0.0.1:9/v1"}, "no model of the chatbot is named"),
        ("talk", {"one_call": "maybe"}, "one-call: expected yes or no"),
        ("study", {"tasks": "songs"}, "no such prompt: songs"),
        ("effect", {"turns": "5"}, "turns: expected 33 to 1000000, found 5"),
    ],
)
async def test_what_cannot_be_is_refused_in_the_form(
    tmp_path: Path, name: str, fields: dict[str, str], said: str
) -> None:
    async with FakeServer(author) as server:
        app = support(tmp_path, server)
        async with app.run_test(size=(80, 24)) as pilot:
            await press(pilot, ["2"], "Nobody yet")
            await use(pilot, name, **fields)
            await shows(pilot, said, "enter start")
            assert not any(f"--{field}" in text_of(app) for field in ("world", "samples", "chatbot", "task"))
    assert list_jobs(tmp_path / "linden" / "jobs") == []


async def test_what_models_wrote_reaches_no_page_with_controls_in_it(tmp_path: Path) -> None:
    hostile = "A\x1b]52;c;aGFja2Vk\x07 [@click=app.quit]B[/foo] \u202eC"
    workspace = stored(tmp_path)
    for place in range(4):
        kind, arm = (("query", "people"), ("query naive", "naive"))[place % 2]
        one = query(place, "Payments abroad", query=f"{place} {hostile}", arm=arm, user_type=hostile)
        workspace.documents.put(kind, one.id, one)
    workspace.close()
    app = support(tmp_path)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, ["2"], "Nobody yet")
        await until(pilot, lambda: app.session)
        await result(pilot, "queries of people")
        await shows(pilot, "1 of 2", "@click=app.quit]B[/foo]")
        await press(pilot, ["r"], "which would a real customer type?")
        await shows(pilot, "@click=app.quit]B[/foo]")
        assert not {"\x1b", "\x07", "\u202e"} & set(text_of(app))
        await press(pilot, ["escape"], "1 of 2")
        await press(pilot, ["v"], "distinct-1")
        assert not {"\x1b", "\x07", "\u202e"} & set(text_of(app))
