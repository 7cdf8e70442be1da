"""``studio dataset``: from a file to examples, from decisions to signals, from a snapshot to a training."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.making import Ended, Studio, one_line
from tests.store.making import example, judgement
from tests.tiny_model import tiny_base

WORDS = ("anchor", "buoy", "chart", "davit", "ebb", "fender", "gale", "halyard", "iron", "jib", "keel", "lamp")


def fill(studio: Studio) -> None:
    workspace, mark = studio.workspace(), studio.loaded.hash
    for number, word in enumerate(WORDS):
        said, reply = (
            f"Where is the {word} of the {WORDS[number - 1]}?",
            f"The {word} hangs by the {WORDS[number - 3]}.",
        )
        one = example(f"e{number}", category="calls", scenario="A boat calls", said=said, reply=reply, spec_hash=mark)
        workspace.examples.add_example(one, judgement(spec_hash=mark))
    workspace.close()


def dataset(studio: Studio, command: str, *arguments: object) -> Ended:
    return studio("dataset", command, studio.spec, *arguments, "--workspace", studio.root)


def test_a_snapshot_is_taken_listed_compared_and_trained_on(studio: Studio) -> None:
    fill(studio)
    told = dataset(studio, "list")
    assert told.out == "" and "no snapshot yet" in told.err
    taken = dataset(studio, "snapshot", "--validation", 0.25, "--json").json
    assert (taken["train"], taken["validation"], taken["scenarios"]) == (9, 3, 1)
    assert dataset(studio, "snapshot").out.startswith(taken["id"]), "the same again, with the share that it has"
    studio.triage("reject", "e0", "--reason", "tone")
    studio.triage("edit", "e1", "--assistant", "By the bell.")
    second = dataset(studio, "snapshot", "--json").json
    assert [one["id"] for one in dataset(studio, "list", "--json").json] == [taken["id"], second["id"]]
    told = studio("dataset", "diff", taken["id"][:8], "--spec", studio.spec, "--workspace", studio.root)
    first = told.lines[0]
    assert first.startswith(f"{taken['id']} -> {second['id']}: 0 added, 1 removed, 1 edited, ")
    assert "removed  e0" in told.lines and "edited   e1" in told.lines
    plan = studio("train", studio.spec, "--plan", "--base", tiny_base(), "--workspace", studio.root, "--json")
    assert plan.status == 0, plan.err
    assert (plan.json["snapshot"], plan.json["examples"]) == (second["id"], second["train"])
    before = studio(
        "train", studio.spec, "--plan", "--base", tiny_base(), "--snapshot", taken["id"], "--workspace", studio.root
    )
    assert f"data    9 accepted examples, 3 held back for validation, {taken['id']}" in before.lines
    assert one_line(studio("dataset", "diff", "nothing", "--spec", studio.spec, "--workspace", studio.root))


def test_preferences_are_counted_listed_and_written(studio: Studio, tmp_path: Path) -> None:
    fill(studio)
    studio.triage("reject", "e0", "--reason", "tone")
    studio.triage("edit", "e1", "--assistant", "By the bell.")
    told = dataset(studio, "preferences", "--list", "--out", tmp_path / "signals.jsonl")
    assert "     1  edited: pair" in told.lines and "    11  accepted" in told.lines
    assert "DPO: 1 pairs, 49 more pairs (at least 50)" in told.lines
    assert told.lines[-1] == "KTO: 13 replies, 39 more desirable and 48 more undesirable (at least 50 of each)"
    pair = next(line for line in told.lines if line.startswith("pair"))
    assert "e1  By the bell. > The buoy hangs by" in pair
    written = [json.loads(line) for line in (tmp_path / "signals.jsonl").read_text().splitlines()]
    assert len(written) == 13 and {one["source"] for one in written} == {"accepted", "edited", "rejected"}
    found = dataset(studio, "preferences", "--people", "--json").json
    assert found["counts"] == {"accepted": 1, "edited: pair": 1, "rejected: undesirable": 1}
    assert found["missing"] == {"dpo": 49, "kto": {"desirable": 49, "undesirable": 48}} and found["signals"] == []


@pytest.mark.parametrize("format", ["chatml", "sharegpt", "alpaca", "parquet", "dpo", "kto", "hf"])
def test_it_is_exported_in_every_format(studio: Studio, tmp_path: Path, format: str) -> None:
    fill(studio)
    studio.triage("edit", "e1", "--assistant", "By the bell.")
    told = dataset(studio, "export", "--format", format, "--out", tmp_path / "out", "--json")
    assert told.status == 0, told.err
    assert told.json["rows"] == {"dpo": 1, "kto": 13}.get(format, 12)
    assert (tmp_path / "out").is_dir() == (format == "hf")
    assert dataset(studio, "export", "--format", format, "--out", tmp_path / "out").out.split()[1] == "rows,"


def test_it_is_piped_without_a_word_between_the_lines(studio: Studio) -> None:
    fill(studio)
    told = dataset(studio, "export", "--format", "sharegpt", "--out", "-")
    assert len([json.loads(line) for line in told.lines]) == 12 and told.err.startswith("12 rows, ")
    assert one_line(dataset(studio, "export", "--format", "hf", "--out", "-"))
    assert dataset(studio, "export", "--out", "-", "--json").status == 2


def test_a_file_is_imported_after_a_dry_run_that_names_what_is_wrong(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "talks.jsonl"
    rows = [
        {"conversations": [{"from": "human", "value": f"Is the {one} in?"}, {"from": "gpt", "value": f"The {one} is."}]}
        for one in WORDS[:5]
    ]
    lines = "".join(json.dumps(row) + "\n" for row in rows)
    file.write_text(lines + '{"conversations": 3}\n')
    given = (file, "--scenario", "A boat calls")
    dry = dataset(studio, "import", *given, "--dry-run")
    assert dry.lines == [
        "line 6: conversations: expected a list of messages, found 3",
        "sharegpt: 6 records, 1 bad; 5 pending; dry run, nothing kept",
    ]
    refused = dataset(studio, "import", *given)
    assert refused.status == 2 and refused.out == "" and refused.err.splitlines()[0].startswith("line 6: ")
    assert "1 record is no conversation, so none was kept" in refused.err.splitlines()[1]
    told = dataset(studio, "import", *given, "--skip-bad", "--json").json
    assert (told["added"], told["bad"], told["outcomes"]) == (5, 1, {"pending": 5})
    assert len(studio.triage("list", "--origin", "imported", "--json").json) == 5
    assert studio.triage("list", "--origin", "generated", "--json").json == []
    assert one_line(studio.triage("list", "--origin", "nowhere"))
    assert one_line(dataset(studio, "import", file, "--format", "xml"))


def test_a_table_is_imported_by_the_names_of_its_columns_and_can_be_accepted(studio: Studio, tmp_path: Path) -> None:
    file = tmp_path / "talks.csv"
    file.write_text("user,assistant,scenario\nIs the jib up?,The jib is up and drawing well.,A boat calls\n")
    assert dataset(studio, "import", file).lines == ["columns: 1 records, 0 bad; 1 pending; 1 added"]
    (row,) = studio.triage("list", "--json").json
    studio.triage("accept", row["example"]["id"])
    assert dataset(studio, "snapshot", "--json").json["train"] == 1
