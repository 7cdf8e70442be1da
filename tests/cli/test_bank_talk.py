"""``studio bank talk`` and ``talk-export`` over HTTP: what a shell sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.bank.talking import talks
from tests.cli.making import Studio, one_line
from tests.cli.test_bank_model import serving
from tests.llm.fake_server import FakeServer


@pytest.fixture
def talking(studio: Studio) -> Studio:
    assert studio("bank", "compose", studio.spec, "--workspace", studio.root, "-n", "60").status == 0
    return studio


def test_people_talk_by_a_job_and_both_sides_are_exported(talking: Studio, tmp_path: Path) -> None:
    studio, server = talking, FakeServer(talks(6))
    where = ["--workspace", studio.root]
    with serving(server) as url:
        models = ["--endpoint", url, "--model", "fake", "--language", "any"]
        told = studio("bank", "talk", studio.spec, *where, *models, "-n", "5", "--turns", "8", "--json")
        assert told.status == 0, told.err
        found = told.json
        assert (found["done"], found["mean_turns"], found["simulator_faults"], found["cost_usd"]) == (5, 6.0, 0, 0.0)
        assert sum(found["relations"].values()) == 5 and found["calls"] == len(server.requests) == 35
        assert "5 of 5 talk" in told.err
        again = studio("bank", "talk", studio.spec, *where, *models, "-n", "7")
    assert again.out.startswith("2 new of 7 conversations, 6.0 turns on average, 0 removed; 14 calls, no cost")
    assert again.lines[1].startswith("relations: ")
    file = tmp_path / "talks.jsonl"
    told = studio("bank", "talk-export", file, "--side", "both", "--spec", studio.spec, *where)
    assert told.status == 0 and told.out.startswith("14 lines of 7 conversations in "), told.err
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert [one["messages"][0]["role"] for one in lines] == ["system"] * 14
    told = studio(
        "bank", "talk-export", file, "--side", "second", "--no-system", "--spec", studio.spec, *where, "--json"
    )
    assert told.json["lines"] == 7 and "system" not in file.read_text().split('"id"')[0]


def test_without_people_model_or_conversations_it_says_what_to_do(studio: Studio, tmp_path: Path) -> None:
    told = studio("bank", "talk", studio.spec, "--workspace", studio.root)
    assert one_line(told) and "talk: needs a model" in told.err and "--endpoint" in told.err
    with serving(FakeServer(talks())) as url:
        told = studio("bank", "talk", studio.spec, "--workspace", studio.root, "--endpoint", url, "--model", "fake")
    assert told.status == 2 and "two are needed" in told.err and "Traceback" not in told.err
    told = studio("bank", "talk-export", tmp_path / "x.jsonl", "--spec", studio.spec, "--workspace", studio.root)
    assert one_line(told) and "studio bank talk" in told.err and not (tmp_path / "x.jsonl").exists()
