"""Names and notes of runs, finding one, and removing one from the disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.store import Workspace
from studio.train import find_run, name_run, note_run, runs, tags
from studio.train.records import DELETED, MOST_NOTE, remove_run
from studio.train.run import write_run
from studio.train.types import Run
from tests.package.making import run_of, write_adapter

IDS = ("run-3f2a", "run-3f9b", "run-77aa")


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace.open(tmp_path, "harbour")
    for name in IDS:
        folder = opened.runs_dir / name
        run = run_of(write_adapter(folder / "adapter"))
        write_run(folder, run.model_copy(update={"plan": run.plan.model_copy(update={"run_id": name})}))
    yield opened
    opened.close()


def one(workspace: Workspace, name: str = "run-3f2a") -> Run:
    return find_run(workspace, name)


@pytest.mark.parametrize("named", ["run-3f2a", "run-3f2", "3f2", "Before", "before"])
def test_a_run_is_found_by_its_id_a_beginning_of_it_and_its_name(workspace: Workspace, named: str) -> None:
    name_run(workspace, one(workspace), "before")
    assert find_run(workspace, named).plan.run_id == "run-3f2a"


def test_a_beginning_of_two_ids_names_both_and_an_unknown_one_all(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="2 runs begin so") as several:
        find_run(workspace, "3f")
    assert "run-3f2a" in several.value.remedy and "run-77aa" not in several.value.remedy
    for unknown in ("nobody", ""):
        with pytest.raises(UserError, match="no such run") as none:
            find_run(workspace, unknown)
        assert all(name in none.value.remedy for name in IDS)


def test_no_two_runs_have_one_name_and_a_name_is_no_beginning_of_an_id(workspace: Workspace) -> None:
    name_run(workspace, one(workspace), "before")
    with pytest.raises(UserError, match="BEFORE is the name of run-3f2a"):
        name_run(workspace, one(workspace, "77"), "BEFORE")
    with pytest.raises(UserError, match="how the id of run-77aa begins"):
        name_run(workspace, one(workspace), "run-77")
    for bad in ("two words", "-x", "a" * 41, "\x1b[31m"):
        with pytest.raises(UserError, match="not a name"):
            name_run(workspace, one(workspace), bad)
    assert {tag.name for tag in tags(workspace).values()} == {"before"}


def test_a_name_and_a_note_stand_beside_each_other_and_can_be_taken_away(workspace: Workspace) -> None:
    run = one(workspace)
    name_run(workspace, run, "before")
    tag = note_run(workspace, run, "half of the data")
    assert (tag.name, tag.note) == ("before", "half of the data")
    assert name_run(workspace, run, "after").note == "half of the data"
    name_run(workspace, one(workspace, "77"), "before")
    assert name_run(workspace, run, "").name == "" and name_run(workspace, run, "").note == "half of the data"
    with pytest.raises(UserError, match="a note of 501"):
        note_run(workspace, run, "x" * (MOST_NOTE + 1))


def test_what_is_removed_is_gone_from_the_list_and_the_disk_and_its_name_is_free(workspace: Workspace) -> None:
    run = one(workspace)
    name_run(workspace, run, "before")
    (workspace.runs_dir / "run-3f2a" / "adapter" / "adapter_model.safetensors").write_bytes(b"w" * 1_000_000)
    freed = remove_run(workspace, run)
    assert 1_000_000 <= freed < 1_200_000
    assert {one.plan.run_id for one in runs(workspace)} == {"run-3f9b", "run-77aa"}
    assert not (workspace.folder / DELETED).exists()
    name_run(workspace, one(workspace, "77"), "before")


def test_what_a_kill_left_of_a_deleted_run_is_no_run_and_goes_with_the_next(workspace: Workspace) -> None:
    left = workspace.folder / DELETED / "run-old"
    left.mkdir(parents=True)
    write_run(left, one(workspace))
    assert len(runs(workspace)) == 3
    remove_run(workspace, one(workspace))
    assert not left.exists()
