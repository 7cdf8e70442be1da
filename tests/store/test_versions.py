"""A workspace of every version there was is opened, after a copy of it was kept, and means what it meant."""

from __future__ import annotations

import gzip
import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from studio.chatml import Frozen, last_reply
from studio.errors import UserError
from studio.evaluate.report import evaluations
from studio.store import CategoryCount, Filter, Workspace
from studio.store.recovery import check, restore
from studio.store.schema import VERSION
from studio.tui.screens.chat.conversation import conversations, count_votes
from tests.store.making import decision, example, judgement

VERSIONS = Path(__file__).parent / "versions"
"""Each was written by the studio that had that version."""


def workspace_of(version: int, root: Path) -> Path:
    folder = root / "harbour"
    folder.mkdir()
    (folder / "examples.db").write_bytes(gzip.decompress((VERSIONS / f"v{version}" / "examples.db.gz").read_bytes()))
    shutil.copy(VERSIONS / f"v{version}" / "studio.json", folder / "studio.json")
    return folder


def tables(path: Path) -> list[tuple[str, str]]:
    with sqlite3.connect(path) as connection:
        return connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY name").fetchall()


def test_there_is_a_workspace_of_every_version() -> None:
    assert sorted(path.name for path in VERSIONS.iterdir()) == [f"v{number}" for number in range(1, VERSION + 1)]


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_what_was_kept_is_there_and_goes_on(tmp_path: Path, version: int) -> None:
    folder = workspace_of(version, tmp_path)
    workspace = Workspace.open(tmp_path, "harbour")
    store = workspace.examples
    assert check(folder).problems == ()
    assert store.count() == 12 and [person.id for person in store.people()] == ["ada", "bo"]
    assert store.spent()[:4] == (2, 1, 11, 7) and store.spent().cost_usd == 0.25
    assert store.counts() == [
        CategoryCount(category="edges", accepted=1, rejected=2, pending=1),
        CategoryCount(category="tasks", accepted=3, rejected=1, pending=4),
    ]
    for status in ("accepted", "rejected", "pending"):
        assert store.count(Filter(status=status)) == len(store.rows(Filter(status=status), limit=99))
    assert store.count(Filter(decided=True)) == 6 == len(store.rows(Filter(decided=True)))
    row = store.row("e1")
    assert row is not None and last_reply(row.messages) == "An edited reply." and row.example.prompt[0].role == "system"
    assert [one.example_id for one in store.redo()] == ["e9"], "the one undone last comes back first"
    assert [one.example_id for one in store.redo()] == ["e10", "e11"]
    assert [one.example_id for one in store.undo()] == ["e11", "e10"]
    assert count_votes(workspace.documents, "run-1") == {"tuned": 1}
    assert [one.id for one in conversations(workspace.documents)] == ["c0ffee00", "c0ffee01"]
    assert [one.run_id for one in evaluations(workspace)] == ["run-1"]
    assert workspace.documents.ids("samples") == ["sample-0.1-0"]
    assert len(workspace.labels.of_run("run-1")) == len(workspace.labels.votes_of_run("run-1")) == (version > 1)
    assert set(json.loads((folder / "studio.json").read_text())) == {"persona", "labelling"}
    store.add_example(example("new"), judgement())
    assert store.decide(decision("new", "reject", "tone")).id > 0
    workspace.close()
    assert check(folder).problems == ()


@pytest.mark.parametrize("version", range(1, VERSION))
def test_a_copy_of_an_earlier_one_is_kept_and_its_tables_become_those_of_a_new_one(
    tmp_path: Path, version: int
) -> None:
    folder = workspace_of(version, tmp_path)
    said = (folder / "studio.json").read_bytes()
    Workspace.open(tmp_path, "harbour").close()
    Workspace.open(tmp_path, "new").close()
    assert tables(folder / "examples.db") == tables(tmp_path / "new" / "examples.db")
    with sqlite3.connect(folder / f"examples.v{version}.db") as copy:
        assert copy.execute("PRAGMA user_version").fetchone() == (version,)
        assert copy.execute("SELECT count(*) FROM examples").fetchone() == (12,)
    if version < 3:  # what was moved out of it
        assert (folder / "studio.v2.json").read_bytes() == said
        assert (folder / "studio.v2.json").stat().st_mode & 0o777 == 0o600


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = workspace_of(1, tmp_path)
    before = tables(folder / "examples.db")
    with monkeypatch.context() as broken:
        broken.setitem(__import__("studio.store.schema").store.schema.STEPS, 2, "CREATE TABLE a (b);\nNONSENSE;\n")
        with pytest.raises(sqlite3.OperationalError):
            Workspace.open(tmp_path, "harbour")
    assert tables(folder / "examples.db") == before
    workspace = Workspace.open(tmp_path, "harbour")
    assert workspace.examples.count() == 12
    workspace.close()


