"""``studio judge``."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from studio.llm.endpoint import FILE
from studio.spec import load
from studio.store import Example, Judgement, Owner, Workspace
from tests.cli.making import Studio, one_line, raw
from tests.llm.fake_server import FakeServer
from tests.llm.helpers import serving

NOON = "2026-01-01T12:00:00Z"
TURNS = ({"role": "user", "content": "I fixed the tap."}, {"role": "assistant", "content": "Well done."})
DATA = Path(__file__).parents[1] / "judge" / "data"
SPEC, LABELS = DATA / "coach.yaml", DATA / "coach.labels.jsonl"


def replies(path: Path, *said: str) -> Path:
    turns = [{"role": "user", "content": "I fixed the tap."}]
    lines = [json.dumps({"messages": [*turns, {"role": "assistant", "content": one}]}) for one in said]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_replies_are_scored_in_their_order(studio: Studio, tmp_path: Path) -> None:
    good = "You fixed it with your own hands, that is a real skill. Would you like to plan the next repair for Sunday?"
    path = replies(tmp_path / "r.jsonl", "Noted.", good, "As an AI, noted.")
    told = studio("judge", "score", SPEC, path, "--json")
    flat, well, rule = told.json["scores"]
    assert told.status == 0 and well["total"] > 6 > flat["total"]
    assert (flat["pass"], well["pass"], rule["pass"]) == (False, True, False)
    assert set(well["traits"]) == {"encouraging", "next_step"} and set(well["traits"].values()) <= {0, 1, 2}
    assert (well["violations"], well["judge"]) == ([], "learned judge")
    assert [(one["kind"], one["name"]) for one in rule["violations"]] == [("generic", "As an AI")]
    table = studio("judge", "score", SPEC, path)
    assert [line.split()[2] for line in table.lines[1:4]] == ["failed", "passed", "failed"]
    assert table.lines[-1] == "judge: learned judge"


def test_without_labels_and_a_model_a_reply_is_unscored_and_not_guessed(studio: Studio, tmp_path: Path) -> None:
    shutil.copy(SPEC, tmp_path / "coach.yaml")  # without its labels
    text = (tmp_path / "coach.yaml").read_text().replace("beside: {labels: coach.labels.jsonl}\n", "")
    (tmp_path / "coach.yaml").write_text(text)
    path = replies(tmp_path / "r.jsonl", "Noted.")
    (score,) = studio("judge", "score", tmp_path / "coach.yaml", path, "--json").json["scores"]
    assert (score["total"], score["pass"], score["traits"], score["judge"]) == (None, None, {}, "unscored")
    told = studio("judge", "agreement", tmp_path / "coach.yaml", LABELS)
    assert one_line(told) and "no judge whose agreement" in told.err


def test_agreement_with_people_is_measured_and_says_on_what(studio: Studio) -> None:
    found = studio("judge", "agreement", SPEC, LABELS, "--json").json
    assert set(found["traits"]) == {"encouraging", "next_step"} and found["n"] == 40
    for one in found["traits"].values():
        assert -1 <= one["low"] <= one["kappa"] <= one["high"] <= 1 and one["n"] == 40
    assert 0.5 < found["pass_agreement"] <= 1 and found["how"] == "cross-validated"
    told = studio("judge", "agreement", SPEC, LABELS)
    assert told.status == 0 and "cross-validated" in told.lines[0] and "by length alone" in told.out


def test_a_mistake_in_the_file_is_one_line_that_names_it(studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / "bad.jsonl"
    path.write_text(LABELS.read_text().splitlines()[0] + '\n{"messages": [], "labels": {"x\x1b]0;p\x07": 9}}\n')
    for command in ("agreement", "score"):
        told = studio("judge", command, SPEC, path)
        assert one_line(told) and "bad.jsonl:2" in told.err and raw(told.err) == []
    missing = studio("judge", "score", SPEC, tmp_path / "none.jsonl")
    assert one_line(missing) and "none.jsonl" in missing.err


def test_what_a_reply_holds_stays_inert(studio: Studio, tmp_path: Path) -> None:
    told = studio("judge", "score", SPEC, replies(tmp_path / "r.jsonl", "\x1b]0;pwned\x07 Good!! \u202e"))
    assert told.status == 0 and raw(told.out) == []


def test_what_is_learned_of_the_judges_endpoint_is_there_for_other_processes(studio: Studio, tmp_path: Path) -> None:
    mark = {"rationale": "Kind.", "quote": "", "score": 2}
    answer = {"steps": {}, "shows_scenario": True, "traits": {"encouraging": mark, "next_step": mark}}
    path = replies(tmp_path / "r.jsonl", "Noted.")
    with serving(FakeServer(lambda _: answer)) as server:
        studio("judge", "score", SPEC, path, "--workspace", tmp_path, "--endpoint", server.url, "--model", "fake")
        assert server.requests
        (found,) = tmp_path.glob(f"*/{FILE}")
        assert list(json.loads(found.read_bytes())) == [f"{server.url} fake"]


def test_several_judges_are_asked_on_record_and_their_median_stands(studio: Studio, tmp_path: Path) -> None:
    def answer(body: dict[str, Any]) -> dict[str, Any]:
        mark = {"rationale": "So.", "quote": "", "score": {"kind": 2, "fair": 1, "hard": 0}[body["model"]]}
        return {
            "steps": {},
            "violations": [],
            "preferred": [],
            "shows_scenario": True,
            "traits": {"encouraging": mark, "next_step": mark},
        }

    path = replies(tmp_path / "r.jsonl", "Noted.")
    with serving(FakeServer(answer)) as server:
        asked = ("judge", "score", SPEC, path, "--workspace", tmp_path, "--endpoint", server.url, "--json")
        told = studio(*asked, "--judges", "kind,hard,fair", "--judge-samples", "2")
        (one,) = told.json["scores"]
        assert one["error"] is None
        assert (one["traits"], one["total"], one["verdict"]) == ({"encouraging": 1, "next_step": 1}, 5.0, "failed")
        assert one["judge"] == "kind x2 + hard x2 + fair x2" and len(one["panel"]) == 6
        assert one["spread"] == 10.0 and {mark["judge"] for mark in one["panel"]} >= {"kind", "kind #2", "fair"}
        assert sorted(body["model"] for body in server.requests) == ["fair"] * 2 + ["hard"] * 2 + ["kind"] * 2
        studio(*asked, "--judges", "kind,hard,fair", "--judge-samples", "2")
        assert len(server.requests) == 6  # each was paid for once


def test_replies_on_which_judges_are_apart_are_listed_furthest_first(studio: Studio, tmp_path: Path) -> None:
    empty = studio("judge", "disagreements", SPEC, "--workspace", tmp_path)
    assert one_line(empty) and "--judges" in empty.err
    loaded = load(SPEC)
    workspace = Workspace.open(tmp_path, loaded.spec.slug, Owner.of(loaded.spec.name, loaded.path))
    for name, marks in {"one": (2, 2), "far": (0, 2), "near": (1, 2)}.items():
        panel = [
            {"judge": f"j{i}", "scores": {"encouraging": mark}, "total": 5.0 * mark, "verdict": "passed"}
            for i, mark in enumerate(marks)
        ]
        parts: dict[str, Any] = {
            "judge": "j0 + j1",
            "spec_hash": loaded.hash,
            "verdict": "passed",
            "panel": panel,
            "at": NOON,
        }
        parts["traits"] = {"encouraging": {"score": 1}}
        example: dict[str, Any] = {
            "id": name,
            "spec_hash": loaded.hash,
            "category": "c",
            "scenario": "s",
            "person_id": "p",
        }
        example |= {"messages": [*TURNS], "author": "a", "created": NOON}
        workspace.examples.add_example(Example.model_validate(example), Judgement.model_validate(parts))
    workspace.close()
    found = studio("judge", "disagreements", SPEC, "--workspace", tmp_path, "--json").json
    assert found["of"] == 3 and [one["id"] for one in found["apart"]] == ["far", "near"]
    assert found["apart"][0]["traits"] == {"encouraging": 2}
    told = studio("judge", "disagreements", SPEC, "--workspace", tmp_path)
    assert told.lines[0].split()[:2] == ["10.0", "far"] and "2 of 3 replies" in told.lines[-1]
