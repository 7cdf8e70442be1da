"""``studio queries`` from a shell, end to end against servers: made, voted on, compared, asked, corrected."""

from __future__ import annotations

import io
import json
import re
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from studio.llm.settings import PATIENCE_VARIABLE
from studio.train.run import write_run
from tests.cli.conftest import offline  # noqa: F401 - a fixture for all tests here
from tests.cli.making import HOSTILE, Studio, one_line, raw
from tests.llm.fake_server import FakeServer
from tests.package.making import run_of, train_adapter
from tests.queries.making import SPEC, author, chatbot, query, schema_of, serving
from tests.tiny_model import tiny_base


@pytest.fixture
def studio(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Studio:
    return Studio(tmp_path, capfd, SPEC)


def at(studio: Studio, url: str | None = None) -> list[object]:
    place: list[object] = ["--endpoint", url, "--model", "fake"] if url else []
    return [studio.spec, "--workspace", studio.root, *place]


def fill(studio: Studio, count: int = 12) -> None:
    workspace = studio.workspace()
    for place in range(count):
        one = query(place, studio.loaded.topics[place % 12].topic)
        workspace.documents.put("query", one.id, one)
    workspace.close()


def test_a_team_makes_both_arms_votes_compares_asks_and_corrects(
    studio: Studio, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    judging = FakeServer(author)
    with serving(FakeServer(author), judging, FakeServer(chatbot, key="secret")) as (url, judge_url, bot_url):
        models = [*at(studio, url), "--judge-endpoint", judge_url, "--judge-model", "judge"]
        told = studio("queries", "make", *models, "-n", "36", "--json")
        assert told.status == 0, told.err
        assert (told.json["done"], told.json["complete"], told.json["arm"]) == (36, True, "people")
        assert {schema_of(body) for body in judging.requests} == {"FitAnswer"}
        lines, table = (Path(one) for one in told.json["files"])
        made = [json.loads(line) for line in lines.read_text().splitlines()]
        assert len(made) == 36 and list(made[0]) == ["user_type", "background", "query", "topic"]
        assert table.read_text().startswith("user_type,background,query,topic\n")
        told = studio("queries", "make", *models, "-n", "36", "--naive")
        assert told.status == 0 and "naive queries" in told.out and "duplicate in" in told.out, told.err
        gone = tmp_path / "gone.jsonl"
        told = studio("queries", "export", *at(studio), gone, "--naive", "--removed")
        assert told.status == 0 and all(json.loads(line)["twin"] for line in gone.read_text().splitlines())

        monkeypatch.setattr(sys, "stdin", io.StringIO("1\n2x\nt\nu1\nq\n"))
        told = studio("queries", "vote", *at(studio), "--json")
        assert told.status == 0 and told.json["done"] == 3 and told.json["realism"]["wins"]["n"] == 3, told.err
        assert "which would a real customer type?" in told.err and "took back the vote" in told.err
        assert "people" not in told.err and "naive" not in told.err  # blind

        picture = tmp_path / "queries.svg"
        told = studio("queries", "report", *at(studio), "--svg", picture, "--json")
        assert told.status == 0, told.err
        people, naive = told.json["arms"]
        assert people["as_written"]["measures"]["vendi"] > naive["as_written"]["measures"]["vendi"]
        assert people["as_written"]["measures"]["distinct_2"] > naive["as_written"]["measures"]["distinct_2"]
        assert sum(people["removed"].values()) < sum(naive["removed"].values())
        assert ElementTree.parse(picture).getroot().tag.endswith("svg")
        shown = studio("queries", "report", *at(studio)).out
        assert "Vendi score" in shown and "fit their topic" in shown and "of the blind votes" in shown

        monkeypatch.setenv("BOT_KEY", "secret")
        bot = ["--chatbot", bot_url, "--chatbot-model", "bot", "--chatbot-key-variable", "BOT_KEY"]
        told = studio("queries", "ask", *models, *bot, "-n", "24", "--json")
        assert told.status == 0, told.err
        assert (told.json["run"]["done"], told.json["judge"]) == (24, "judge")
        (side,) = told.json["sides"]
        wrong = {rate["name"] for rate in side["topics"] if rate["events"]}
        assert wrong == {"Payments abroad", "Savings and overdrafts"}
        missed = sum(rate["n"] for rate in side["topics"] if rate["name"] in wrong)
        assert side["mismatched"]["events"] == missed >= 2
        assert "it costs 25 dollars" in Path(told.json["file"]).read_text()
        shown = studio("queries", "answers", *at(studio), "--all").out
        assert shown.count("\ntopic: ") == 24 and "no mismatch was looked at in triage" in shown
        shown = studio("queries", "answers", *at(studio), "--mismatched").out
        assert (
            shown.count("\ntopic: ") == side["mismatched"]["events"]
            and "by user type" in shown
            and "contradicted" in shown
            and "it costs 25 dollars" in shown
        )

    told = studio("queries", "triage", *at(studio))
    assert told.status == 0 and f"{missed} mismatches are pending in triage, 0 were there already" in told.out, told.err
    again = studio("queries", "triage", *at(studio), "--json")
    assert (again.json["added"], again.json["known"]) == (0, missed)
    listed = studio("triage", "list", *at(studio), "--category", "chatbot queries", "--json").json
    assert len(listed) == missed and {one["status"] for one in listed} == {"pending"}
    where = ["--spec", studio.spec, "--workspace", studio.root]
    name = listed[0]["example"]["id"]
    assert studio("triage", "edit", name, "--assistant", "It costs 12 dollars.", *where).status == 0
    assert studio("triage", "export", *where, "--json").json["count"] == 1
    assert "people upheld 1 of 1" in studio("queries", "answers", *at(studio)).out


def test_base_and_tuned_of_a_run_are_asked_side_by_side_and_judged(studio: Studio) -> None:
    fill(studio, 6)
    workspace = studio.workspace()
    folder = workspace.runs_dir / "run-1"
    adapter = train_adapter(folder / "adapter", tiny_base())
    write_run(folder, run_of(adapter, base=tiny_base(), spec_hash=studio.loaded.hash))
    workspace.close()
    with serving(FakeServer(author)) as (url,):
        arguments = [*at(studio, url), "--run", "run-1", "-n", "6", "--max-tokens", "12"]
        told = studio("queries", "ask", *arguments, "--json")
        assert told.status == 0, told.err
        assert told.json["run_id"] == "run-1" and told.json["run"]["done"] == 12
        assert [(side["side"], side["answers"], side["judged"]) for side in told.json["sides"]] == [
            ("base", 6, 6),
            ("tuned", 6, 6),
        ]
        page = Path(told.json["file"]).read_text()
        said = {
            side: re.findall(r"\*\*chatbot\*\*: (.*)", page.partition(f"## run-1 {side}")[2])
            for side in ("base", "tuned")
        }
        assert said["base"][:6] != said["tuned"][:6]
        again = studio("queries", "ask", *arguments, "--json")
        assert (again.json["run"]["known"], again.json["run"]["calls"]) == (12, 0)
        told = studio("queries", "ask", *arguments, "--author", "local:smollm2")
        assert told.status == 2 and "serves one model at a time" in told.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("make",), "queries: needs a model to ask"),
        (("make", "--judge-endpoint", "http://127.0.0.1:9/v1"), "no model is named to judge"),
        (("make", "--out", "q.xlsx"), "no such format of queries"),
        (("report",), "0 queries of the people arm"),
        (("vote",), "there are no pairs to vote on"),
        (("answers",), "nothing was asked yet"),
        (("triage",), "nothing was asked yet"),
        (("ask",), "expected one chatbot to ask"),
        (("ask", "--chatbot", "http://127.0.0.1:9/v1"), "no model of the chatbot is named"),
        (("ask", "--chatbot", "nonsense", "--chatbot-model", "m"), "the endpoint is not a URL"),
        (("ask", "--chatbot", "http://127.0.0.1:9/v1", "--chatbot-model", "m", "--name", "../x"), "no such name"),
        (("ask", "--run", "none"), "no such run"),
        (("ask", "--chatbot", "http://127.0.0.1:9", "--chatbot-model", "m", "--system", "/none"), "cannot be read"),
    ],
)
def test_what_is_missing_is_said_in_one_line_before_any_job(
    studio: Studio, arguments: tuple[str, ...], says: str
) -> None:
    command, *rest = arguments
    told = studio("queries", command, *at(studio), *rest)
    assert one_line(told) and says in told.err, told.err
    assert not list(studio.root.glob("*/jobs/*/job.json"))


