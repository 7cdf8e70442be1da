"""Commands that ask models: where, within which budget, and what it came to."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from studio.store import Filter
from tests.cli.making import Studio
from tests.jobs.helpers import until
from tests.llm.fake_server import FakeServer
from tests.llm.faults import Raw
from tests.llm.helpers import serving

WORDS = "amber birch cedar delta ember fjord grove heron iris jade kelp lotus maple north olive pearl".split()


class Model:
    """Writes and judges, by what it is asked for."""

    def __init__(self) -> None:
        self.number = 0

    def __call__(self, body: dict[str, Any]) -> dict[str, Any]:
        form = body["response_format"]["json_schema"]["schema"]["properties"]
        if "messages" not in form:
            mark = {"rationale": "It shows.", "quote": "", "score": 2}
            return {"shows_scenario": True, "violations": [], "steps": {}, "preferred": [], "traits": {"calm": mark}}
        self.number += 1
        words = " ".join(f"{word}{self.number}" for word in WORDS)
        said = (("user", f"Where is {words}?"), ("assistant", f"{words}, over."))
        return {"messages": [{"role": role, "content": content} for role, content in said]}


def priced(monkeypatch: pytest.MonkeyPatch, author: str = "1/1000", judge: str = "1/1000") -> None:
    monkeypatch.setenv("STUDIO_PRICE", author)
    monkeypatch.setenv("STUDIO_JUDGE_PRICE", judge)


def test_author_and_judge_are_asked_at_two_endpoints_each_with_its_key(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WRITES", "one")
    monkeypatch.setenv("JUDGES", "two")
    author, judge = FakeServer(Model(), key="one", models=["w"]), FakeServer(Model(), key="two", models=["j"])
    with serving(author), serving(judge):
        at = ["--endpoint", author.url, "--model", "w", "--judge-endpoint", judge.url, "--judge-model", "j"]
        at += ["--key-variable", "WRITES", "--judge-key-variable", "JUDGES"]
        told = studio("generate", studio.spec, "--workspace", studio.root, *at, "--json")
        found = studio("doctor", *at, "--json").json
    assert told.status == 0 and told.json["examples"]["accepted"] == 2, told.err
    assert {one["model"] for one in author.requests} == {"w"} and {one["model"] for one in judge.requests} == {"j"}
    assert found["status_line"].startswith("w writes · j judges · ")
    assert (found["models"], found["judge_models"]) == (["w"], ["j"])


def test_a_key_that_is_named_and_not_there_is_one_line(studio: Studio) -> None:
    told = studio("generate", studio.spec, "--endpoint", "http://localhost:1/v1", "--key-variable", "NOT_SET_HERE")
    assert told.status == 2 and "NOT_SET_HERE is not set" in told.err


def test_a_budget_holds_over_commands_and_is_told(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    priced(monkeypatch)
    with serving(FakeServer(Model())) as server:
        command = ["generate", studio.spec, "--workspace", studio.root, "--endpoint", server.url, "--model", "w"]
        command += ["--judge-model", "j", "--json", "--examples", "30"]
        short = studio(*command, "--max-cost", "2.5")
        assert short.status == 2 and "raise --max-cost; what is done is kept" in short.json["error"]["message"]
        paid = len(server.requests)
        assert paid > 4
        again = studio(*command, "--max-cost", "2.5")
        assert again.status == 2 and len(server.requests) == paid, "nothing more is bought"
        whole = studio(*command, "--max-cost", "90")
    assert whole.status == 0, whole.err
    spending = whole.json["spending"]
    assert spending["author"]["calls"] + spending["judge"]["calls"] == len(server.requests) == 60
    assert spending["spent_usd"] == pytest.approx(spending["author"]["cost_usd"] + spending["judge"]["cost_usd"])
    assert spending["per_accepted_usd"] == pytest.approx(spending["spent_usd"] / 30) and spending["unpriced"] == 0
    assert " of $90.00, about $" in spending["line"] and "judge $" in spending["line"]


def test_a_budget_without_a_price_is_refused_at_once(studio: Studio) -> None:
    at = ["--endpoint", "http://gateway.example/v1", "--model", "m", "--max-cost", "3"]
    told = studio("generate", studio.spec, "--workspace", studio.root, *at)
    assert told.status == 2 and "no price is known of m at http://gateway.example/v1" in told.err.splitlines()[-1]
    assert not list(studio.root.glob("*/jobs/*/")), "no job was started"


@pytest.mark.parametrize("usd", ["-1", "nan", "inf", "much"])
def test_what_is_no_budget_is_refused(studio: Studio, usd: str) -> None:
    told = studio("generate", studio.spec, "--workspace", studio.root, "--max-cost", usd)
    assert told.status == 2 and "max-cost" in told.err and "Traceback" not in told.err


def test_what_was_refused_is_asked_again_only_on_request(studio: Studio) -> None:
    refusal = Raw(json.dumps({"choices": [{"message": {"refusal": "I will not"}, "finish_reason": "stop"}]}).encode())
    with serving(FakeServer(Model(), faults=[refusal])) as server:
        at = ["--workspace", studio.root, "--endpoint", server.url, "--model", "m", "--concurrency", "1", "--json"]
        first = studio("generate", studio.spec, *at)
        assert first.status == 0 and len(server.requests) == 1 + 2 * 2
        studio("generate", studio.spec, *at, "--examples", "3")
        once = len(server.requests)
        assert once == 5 + 2, "the refused attempt is passed over"
        studio("generate", studio.spec, *at, "--examples", "4", "--retry-failed")
        bodies = [json.dumps(one["messages"]) for one in server.requests]
    assert bodies.count(bodies[0]) == 2, "what was refused was asked again"


def test_what_a_judge_answers_is_kept_and_not_paid_for_twice(studio: Studio, tmp_path: Path) -> None:
    replies = tmp_path / "replies.jsonl"
    turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Channel twelve, over."}]
    replies.write_text(json.dumps({"messages": turns}) + "\n")
    with serving(FakeServer(Model())) as server:
        command = ["judge", "score", studio.spec, replies, "--workspace", studio.root]
        command += ["--judge-endpoint", server.url, "--judge-model", "j", "--json"]
        first, again = studio(*command), studio(*command)
    assert first.json == again.json and first.json["scores"][0]["total"] == 10.0
    assert len(server.requests) == 1
    workspace = studio.workspace()
    assert workspace.examples.spending()["judge"].calls == 1 and workspace.examples.count(Filter()) == 0
    workspace.close()


def test_a_preview_shows_prompts_makes_them_and_reckons_the_whole(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    priced(monkeypatch)
    with serving(FakeServer(Model())) as server:
        command = ["generate", studio.spec, "--workspace", studio.root, "--endpoint", server.url, "--model", "w"]
        told = studio(*command, "--examples", "20", "--preview", "2")
        assert told.status == 0, told.err
        assert "1 of 2: A boat calls (calls), " in told.out and "Stays level" in told.out and "system:" in told.out
        assert "made      2, 2 accepted; they are kept" in told.lines and len(server.requests) == 4
        assert told.lines[-1].startswith("the whole 18 more accepted, about 18 to be made: 36 calls, ")
        found = studio(*command, "--examples", "20", "--json", "--preview").json
    assert len(found["prompts"]) == 5 == found["made"] and found["projection"]["missing"] == 13
    assert found["projection"]["cost_usd"] > 0 and found["prompts"][0]["messages"][0]["role"] == "system"


def test_batches_are_submitted_left_and_collected_by_the_same_command(studio: Studio) -> None:
    with serving(FakeServer(Model())) as server:
        command = ["generate", studio.spec, "--workspace", studio.root, "--endpoint", server.url, "--model", "w"]
        command += ["--judge-model", "j", "--examples", "6", "--batch"]
        first = studio(*command)
        assert first.status == 0 and "author: 5 requests submitted to w (batch_0)" in first.err, first.err
        assert first.lines[-1].startswith("answers come within a day; the same command")
        server.batches.hold = True
        waiting = studio(*command, "--json")
        assert "author: in_progress 0/5" in waiting.err and waiting.json["batches"][0]["status"] == "in_progress"
        live = studio(*command[:-1])
        assert live.status == 2 and "5 requests to w are answered in a batch" in live.err
        server.batches.hold = False
        second = studio(*command, "--json")
        assert second.json["collected"] == 5 and second.json["batches"][0]["role"] == "judge"
        last = studio(*command, "--json")
    assert last.status == 0 and last.json["complete"] and last.json["examples"]["accepted"] == 6
    assert last.json["spending"]["author"]["calls"] == 6 and last.json["batches"] == []


def test_a_batch_without_a_model_says_what_it_needs(studio: Studio) -> None:
    told = studio("generate", studio.spec, "--workspace", studio.root, "--batch")
    assert told.status == 2 and "a batch needs a model at an endpoint" in told.err and "OPENAI_API_KEY" in told.err


def test_killed_while_it_submits_a_batch_it_finds_it_again_and_nothing_is_paid_twice(studio: Studio) -> None:
    with serving(FakeServer(Model())) as server:
        command = ["generate", studio.spec, "--workspace", studio.root, "--endpoint", server.url, "--model", "w"]
        command += ["--judge-model", "j", "--examples", "6", "--batch"]
        server.batches.stalls = True
        submitting = subprocess.Popen([sys.executable, "-m", "studio.cli", *map(str, command)])
        until(lambda: bool(server.batches.all) or submitting.poll() is not None, seconds=60)
        submitting.kill()
        assert submitting.wait(20) == -signal.SIGKILL
        server.batches.stalls = False
        found = studio(*command, "--json")
        assert found.json["batches"][0]["id"] == "batch_0" and found.json["batches"][0]["total"] == 5
        while not (last := studio(*command, "--json")).json["complete"]:
            assert last.status == 0
        bodies = [json.dumps(body["messages"]) for body in server.requests]
    assert len(server.batches.all) == 2 and len(bodies) == len(set(bodies)) == 12


def test_a_preview_and_a_batch_are_two_things(studio: Studio) -> None:
    told = studio("generate", studio.spec, "--workspace", studio.root, "--batch", "--preview")
    assert told.status == 2 and "--batch and --preview at once" in told.err
