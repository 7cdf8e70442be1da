"""Whether a package is still what was packed."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.package import check
from studio.package.packages import checksums


def write_package(folder: Path) -> Path:
    (folder / "examples").mkdir(parents=True)
    (folder / "examples" / "a.txt").write_text("a")
    (folder / "b.txt").write_text("b")
    (folder / "package.json").write_text(json.dumps({"id": "harbour-1", "files": checksums(folder), "later": "key"}))
    return folder


def test_checksums_are_of_every_file_and_tell_a_changed_one(tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    files = checksums(tmp_path)
    assert files == {
        name: hashlib.sha256(text).hexdigest() for name, text in (("b.txt", b"b"), ("examples/a.txt", b"a"))
    }
    (tmp_path / "b.txt").write_text("c")
    assert checksums(tmp_path) == files | {"b.txt": hashlib.sha256(b"c").hexdigest()}


def test_a_package_that_was_copied_is_whole(tmp_path: Path) -> None:
    found = check(write_package(tmp_path / "package"))
    assert found.whole and (found.package, found.files) == ("harbour-1", 2)


def test_what_was_changed_removed_or_added_is_named(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "package")
    (folder / "b.txt").write_text("c")
    (folder / "examples" / "a.txt").unlink()
    (folder / "examples" / "c.txt").write_text("a")
    found = check(folder)
    assert not found.whole
    assert (found.changed, found.missing, found.added) == (("b.txt",), ("examples/a.txt",), ("examples/c.txt",))


@pytest.mark.parametrize("manifest", [None, "{", "[]", '{"id": "x"}', '{"id": "x", "files": ["a"]}', "\xff"])
def test_a_folder_without_a_manifest_that_can_be_read_is_refused(tmp_path: Path, manifest: str | None) -> None:
    if manifest is not None:
        (tmp_path / "package.json").write_text(manifest, encoding="latin-1")
    with pytest.raises(UserError, match=r"no manifest|damaged"):
        check(tmp_path)


def test_a_manifest_cannot_make_it_read_elsewhere(tmp_path: Path) -> None:
    folder = write_package(tmp_path / "package")
    (folder / "package.json").write_text(json.dumps({"id": "x", "files": {"../secret": "0", "/etc/passwd": "0"}}))
    assert set(check(folder).missing) == {"../secret", "/etc/passwd"}
