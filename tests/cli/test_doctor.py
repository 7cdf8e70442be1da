"""``studio doctor`` as a command."""

from __future__ import annotations

import socket
from pathlib import Path

from tests.cli.making import Studio, raw

TOPICS = {"endpoint", "training", "unsloth", "bitsandbytes", "gpu", "memory", "disk", "terminal", "base model"}


def test_what_was_found_is_one_json_document(studio: Studio) -> None:
    told = studio("doctor", "--workspace", studio.root, "--json")
    assert told.out.count("\n") == 1
    assert {finding["topic"] for finding in told.json["findings"]} >= TOPICS
    assert told.json["author"] == "offline author" and told.json["models"] is None
    assert told.json["status_line"].startswith("offline author · rules judge · pocket base model · ")
    problem = any(finding["level"] == "problem" for finding in told.json["findings"])
    assert told.status == (1 if problem else 0)
    assert not studio.root.exists(), "looking makes nothing"


def test_an_endpoint_that_does_not_answer_is_a_problem(studio: Studio) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"
        told = studio("doctor", "--endpoint", url, "--model", "m\x1b[31m")
    assert told.status == 1 and "problem" in told.out and url in told.out and raw(told.out) == []


def test_a_base_model_that_cannot_be_had_is_a_problem(studio: Studio, tmp_path: Path) -> None:
    told = studio("doctor", "--base", tmp_path / "none", "--json")
    (base,) = (finding for finding in told.json["findings"] if finding["topic"] == "base model")
    assert told.status == 1 and base["level"] == "problem" and str(tmp_path / "none") in base["text"] and base["remedy"]
