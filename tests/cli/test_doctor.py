"""``studio doctor`` as a command."""

from __future__ import annotations

import socket
from pathlib import Path

from tests import small_persona
from tests.cli.making import Studio, raw
from tests.tiny_model import tiny_base

TOPICS = {
    "endpoint",
    "learned judge",
    "training",
    "unsloth",
    "bitsandbytes",
    "gpu",
    "memory",
    "disk",
    "terminal",
    "base model",
    "author",
}


def test_what_was_found_is_one_json_document(studio: Studio) -> None:
    told = studio("doctor", "--workspace", studio.root, "--json")
    assert told.out.count("\n") == 1
    assert {finding["topic"] for finding in told.json["findings"]} >= TOPICS
    assert told.json["author"] == "no author" and told.json["models"] is None
    assert told.json["status_line"].startswith("no author · no judge · SmolLM2-135M · ")
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


def test_for_a_spec_it_says_who_could_write_and_how_to_begin(studio: Studio) -> None:
    told = studio("doctor", studio.spec, "--workspace", studio.root, "--json")
    choices = {choice["kind"]: choice for choice in told.json["authors"]}
    assert {"local", "hand", "import"} <= choices.keys()
    assert choices["hand"]["how"].startswith("studio triage new") and "harbour.yaml" in choices["hand"]["how"]
    served = studio("doctor", studio.spec, "--author", "local:smollm2", "--workspace", studio.root, "--json")
    assert served.json["authors"][0]["kind"] == "served" and served.json["authors"][0]["ready"]
    assert served.json["status_line"].startswith("smollm2 writes · ")
    wrong = studio("doctor", "--author", "smollm2")
    assert wrong.status == 2 and "local:MODEL" in wrong.err


def test_for_a_persona_with_a_recording_and_labels_it_says_what_a_build_runs_on(studio: Studio) -> None:
    base = tiny_base()
    told = studio("doctor", small_persona.SPEC, "--base", base, "--workspace", studio.root, "--json")
    assert told.json["status_line"].startswith("recorded author · learned judge · ")
    (first, *_) = told.json["authors"]
    assert (first["kind"], first["ready"]) == ("recording", True)
    assert f"{small_persona.RECORDED} conversations left" in first["text"]
    (found,) = (finding for finding in told.json["findings"] if finding["topic"] == "base model")
    assert found["level"] == "ok" and base in found["text"] and not studio.root.exists()
