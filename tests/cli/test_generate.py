"""``studio generate`` and ``studio bank``, offline."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.store import Filter
from tests.cli.making import SPECS, Studio


def jobs(studio: Studio) -> set[str]:
    return {path.name for path in studio.root.glob("*/jobs/*/")}


@pytest.mark.parametrize("name", ["taskmaster", "bank-support", "lost-and-found"])
def test_the_bundled_specs_generate_to_their_targets_and_nothing_twice(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    studio = Studio(tmp_path, capfd, SPECS / f"{name}.yaml")
    command = ["generate", studio.spec, "--workspace", studio.root, "--examples", "20"]
    told = studio(*command, "--json")
    assert told.status == 0, told.err
    assert told.out.count("\n") == 1
    categories, counts = told.json["categories"], told.json["examples"]
    assert sum(one["target"] for one in categories.values()) == 20
    assert all(one["accepted"] >= one["target"] for one in categories.values())
    assert counts["generated"] == counts["accepted"] + counts["rejected"] and counts["accepted"] >= 20
    done, workspace = jobs(studio), studio.workspace()
    before = [row.example.id for row in workspace.examples.rows(Filter(), limit=1000)]

    again = studio(*command)
    assert again.status == 0 and "kept: " in again.err
    assert again.lines[-1] == f"{counts['accepted']} accepted, {counts['rejected']} rejected"
    assert [row.example.id for row in workspace.examples.rows(Filter(), limit=1000)] == before
    assert jobs(studio) == done, "no job was started"
    workspace.close()


def test_a_spec_with_too_little_to_write_from_says_so(studio: Studio) -> None:
    told = studio("generate", studio.spec, "--workspace", studio.root)
    last = told.err.splitlines()[-1]
    assert told.status == 2 and told.out == "" and "Traceback" not in told.err
    assert last.startswith("studio: ") and "'A boat calls'" in last and "examples" in last


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
    command = ["bank", "build", studio.spec, "--workspace", studio.root, "-n", "5"]
    assert studio(*command, "--json").json == {"people": 5}
    assert studio(*command).out == "5 people: 5 built\n"
    listed = studio("bank", "list", studio.spec, "--workspace", studio.root, "--json")
    assert len(listed.json) == 5 and len({person["id"] for person in listed.json}) == 5
    lines = studio("bank", "list", studio.spec, "--workspace", studio.root).lines
    assert len(lines) == 5
    assert all(person["name"] and person["name"] in line for person, line in zip(listed.json, lines, strict=True))


def test_built_people_whom_nobody_needs_are_removed(studio: Studio) -> None:
    at = [studio.spec, "--workspace", studio.root]
    studio("bank", "build", *at, "-n", "5")
    assert studio("bank", "clear", *at).out == "5 removed, 0 stay\n"
    assert studio("bank", "clear", *at, "--json").json == {"removed": 0, "people": 0}


def test_nobody_in_the_bank_is_said(studio: Studio) -> None:
    assert studio("bank", "list", studio.spec, "--workspace", studio.root).out.startswith(
        "nobody yet; studio bank build"
    )
