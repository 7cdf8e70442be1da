"""Saving a spec that was edited."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.spec import SpecDocument, SpecError, load
from tests.spec.helpers import MINIMAL, PARROT

TEXT = PARROT.read_text(encoding="utf-8")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Path(shutil.copy(PARROT, tmp_path / "parrot.yaml"))


@pytest.fixture
def document(file: Path) -> SpecDocument:
    return SpecDocument.open(file)


def test_windows_line_ends_stay(file: Path) -> None:
    file.write_bytes(TEXT.replace("\n", "\r\n").encode())
    document = SpecDocument.open(file)
    document.append("patterns", {"step": "bye", "how": "Leave\nquietly"})
    document.save()
    raw = file.read_bytes()
    assert raw.count(b"\n") == raw.count(b"\r\n")
    assert load(file).spec.patterns[2].how == "Leave\nquietly"


def test_saving_writes_the_file_and_returns_the_spec(document: SpecDocument, file: Path) -> None:
    file.chmod(0o600)
    document.set("name", "Polly")
    assert document.changed
    assert document.save().spec.name == "Polly"
    assert not document.changed
    assert load(file).spec.name == "Polly"
    assert file.stat().st_mode & 0o777 == 0o600
    assert list(file.parent.iterdir()) == [file]


def test_a_spec_with_a_problem_is_not_saved(document: SpecDocument, file: Path) -> None:
    document.set("success.overall", 99)
    with pytest.raises(SpecError) as caught:
        document.save()
    assert caught.value.problems[0].key == "success.overall"
    assert file.read_text(encoding="utf-8") == TEXT
    assert document.changed


def test_a_change_by_somebody_else_is_not_overwritten(document: SpecDocument, file: Path) -> None:
    document.set("name", "Polly")
    theirs = TEXT.replace("language: en", "language: fr")
    file.write_text(theirs, encoding="utf-8")
    assert document.changed_on_disk
    with pytest.raises(UserError, match="changed on disk"):
        document.save()
    assert file.read_text(encoding="utf-8") == theirs
    document.reload()
    assert document.get("language") == "fr"
    document.set("name", "Polly")
    document.save()
    assert (load(file).spec.name, load(file).spec.language) == ("Polly", "fr")


def test_a_file_that_was_removed_is_written_again_only_on_demand(document: SpecDocument, file: Path) -> None:
    file.unlink()
    with pytest.raises(UserError, match="changed on disk"):
        document.save()
    document.save(overwrite=True)
    assert file.read_text(encoding="utf-8") == TEXT


def test_links_in_a_circle_are_told(tmp_path: Path) -> None:
    loop = tmp_path / "loop.yaml"
    loop.symlink_to(loop)
    with pytest.raises(UserError, match=r"loop.yaml: cannot be written: .*loop"):
        SpecDocument(loop, MINIMAL).save(overwrite=True)


def test_a_link_stays_a_link(file: Path) -> None:
    link = file.parent / "link.yaml"
    link.symlink_to(file)
    document = SpecDocument.open(link)
    document.set("name", "Polly")
    document.save()
    assert link.is_symlink()
    assert load(file).spec.name == "Polly"


def test_a_document_that_cannot_be_written_is_a_users_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    path = tmp_path / "tiny.yaml"
    path.write_text(MINIMAL, encoding="utf-8")
    document = SpecDocument.open(path)
    document.set("name", "Other")
    monkeypatch.setattr("studio.files.os.fsync", full)
    with pytest.raises(UserError, match="No space left"):
        document.save()
    assert path.read_text(encoding="utf-8") == MINIMAL
    assert document.changed
