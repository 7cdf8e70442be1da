"""Small values in a file that a person can read."""

from __future__ import annotations

import json
import multiprocessing
from pathlib import Path

import pytest

from studio.chatml import Frozen
from studio.errors import UserError
from studio.store import StudioFile


class Setting(Frozen):
    text: str
    number: int = 0


def test_values_are_kept_by_table_and_id_and_replaced(tmp_path: Path) -> None:
    file = StudioFile(tmp_path / "studio.json")
    file.put("settings", "a", Setting(text="first"))
    file.put("settings", "b", Setting(text="Grüße"))
    file.put("settings", "a", Setting(text="second"))
    file.put("screen", "a", Setting(text="elsewhere"))
    again = StudioFile(tmp_path / "studio.json")
    assert again.get("settings", "a", Setting) == Setting(text="second")
    assert [each.text for each in again.all("settings", Setting)] == ["second", "Grüße"]
    assert "Grüße" in (tmp_path / "studio.json").read_text()


def test_what_is_removed_is_not_there(tmp_path: Path) -> None:
    file = StudioFile(tmp_path / "studio.json")
    assert file.get("settings", "a", Setting) is None
    file.put("settings", "a", Setting(text="x"))
    file.remove("settings", "a")
    assert file.all("settings", Setting) == []


def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "studio.json"
    path.write_text('{"settings": {')
    with pytest.raises(UserError, match="damaged"):
        StudioFile(path).put("settings", "a", Setting(text="x"))
    assert path.read_text() == '{"settings": {'


def test_a_failed_write_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = StudioFile(tmp_path / "studio.json")
    file.put("settings", "a", Setting(text="old"))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("studio.files.os.fsync", full)
    with pytest.raises(UserError, match="No space left"):
        file.put("settings", "a", Setting(text="new"))
    assert json.loads((tmp_path / "studio.json").read_text())
    assert file.get("settings", "a", Setting) == Setting(text="old")
    assert [path.name for path in tmp_path.iterdir() if path.suffix not in (".json", ".lock")] == []


def _put_many(path: Path, name: str) -> None:
    file = StudioFile(path)
    for number in range(20):
        file.put("settings", f"{name}{number}", Setting(text=name))


def test_several_processes_write_and_none_loses_anothers(tmp_path: Path) -> None:
    path = tmp_path / "studio.json"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_put_many, args=(path, name)) for name in "abc"]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert len(StudioFile(path).all("settings", Setting)) == 60