def test_moving_goes_on_after_a_kill_between_the_two_files(tmp_path: Path) -> None:
    """What is in both is as examples.db has it: that is the newer one."""
    folder = workspace_of(2, tmp_path)
    old = (folder / "studio.json").read_bytes()
    workspace = Workspace.open(tmp_path, "harbour")
    newer = conversations(workspace.documents)[0].add("and then?")
    workspace.documents.put("conversations", newer.id, newer)
    workspace.close()
    (folder / "studio.json").write_bytes(old)
    workspace = Workspace.open(tmp_path, "harbour")
    assert conversations(workspace.documents)[0] == newer
    assert set(json.loads((folder / "studio.json").read_text())) == {"persona", "labelling"}
    workspace.close()


def test_a_newer_one_is_refused_with_what_to_do(tmp_path: Path) -> None:
    folder = workspace_of(VERSION, tmp_path)
    with sqlite3.connect(folder / "examples.db") as connection:
        connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()
    with pytest.raises(UserError, match=rf"newer version of the studio \({VERSION + 1}\) \(update the studio"):
        Workspace.open(tmp_path, "harbour")


def test_keys_of_a_newer_studio_are_passed_over(tmp_path: Path) -> None:
    workspace_of(VERSION, tmp_path)
    workspace = Workspace.open(tmp_path, "harbour")

    class Newer(Frozen):
        id: str = "x"
        begun: str = "2026-01-01T00:00:00Z"
        mood: str = "sunny"

    with workspace.examples.database.writing() as connection:
        for table in ("examples", "judgements", "decisions", "people", "calls"):
            connection.execute(f"UPDATE {table} SET body = json_set(body, '$.mood', 'sunny')")
        connection.execute("UPDATE examples SET body = json_set(body, '$.messages[0].mood', 'sunny')")
    workspace.documents.put("conversations", "x", Newer())
    store = workspace.examples
    assert len(store.rows()) == 12 and len(store.people()) == 2 and store.call("k1") is not None
    assert store.judgements("e1") and store.decisions("e1") and len(list(store.conversations())) == 12
    assert "x" in [one.id for one in conversations(workspace.documents)]
    workspace.close()


def test_going_back_to_the_copy_of_an_earlier_version_brings_its_votes_back(tmp_path: Path) -> None:
    folder = workspace_of(2, tmp_path)
    Workspace.open(tmp_path, "harbour").close()
    assert restore(folder, folder / "examples.v2.db").examples == 12
    workspace = Workspace.open(tmp_path, "harbour")
    assert count_votes(workspace.documents, "run-1") == {"tuned": 1} and workspace.documents.ids("samples") == [
        "sample-0.1-0"
    ]
    assert [one.run_id for one in evaluations(workspace)] == ["run-1"]
    workspace.close()


def test_what_lists_filter_by_is_found_in_an_earlier_version_as_it_is_kept_now(tmp_path: Path) -> None:
    workspace = Workspace.open(workspace_of(4, tmp_path).parent, "harbour")
    columns = (
        "SELECT seq, origin, job_id, words, judge, total, marks, violated, edited, flagged FROM standings ORDER BY 1"
    )
    with workspace.examples.database.reading() as connection:
        migrated = connection.execute(columns).fetchall()
    workspace.examples.refresh([name for _, name in workspace.examples.ids()])
    with workspace.examples.database.reading() as connection:
        assert connection.execute(columns).fetchall() == migrated
    assert {row[7] for row in migrated} >= {0} and {row[8] for row in migrated} == {0, 1}
    workspace.close()
