"""A workspace knows whose it is: two personas never share one without a word, and a renamed one keeps its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.errors import UserError
from studio.store import Owner, Workspace
from tests.store.making import example, judgement


def opened(root: Path, name: str, spec: str) -> Workspace:
    return Workspace.open(root, "c-coach", Owner.of(name, root / spec))


def test_a_persona_of_another_name_is_refused_the_workspace_and_told_what_to_do(tmp_path: Path) -> None:
    opened(tmp_path, "C++ Coach", "cpp.yaml").close()
    with pytest.raises(UserError, match=r"holds the work of C\+\+ Coach .*cpp\.yaml.*not of C# Coach") as refused:
        opened(tmp_path, "C# Coach", "csharp.yaml")
    assert "--workspace" in refused.value.remedy
    workspace = opened(tmp_path, "C++ Coach", "cpp.yaml")
    assert workspace.examples.add_example(example(), judgement()) == 1


def test_a_persona_that_was_renamed_in_its_file_keeps_its_workspace(tmp_path: Path) -> None:
    opened(tmp_path, "C Coach", "coach.yaml").close()
    opened(tmp_path, "C++ Coach!", "coach.yaml").close()
    with pytest.raises(UserError, match=r"C\+\+ Coach!"):
        opened(tmp_path, "C Coach", "other.yaml")


def keeps(root: Path, *opened_as: tuple[str, str]) -> bool:
    """Whether name and file after name and file get at the example that the first of them has put there."""
    found: list[list[str]] = []
    for name, spec in opened_as:
        workspace = opened(root, name, spec)
        if not found:
            workspace.examples.add_example(example(), judgement())
        found.append([row.example.id for row in workspace.examples.rows()])
        workspace.close()
    return all(ids == found[0] and len(ids) == 1 for ids in found)


@pytest.mark.parametrize("name", ["C++ Coach", "c++  COACH"])
def test_a_persona_whose_file_was_moved_keeps_its_workspace(tmp_path: Path, name: str) -> None:
    assert keeps(tmp_path, ("C++ Coach", "cpp.yaml"), (name, "moved.yaml"), ("C Coach", "moved.yaml"))
    with pytest.raises(UserError, match=r"the work of C Coach .*moved\.yaml"):
        opened(tmp_path, "C++ Coach", "cpp.yaml")


def test_a_link_to_the_spec_is_the_spec(tmp_path: Path) -> None:
    (tmp_path / "cpp.yaml").touch()
    (tmp_path / "link.yaml").symlink_to("cpp.yaml")
    assert keeps(tmp_path, ("C++ Coach", "cpp.yaml"), ("C Coach", "link.yaml"), ("C#", "cpp.yaml"))
    with pytest.raises(UserError, match=r"the work of C# .*cpp\.yaml"):
        opened(tmp_path, "C++ Coach", "other.yaml")


def test_opening_a_workspace_again_writes_nothing(tmp_path: Path) -> None:
    opened(tmp_path, "C++ Coach", "cpp.yaml").close()
    file = tmp_path / "c-coach" / "studio.json"
    before = file.stat()
    opened(tmp_path, "C++ Coach", "cpp.yaml").close()
    assert (file.stat().st_ino, file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_file_name_that_is_not_utf8_is_kept_too(tmp_path: Path) -> None:
    assert keeps(tmp_path, ("C++ Coach", "\udcff.yaml"), ("C Coach", "\udcff.yaml"))
    with pytest.raises(UserError, match="the work of C Coach "):
        opened(tmp_path, "C++ Coach", "other.yaml")
