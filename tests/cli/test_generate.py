"""``studio generate`` and ``studio bank``, offline."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.store import Filter
from tests import small_persona
from tests.cli.making import Studio, one_line


def jobs(studio: Studio) -> set[str]:
    return {path.name for path in studio.root.glob("*/jobs/*/")}


def test_a_recording_is_played_to_its_end_and_waits_for_a_person_where_nobody_judges(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    text = small_persona.copy_to(tmp_path / "specs")
    text.write_text(text.read_text().replace("  labels: wren.labels.jsonl\n", ""))
    studio = Studio(tmp_path, capfd, text)
    command = ["generate", studio.spec, "--workspace", studio.root]
    told = studio(*command, "--json")
    assert told.status == 2 and "23 examples wait for your decision (4)" in told.json["error"]["remedy"]
    workspace = studio.workspace()
    waiting = [row.example.id for row in workspace.examples.rows(Filter(status="pending"), limit=100)]
    assert len(waiting) == 23 and workspace.examples.reasons() == {"banned:obviously": 1, "banned:you should have": 1}

    assert studio.triage("accept", *waiting).status == 0
    again = studio(*command, "--json")
    assert again.status == 0 and "kept: 23 accepted" in again.err
    assert again.json["examples"] == {"generated": 24, "accepted": 23, "rejected": 1}
    assert all(one["accepted"] >= one["target"] for one in again.json["categories"].values())
    assert len(jobs(studio)) == 1, "the second time no job was started"
    workspace.close()


def test_where_nobody_can_write_it_says_who_could(studio: Studio) -> None:
    told = studio("generate", studio.spec, "--workspace", studio.root)
    last = told.err.splitlines()[-1]
    assert told.status == 2 and told.out == "" and "Traceback" not in told.err
    assert last.startswith("studio: ") and "nobody is there to write examples" in last
    assert "--endpoint" in last and "studio triage new" in last and "studio triage import" in last


def test_the_balance_of_the_scenarios_is_shown_and_nothing_written(studio: Studio) -> None:
    studio.spec.write_text(studio.spec.read_text().replace("[A boat calls]", "[A boat calls, A diver calls]"))
    studio.fill("good1", "good2", "good3", "bad1")
    command = ["generate", studio.spec, "--workspace", studio.root, "--balance", "--examples", "4"]
    told = studio(*command)
    assert told.status == 0 and told.err == ""
    assert [line.split() for line in told.lines] == [
        ["calls"],
        "A boat calls 3 of about 2".split(),
        "A diver calls 0 of about 2 missing".split(),
    ]
    first, second = studio(*command, "--json").json["scenarios"]
    assert (first["scenario"], first["accepted"], first["rejected"], first["standing"]) == (
        "A boat calls",
        3,
        1,
        "even",
    )
    assert (second["scenario"], second["share"], second["standing"]) == ("A diver calls", 2.0, "missing")
    assert jobs(studio) == set()


def test_people_are_built_once_and_listed(studio: Studio) -> None:
    command = ["bank", "compose", studio.spec, "--workspace", studio.root, "-n", "5"]
    assert studio(*command, "--json").json == {"people": 5}
    assert studio(*command).out == "5 people: 5 in the bank\n"
    listed = studio("bank", "list", studio.spec, "--workspace", studio.root, "--json")
    assert len(listed.json) == 5 and len({person["id"] for person in listed.json}) == 5
    lines = studio("bank", "list", studio.spec, "--workspace", studio.root).lines
    assert len(lines) == 5
    assert all(person["name"] and person["name"] in line for person, line in zip(listed.json, lines, strict=True))


def test_built_people_whom_nobody_needs_are_removed(studio: Studio) -> None:
    at = [studio.spec, "--workspace", studio.root]
    studio("bank", "compose", *at, "-n", "5")
    assert studio("bank", "clear", *at).out == "5 removed, 0 stay\n"
    assert studio("bank", "clear", *at, "--json").json == {"removed": 0, "people": 0}


def test_nobody_in_the_bank_is_said(studio: Studio) -> None:
    assert studio("bank", "list", studio.spec, "--workspace", studio.root).out.startswith(
        "nobody yet; studio bank compose"
    )


def test_a_concurrency_that_is_none_is_refused_with_what_to_write(studio: Studio) -> None:
    told = studio("generate", studio.spec, "--workspace", studio.root, "--concurrency", "many")
    assert told.status == 2 and "write a number from 1 to 1024, or auto" in told.err


def test_what_is_no_batch_cannot_be_cancelled(studio: Studio) -> None:
    told = studio("generate", studio.spec, "--workspace", studio.root, "--batch-cancel")
    assert one_line(told) and "no batch is at a server" in told.err
