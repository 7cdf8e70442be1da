"""``studio triage``: decisions from a script."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path

import pytest

from studio.cli.review import sit
from studio.triage import SampleReview
from tests.cli.making import HOSTILE, Studio, one_line, raw


def test_examples_are_listed_and_filtered(studio: Studio) -> None:
    studio.fill("good1", "good2", "bad1")
    everything = studio.triage("list")
    assert everything.status == 0 and [line.split()[0] for line in everything.lines] == ["good1", "good2", "bad1"]
    assert "7.0" in everything.lines[0] and "calls" in everything.lines[0] and "Hello good1" in everything.lines[0]
    assert [line.split()[0] for line in studio.triage("list", "--status", "rejected").lines] == ["bad1"]
    assert [row["example"]["id"] for row in studio.triage("list", "--search", "good2", "--json").json] == ["good2"]
    assert len(studio.triage("list", "--limit", "1").lines) == 1
    assert one_line(told := studio.triage("list", "--category", "none")) and "one of calls" in told.err


def test_a_list_says_what_it_leaves_out(studio: Studio) -> None:
    assert "studio generate" in studio.triage("list").err
    studio.fill("good1", "good2", "bad1", reply="Over and out. " * 30)
    told = studio.triage("list", "--limit", "2")
    assert told.err == "2 of 3; --limit N shows more\n" and all(line.endswith("…") for line in told.lines)
    assert studio.triage("list").err == "" and len(studio.triage("list", "--limit", "2", "--json").json) == 2
    assert studio.triage("list", "--search", "nothing").err == "no example is like that\n"


def test_the_spec_may_be_named_as_for_the_other_commands(studio: Studio) -> None:
    studio.fill("good1")
    for command in (["list"], ["review", "--list"], ["export"], ["undo"], ["redo"]):
        told = studio("triage", *command, studio.spec, "--workspace", studio.root)
        assert told.status == 0 and told.out == studio.triage(*command).out


def test_decisions_are_kept_taken_back_and_put_back(studio: Studio) -> None:
    studio.fill("good1", "good2", "bad1")
    assert studio.triage("accept", "bad1").out == "accepted bad1\n" and studio.status("bad1") == "accepted"
    told = studio.triage("reject", "good1", "good2", "--reason", "tone")
    assert told.lines == ["rejected good1", "rejected good2"]
    assert (studio.status("good1"), studio.status("good2")) == ("rejected", "rejected")
    assert studio.triage("undo").out == "took back: reject good2 good1\n"
    assert (studio.status("good1"), studio.status("good2")) == ("accepted", "accepted")
    assert studio.triage("redo").out == "put back: reject good1 good2\n" and studio.status("good2") == "rejected"
    assert studio.triage("redo").out == "nothing to redo\n"
    for _ in range(2):
        studio.triage("undo")
    assert studio.triage("undo").out == "nothing to undo\n"
    assert (studio.status("good1"), studio.status("bad1")) == ("accepted", "rejected")


def test_an_unknown_id_decides_nothing(studio: Studio) -> None:
    studio.fill("good1", "bad1")
    for command in (["accept", "bad1", "none"], ["reject", "good1", "none", "--reason", "tone"]):
        assert one_line(told := studio.triage(*command)) and "no example none" in told.err
    assert one_line(studio.triage("edit", "none", "--assistant", "Over."))
    assert (studio.status("good1"), studio.status("bad1")) == ("accepted", "rejected")


def test_an_id_may_be_given_by_how_it_begins_where_no_other_begins_so(studio: Studio) -> None:
    studio.fill("3f2a77", "3f2b01", "3f", "9c11")
    assert studio.triage("reject", "3f2a", "9", "--reason", "tone").lines == ["rejected 3f2a77", "rejected 9c11"]
    assert studio.triage("accept", "3f").lines == ["accepted 3f"], "a whole id is itself"
    assert one_line(told := studio.triage("accept", "9c11", "3f2"))
    assert "2 examples begin with 3f2" in told.err and "3f2a77, 3f2b01" in told.err
    assert studio.status("9c11") == "rejected", "nothing is decided where one of the ids is not clear"
    assert one_line(studio.triage("accept", ""))


def test_an_edit_replaces_the_reply_and_accepts(studio: Studio) -> None:
    studio.fill("bad1")
    assert studio.triage("edit", "bad1", "--assistant", "Roger, over.").out == "edited bad1\n"
    row = studio.triage("list", "--json").json[0]
    assert row["status"] == "accepted" and row["decision"]["messages"][-1]["content"] == "Roger, over."
    assert one_line(told := studio.triage("edit", "bad1", "--assistant", " ")) and "empty" in told.err


def test_the_sample_is_the_same_each_time_and_counts_what_was_reviewed(studio: Studio, tmp_path: Path) -> None:
    studio.fill(*(f"good{index}" for index in range(30)), "bad1")
    first = studio.triage("review", "--list")
    names = [line.split()[0] for line in first.lines[:-1]]
    assert len(names) == 20 and "bad1" not in names and first.lines[-1] == "0 of 20 reviewed"
    told = studio.triage("review", "--export", tmp_path / "sample.jsonl")
    assert told.err.startswith("20 to answer")
    lines = [json.loads(line) for line in (tmp_path / "sample.jsonl").read_text().splitlines()]
    for line in lines[:3]:
        line["failed"] = []
    lines[0]["failed"] = ["generic", "safety"]
    (tmp_path / "sample.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    again = studio.triage("review", "--import", tmp_path / "sample.jsonl")
    assert again.lines[-1] == "3 of 20 reviewed" and "1 failed safety" in again.out
    assert "agree on passing in 67 %" in again.out
    for line in lines:
        line["failed"] = line["failed"] or []
    (tmp_path / "sample.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    done = studio.triage("review", "--import", tmp_path / "sample.jsonl", "--json").json
    assert (done["done"], done["rate"]["share"], done["rate"]["n"]) == (20, 0.05, 20)
    assert done["rate"]["low"] < 0.05 < done["rate"]["high"] and "look at" in done["verdict"]
    assert studio.triage("review", "--more", "10", "--json").json["wanted"] == 30


def test_a_list_takes_every_filter_and_order_of_the_window(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    studio.fill("good1", "good2", "bad1", "bad2")
    studio.triage("edit", "good2", "--assistant", "Roger, wilco, over and out again.")
    ids = ["list", "--ids"]
    assert studio.triage(*ids, "--edited").lines == ["good2"] == studio.triage(*ids, "--decided").lines
    assert studio.triage(*ids, "--min-words", "4", "--status", "accepted").lines == ["good2"]
    assert studio.triage(*ids, "--judge", "test judge", "--status", "rejected").lines == ["bad1", "bad2"]
    assert studio.triage(*ids, "--sort", "newest").lines == ["bad2", "bad1", "good2", "good1"]
    assert studio.triage(*ids, "--scenario", "A boat calls", "--person", "ada", "--unedited").lines[0] == "good1"
    trait = studio.loaded.spec.trait_names[0]
    assert studio.triage(*ids, "--mark", f"{trait}=0..2").lines == []
    assert one_line(told := studio.triage("list", "--mark", f"{trait}=7")) and "TRAIT=0..2" in told.err
    assert one_line(told := studio.triage("list", "--sort", "best")) and "newest" in told.err
    monkeypatch.setattr("sys.stdin", io.StringIO("bad1\nbad2\n"))
    assert studio.triage("accept", "-").lines == ["accepted bad1", "accepted bad2"]
    assert studio.triage("undo").out == "took back: accept bad2 bad1\n", "one step"


def test_what_is_alike_is_listed_with_its_similarity(studio: Studio) -> None:
    studio.fill("good1", "good2")
    told = studio.triage("like", "good1")
    assert len(told.lines) == 1 and told.lines[0].split()[1] == "good2" and told.lines[0].startswith("0.9")
    assert studio.triage("like", "good1", "--ids").lines == ["good2"]
    assert studio.triage("like", "good1", "--at-least", "0.9999", "--json").json == []


def test_another_reply_needs_a_model_and_says_so(studio: Studio) -> None:
    studio.fill("good1")
    assert one_line(told := studio.triage("regenerate", "good1")) and "no model is there" in told.err


def test_a_sitting_takes_a_figure_a_failed_check_and_both_pages(studio: Studio) -> None:
    studio.fill(*(f"good{index}" for index in range(25)))
    shown: list[str] = []
    workspace = studio.workspace()
    sitting = SampleReview(workspace, studio.loaded)
    sit(sitting, iter("12\n7\ns2\n\n2u\n\n\nq"), shown.append)
    assert sitting.status().failed == {"authentic": 1, "generic": 1, "safety": 1}
    assert sitting.done == 2 and "took back the review before" in shown
    assert any("stereotyped" in line for line in shown) and "fails: authentic, generic, safety" in shown
    workspace.close()


def test_a_review_in_a_file_that_cannot_be_taken_is_told_with_its_line(studio: Studio, tmp_path: Path) -> None:
    studio.fill(*(f"good{index}" for index in range(5)))
    file = tmp_path / "sample.jsonl"
    for text, expected in (
        ('{"id": "good1", "failed": []}\n{"id": "good2", "failed": ["tone"]}', "2: no such check: tone"),
        ('{"id": "other", "failed": []}', "other is not in the sample"),
        ('{"id": "good1", "failed": 3}', "expected"),
        ('{"id": "good1", "messages": [], "failed": []}', "edited since"),
    ):
        file.write_text(text)
        assert one_line(told := studio.triage("review", "--import", file)) and expected in told.err
    assert studio.triage("review", "--json").json["done"] == 1


def test_what_is_accepted_is_exported_as_chatml(studio: Studio, tmp_path: Path) -> None:
    studio.fill("good1", "good2", "bad1")
    studio.triage("edit", "good2", "--assistant", "Roger.")
    told = studio.triage("export", "--out", tmp_path / "data.jsonl", "--json")
    assert told.json["count"] == 2 and told.json["path"] == str(tmp_path / "data.jsonl")
    rows = [json.loads(line) for line in (tmp_path / "data.jsonl").read_text().splitlines()]
    assert [row["messages"][-1]["content"] for row in rows] == ["Over and out.", "Roger."]
    inside = studio.triage("export")
    assert inside.out.startswith("2 examples: ") and Path(inside.out.split(": ", 1)[1].strip()).is_file()


def test_an_export_that_cannot_be_written_is_told(studio: Studio) -> None:
    studio.fill("good1")
    told = studio.triage("export", "--out", "/proc/none/data.jsonl")
    assert one_line(told) and "/proc/none" in told.err


def test_an_export_may_go_to_stdout_and_nothing_else_does(studio: Studio) -> None:
    studio.fill("good1", "good2")
    for name in ("-", "/dev/stdout"):
        told = studio.triage("export", "--out", name)
        assert [set(json.loads(line)) for line in told.lines] == [{"messages"}] * 2
        assert told.err == "2 examples: -\n" and not Path("-").exists()
    told = studio.triage("export", "--out", "-", "--json")
    assert told.status == 2 and "stdout" in told.json["error"]["message"]


def test_an_export_goes_through_a_pipe_that_stays_one(studio: Studio, tmp_path: Path) -> None:
    studio.fill("good1")
    os.mkfifo(pipe := tmp_path / "pipe")
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        assert studio.triage("export", "--out", pipe).status == 0
        assert json.loads(os.read(reader, 10_000))["messages"] and pipe.is_fifo()
    finally:
        os.close(reader)


def test_a_file_that_is_there_is_not_overwritten_unless_that_is_wanted(studio: Studio, tmp_path: Path) -> None:
    studio.fill("good1")
    spec = studio.spec.read_text()
    told = studio.triage("export", "--out", studio.spec)
    assert one_line(told) and "--force" in told.err and studio.spec.read_text() == spec
    path, link = tmp_path / "data.jsonl", tmp_path / "link.jsonl"
    link.symlink_to(path)
    path.touch()
    for _ in range(2):  # an empty one, and the same again
        assert studio.triage("export", "--out", link).status == 0 and len(path.read_text().splitlines()) == 1
    studio.fill("good2")
    assert studio.triage("export", "--out", path).status == 2
    assert studio.triage("export", "--out", link, "--force").status == 0 and link.is_symlink()
    assert len(path.read_text().splitlines()) == 2


def test_hostile_text_never_reaches_the_terminal_raw(studio: Studio) -> None:
    studio.fill("good1", reply=HOSTILE)
    for command in (["list"], ["list", "--json"], ["review", "--list"], ["review", "--list", "--json"]):
        told = studio.triage(*command)
        assert told.status == 0 and "pwned" in told.out, "the payload was shown"
        assert raw(told.out) == [] and raw(told.err) == []
    assert "[bold]I [link=http://evil]J[/]" in studio.triage("list").out, "markup is text"
    assert studio.triage("list", "--json").json[0]["example"]["messages"][-1]["content"] == HOSTILE


def test_hostile_ids_and_searches_are_told_inert(studio: Studio) -> None:
    studio.fill("good1")
    for told in (studio.triage("accept", HOSTILE), studio.triage("list", "--search", HOSTILE), studio(HOSTILE)):
        assert raw(told.out) == [] and raw(told.err) == [] and "Traceback" not in told.err


def test_a_list_is_filtered_by_why_an_example_was_rejected(studio: Studio) -> None:
    studio.fill("a1", "bad1")
    where = [studio.spec, "--workspace", studio.root]
    listed = studio("triage", "list", *where, "--reason", "generic", "--json").json
    assert [one["example"]["id"] for one in listed] == ["bad1"]
    assert "no example is like that" in studio("triage", "list", *where, "--reason", "misfit").err
