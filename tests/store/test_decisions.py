"""Thousands of decisions are one step, made in chunks: others are served in between, and a kill leaves whole ones."""

from __future__ import annotations

import random
import subprocess
import sys
from pathlib import Path
from typing import Literal

import pytest

from studio.errors import UserError
from studio.store import Decision, ExampleStore, Filter, Workspace, decisions
from studio.store.judgements import settle
from studio.store.records import Verdict
from studio.store.recovery import check
from studio.store.rows import find
from tests.store.making import decision, example, judgement

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decisions, "CHUNK", 7)


def filled(store: ExampleStore, count: int) -> list[str]:
    verdicts: tuple[Verdict, ...] = ("passed", "failed", "error")
    for number in range(count):
        store.add_example(example(f"e{number}"), judgement(verdicts[number % 3], "score", "trait:kind"))
    return [f"e{number}" for number in range(count)]


def step(names: list[str], action: Literal["accept", "reject", "reset"], batch: str) -> list[Decision]:
    reason = "tone" if action == "reject" else ""
    return [decision(name, action, reason).model_copy(update={"batch": batch}) for name in names]


def test_a_step_of_many_chunks_is_taken_back_and_put_back_whole(store: ExampleStore) -> None:
    names = filled(store, 40)
    before = [(row.status, row.decision) for row in store.rows()]
    done = store.decide_all(step(names, "reject", "one"))
    assert [one.example_id for one in done] == names and [one.id for one in done] == list(range(1, 41))
    assert store.count(Filter(status="rejected")) == 40 and store.reasons() == {"tone": 40}
    assert [one.example_id for one in store.undo()] == names[::-1]
    assert [(row.status, row.decision) for row in store.rows()] == before
    assert store.undo() == []
    assert [one.example_id for one in store.redo()] == names
    assert store.reasons() == {"tone": 40}


def test_steps_of_two_deciders_that_came_in_between_each_other_are_undone_apart(store: ExampleStore) -> None:
    names = filled(store, 12)
    for first in range(0, 12, 3):  # chunks of two processes, one after the other
        with store.database.writing() as connection:
            decisions.add(connection, step(names[first : first + 2], "reject", "a"))
        with store.database.writing() as connection:
            decisions.add(connection, step(names[first + 2 : first + 3], "reject", "b"))
    assert {one.batch for one in store.undo()} == {"b"}
    assert len(store.undo()) == 8
    assert store.undo() == []
    assert [one.batch for one in store.redo()] == ["a"] * 8, "the one undone last comes back first"
    assert [one.batch for one in store.redo()] == ["b"] * 4


def test_an_edit_within_a_step_is_carried_on(store: ExampleStore) -> None:
    names = filled(store, 3)
    store.decide(decision("e1", "edit", reply="Better."))
    store.decide_all([*step(names, "reject", "x"), *step(names, "accept", "x")])
    row = store.row("e1")
    assert row is not None and row.status == "accepted" and row.messages[-1].content == "Better."
    assert len(store.undo()) == 6 and store.count(Filter(text="better")) == 1
    assert len(store.undo()) == 1 and store.count(Filter(text="better")) == 0


def test_nothing_is_decided_where_one_is_not_there(store: ExampleStore) -> None:
    names = filled(store, 20)
    with pytest.raises(UserError, match="no example nobody"):
        store.decide_all(step([*names, "nobody"], "accept", "x"))
    assert store.count(Filter(decided=True)) == 0


def test_what_is_settled_in_bulk_is_what_is_settled_one_by_one(store: ExampleStore) -> None:
    rng = random.Random(8)
    names = filled(store, 30)
    for turn in range(60):
        some = rng.sample(names, rng.randrange(1, 20))
        match rng.randrange(6):
            case 0 | 1:
                store.decide_all(step(some, rng.choice(["accept", "reject", "reset"]), rng.choice(["", f"s{turn}"])))
            case 2:
                store.decide(decision(some[0], "edit", reply=f"Better {turn}."))
            case 3:
                store.undo()
            case 4:
                store.redo()
            case 5:
                store.add_judgement(some[0], judgement(rng.choice(["passed", "failed"]), "score"))
        with store.database.writing() as connection:
            state = "SELECT seq, status, judgement, decision, spec_hash FROM standings ORDER BY seq"
            there = connection.execute(state).fetchall(), connection.execute("SELECT * FROM reasons").fetchall()
            words = connection.execute("SELECT rowid, words FROM search ORDER BY rowid").fetchall()
            for name in names:
                settle(connection, *find(connection, name))
            assert there == (
                connection.execute(state).fetchall(),
                connection.execute("SELECT * FROM reasons").fetchall(),
            )
            assert words == connection.execute("SELECT rowid, words FROM search ORDER BY rowid").fetchall()
    assert check(store.path.parent).problems == ()


KILLED = """
import sys
from pathlib import Path
from studio.store import Workspace, decisions
from tests.store.test_decisions import step

decisions.CHUNK = 20
names = [f"e{number}" for number in range(600)]
store = Workspace.open(Path(sys.argv[1]), "p").examples
print("began", flush=True)
for turn in range(1000):
    store.decide_all(step(names, "reject", f"s{turn}"))
    store.undo()
"""


def test_a_step_cut_short_by_a_kill_is_whole_chunks_and_goes_on(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "p")
    filled(workspace.examples, 600)
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-c", KILLED, str(tmp_path)], stdout=subprocess.PIPE, text=True, cwd=ROOT
        )
        assert process.stdout is not None and process.stdout.readline() == "began\n"
        seen = workspace.examples.data_version()
        moves = 0
        while moves < 9:
            now = workspace.examples.data_version()
            moves, seen = moves + (now != seen), now
        process.kill()
        process.wait()
        decided = workspace.examples.count(Filter(decided=True))
        assert decided % 20 == 0
        assert len(workspace.examples.undo()) == decided
        assert workspace.examples.count(Filter(decided=True)) == 0
        assert check(workspace.folder).problems == ()
    workspace.close()