def test_a_chatbot_that_is_not_there_ends_in_one_line_and_the_same_command_goes_on(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(studio)
    monkeypatch.setenv(PATIENCE_VARIABLE, "0.02")  # minutes
    with serving(FakeServer(author), FakeServer(chatbot)) as (url, bot_url):
        gone = ["--chatbot", "http://127.0.0.1:9/v1", "--chatbot-model", "bot", "--name", "one"]
        told = studio("queries", "ask", *at(studio, url), *gone)
        last = told.err.splitlines()[-1]
        assert told.status == 2 and told.out == "" and last.startswith("studio: ") and "127.0.0.1:9" in last
        bot = ["--chatbot", bot_url, "--chatbot-model", "bot"]
        assert studio("queries", "ask", *at(studio, url), *bot).status == 0


def test_what_a_chatbot_writes_reaches_the_terminal_and_the_page_inert(studio: Studio) -> None:
    fill(studio, 3)

    def hostile(body: dict[str, Any]) -> str:
        return f"{HOSTILE} <script>alert(1)</script> [x](http://evil)"

    with serving(FakeServer(author), FakeServer(hostile)) as (url, bot_url):
        bot = ["--chatbot", bot_url, "--chatbot-model", "bot"]
        told = studio("queries", "ask", *at(studio, url), *bot, "-n", "3", "--json")
    page = Path(told.json["file"]).read_text()
    assert raw(page) == [] and "<script>" not in page and "[x](" not in page
    assert raw(studio("queries", "answers", *at(studio), "--mismatched").out) == []
