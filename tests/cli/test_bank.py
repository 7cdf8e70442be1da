"""``studio bank``: people composed, imported, listed and exported, each by a command."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.bank.compose import people
from studio.bank.formats import read_people
from tests.cli.making import HOSTILE, Studio, one_line, raw

HUB = '{"persona": "A mountain guide"}\n{"persona": 4}\n[1]\n{"persona": "A cellist who fixes bicycles"}\n'


@pytest.fixture
def hub(tmp_path: Path) -> Path:
    path = tmp_path / "hub.jsonl"
    path.write_text(HUB)
    return path


def test_a_dry_run_names_every_bad_line_and_keeps_nothing(studio: Studio, hub: Path) -> None:
    told = studio("bank", "import", studio.spec, hub, "--workspace", studio.root, "--dry-run")
    assert told.status == 0 and told.lines == [
        "line 2: background: expected a text, found 4",
        "line 3: expected an object, found a list",
        "Persona Hub: 2 people, 2 of them not whole, 2 bad; dry run, nothing kept",
    ]
    as_json = studio("bank", "import", studio.spec, hub, "--workspace", studio.root, "--dry-run", "--json").json
    assert (as_json["people"], as_json["bad"], as_json["added"]) == (2, 2, 0)
    assert [one["place"] for one in as_json["bad_records"]] == ["line 2", "line 3"]
    assert studio.workspace().examples.people() == []


def test_an_import_with_bad_lines_says_which_and_keeps_nothing(studio: Studio, hub: Path) -> None:
    at = ("--workspace", studio.root)
    told = studio("bank", "import", studio.spec, hub, *at)
    assert told.status == 2 and told.out == ""
    assert told.err.splitlines()[:2] == [
        "line 2: background: expected a text, found 4",
        "line 3: expected an object, found a list",
    ]
    assert "2 records are nobody, so none was kept (--dry-run names each; --skip-bad goes on)" in told.err
    assert studio.workspace().examples.people() == []
    told = studio("bank", "import", studio.spec, hub, *at, "--skip-bad")
    assert told.out == "Persona Hub: 2 people, 2 of them not whole, 2 bad; 2 added, 0 known already\n"
    again = studio("bank", "import", studio.spec, hub, *at, "--skip-bad", "--json").json
    assert (again["added"], again["known"]) == (0, 2)


def test_what_was_imported_is_listed_exported_and_asks(studio: Studio, hub: Path, tmp_path: Path) -> None:
    at = ("--workspace", studio.root)
    studio("bank", "import", studio.spec, hub, *at, "--skip-bad")
    assert studio("bank", "compose", studio.spec, *at, "-n", "3").out == "5 people: 5 in the bank\n"
    assert len(studio("bank", "list", studio.spec, *at).lines) == 5
    assert len(studio("bank", "list", studio.spec, *at, "--whole", "--json").json) == 3
    out = tmp_path / "out.jsonl"
    assert studio("bank", "export", studio.spec, out, *at).out == f"5 people in {out}\n"
    records = [json.loads(line) for line in out.read_text().splitlines()]
    assert [one["background"] for one in records][:2] == ["A mountain guide", "A cellist who fixes bicycles"]
    assert set(records[4]) == {"name", "username", "age", "traits", "background", "chatting_style"}
    parquet = tmp_path / "out.parquet"
    assert studio("bank", "export", studio.spec, parquet, *at, "--json").json == {"people": 5, "file": str(parquet)}
    assert list(read_people(parquet)) == studio.workspace().examples.people()


def test_an_unknown_shape_is_imported_by_its_fields(studio: Studio, tmp_path: Path) -> None:
    table = tmp_path / "crm.csv"
    table.write_text("who,years,bio\nAda,41,Guides kayaks\n")
    told = studio("bank", "import", studio.spec, table, "--workspace", studio.root)
    assert one_line(told) and "by its fields: who, years, bio" in told.err and "--field" in told.err
    fields = ("--field", "bio", "--field", "name=who", "--field", "age=years")
    assert studio("bank", "import", studio.spec, table, *fields, "--workspace", studio.root).status == 0
    (ada,) = studio.workspace().examples.people()
    assert (ada.name, ada.age, ada.background, ada.origin) == ("Ada", 41, "Guides kayaks", "crm.csv:2")


def test_hostile_people_are_shown_inert(studio: Studio, tmp_path: Path) -> None:
    path = tmp_path / "h.jsonl"
    path.write_text(json.dumps({"persona": HOSTILE}) + "\n" + json.dumps({"persona": [HOSTILE]}) + "\n")
    at = ("--workspace", studio.root)
    for told in (
        studio("bank", "import", studio.spec, path, *at, "--dry-run"),
        studio("bank", "import", studio.spec, path, *at, "--skip-bad"),
        studio("bank", "list", studio.spec, *at),
        studio("bank", "list", studio.spec, *at, "--json"),
    ):
        assert told.status == 0 and raw(told.out + told.err) == []


def test_a_bank_of_a_file_is_exported_and_read_again_by_another_persona(studio: Studio, tmp_path: Path) -> None:
    at = ("--workspace", studio.root)
    studio("bank", "compose", studio.spec, *at, "-n", "20", "--seed", "4")
    studio("bank", "export", studio.spec, tmp_path / "bank.jsonl", *at, "--full")
    assert list(read_people(tmp_path / "bank.jsonl")) == list(people(20, seed=4))
