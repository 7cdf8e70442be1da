"""What people say of a run's replies, and a file of a version before that could be kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from studio.store import PairVote, RunLabel, Workspace
from studio.store.migrations import prepare
from studio.store.schema import FIRST, VERSION

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, "harbour")
    yield opened
    opened.close()


def label(probe: str, score: int = 1, by: str = "ada", digest: str = "d") -> RunLabel:
    whole = {"run_id": "r1", "probe_id": probe, "side": "tuned", "digest": digest, "labels": {"calm": score}}
    return RunLabel.model_validate(whole | {"by": by, "at": NOON})


def vote(probe: str, winner: str) -> PairVote:
    whole = {"run_id": "r1", "probe_id": probe, "digest": "d", "winner": winner, "by": "ada", "at": NOON}
    return PairVote.model_validate(whole)


def test_labels_are_read_back_in_order_and_by_run(workspace: Workspace) -> None:
    workspace.labels.add(label("b"))
    workspace.labels.add(label("a"))
    workspace.labels.vote(vote("a", "tie"))
    assert [one.probe_id for one in workspace.labels.of_run("r1")] == ["b", "a"]
    assert workspace.labels.votes_of_run("r1") == [vote("a", "tie")]
    assert workspace.labels.of_run("r2") == [] == workspace.labels.votes_of_run("r2")


def test_a_second_label_of_a_reply_stands_in_the_place_of_the_first_and_another_reply_has_its_own(
    workspace: Workspace,
) -> None:
    for one in (label("a", 0), label("a", 2), label("a", 1, digest="other")):
        workspace.labels.add(one)
    assert [one.labels["calm"] for one in workspace.labels.of_run("r1")] == [2, 1]


def test_the_newest_of_ones_own_is_taken_back(workspace: Workspace) -> None:
    workspace.labels.add(label("a"))
    workspace.labels.add(label("b", by="bo"))
    assert workspace.labels.undo("r1", "ada") == label("a")
    assert workspace.labels.undo("r1", "ada") is None
    assert [one.by for one in workspace.labels.of_run("r1")] == ["bo"]
    workspace.labels.vote(vote("a", "base"))
    assert workspace.labels.undo_vote("r1", "ada") == vote("a", "base")
    assert workspace.labels.votes_of_run("r1") == []


def test_a_file_of_the_first_version_is_copied_and_given_what_it_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "harbour"
    folder.mkdir()
    with monkeypatch.context() as before:
        before.setattr("studio.store.migrations.VERSION", FIRST)
        connection = sqlite3.connect(folder / "examples.db", isolation_level=None)
        assert prepare(connection) == FIRST
        connection.execute("INSERT INTO texts (digest, content) VALUES (x'00', 'kept')")
        connection.close()
    workspace = Workspace.open(tmp_path, "harbour")
    workspace.labels.add(label("a"))
    assert workspace.labels.of_run("r1") == [label("a")]
    workspace.close()
    for name, version in (("examples.db", VERSION), ("examples.v1.db", FIRST)):
        connection = sqlite3.connect(folder / name)
        assert connection.execute("PRAGMA user_version").fetchone() == (version,)
        assert connection.execute("SELECT content FROM texts").fetchall() == [("kept",)]
        connection.close()
