"""Small values in a file that a person can read."""

from __future__ import annotations

import errno
import fcntl
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


def test_values_are_listed_by_id_in_the_order_in_which_they_came(tmp_path: Path) -> None:
    file = StudioFile(tmp_path / "studio.json")
    for name in ("b", "a", "c"):
        file.put("settings", name, Setting(text=name))
    assert list(file.items("settings", Setting)) == ["b", "a", "c"]


def test_a_value_that_lost_a_field_does_not_keep_the_old_one(tmp_path: Path) -> None:
    class Longer(Setting):
        more: str = "much"

    file = StudioFile(tmp_path / "studio.json")
    file.put("settings", "a", Longer(text="x"))
    file.put("settings", "a", Setting(text="y"))
    assert file.get("settings", "a", Setting) == Setting(text="y")


def test_what_another_opening_of_the_file_wrote_is_seen(tmp_path: Path) -> None:
    one, two = StudioFile(tmp_path / "studio.json"), StudioFile(tmp_path / "studio.json")
    one.put("settings", "a", Setting(text="first"))
    assert two.get("settings", "a", Setting) == Setting(text="first")
    two.put("settings", "a", Setting(text="again"))
    assert one.get("settings", "a", Setting) == Setting(text="again")


def test_an_entry_of_another_version_is_named(tmp_path: Path) -> None:
    path = tmp_path / "studio.json"
    path.write_text('{"settings": {"a": {"colour": "red"}}}')
    with pytest.raises(UserError, match=r"settings.a: not a valid Setting"):
        StudioFile(path).get("settings", "a", Setting)


def test_a_damaged_file_is_named_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "studio.json"
    path.write_text('{"settings": {')
    with pytest.raises(UserError, match=r"studio.json:1: not valid JSON"):
        StudioFile(path).put("settings", "a", Setting(text="x"))
    assert path.read_text() == '{"settings": {'


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", r"studio.json: expected tables"),
        ('{"settings": 5}', r"studio.json: settings: expected entries"),
        ('{"settings": []}', r"studio.json: settings: expected entries"),
        ('{"settings": {"a": 5}}', r"studio.json: settings.a: expected a mapping"),
        ('{"settings": ' + "[" * 100_000, r"not valid JSON"),
    ],
)
def test_a_file_that_was_mended_wrongly_is_named_by_its_place(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "studio.json"
    path.write_text(text)
    file = StudioFile(path)
    for asked in (
        lambda: file.get("settings", "a", Setting),
        lambda: file.all("settings", Setting),
        lambda: file.put("settings", "b", Setting(text="x")),
        lambda: file.remove("settings", "a"),
    ):
        with pytest.raises(UserError, match=told):
            asked()
    assert path.read_text() == text


def test_a_folder_in_the_place_of_the_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "studio.json").mkdir()
    with pytest.raises(UserError, match=r"cannot be read: Is a directory"):
        StudioFile(tmp_path / "studio.json").get("settings", "a", Setting)


def test_a_process_that_keeps_the_lock_holds_a_change_up_for_a_while_and_a_reading_not_at_all(tmp_path: Path) -> None:
    file = StudioFile(tmp_path / "studio.json", patience_s=0.1)
    file.put("settings", "a", Setting(text="x"))
    with (tmp_path / ".studio.json.lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(UserError, match="locked by another process"):
            file.put("settings", "a", Setting(text="y"))
        assert file.get("settings", "a", Setting) == Setting(text="x")
    file.put("settings", "a", Setting(text="y"))
    assert file.get("settings", "a", Setting) == Setting(text="y")


def test_a_lock_that_the_file_system_refuses_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("studio.machine.lock.fcntl.flock", refused)
    with pytest.raises(UserError, match="not writable: No locks available"):
        StudioFile(tmp_path / "studio.json").put("settings", "a", Setting(text="x"))


def test_a_failed_write_leaves_the_old_file_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = StudioFile(tmp_path / "studio.json")
    file.put("settings", "a", Setting(text="old"))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("studio.files.os.fsync", full)
    with pytest.raises(UserError, match=r"disk is full .make room"):
        file.put("settings", "a", Setting(text="new"))
    assert json.loads((tmp_path / "studio.json").read_text())
    assert file.get("settings", "a", Setting) == Setting(text="old")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".studio.json.lock", "studio.json"]


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


def _count_up(path: Path) -> None:
    file = StudioFile(path)
    for _ in range(20):
        file.update(
            "settings", "a", Setting, lambda before: Setting(text="", number=before.number + 1 if before else 1)
        )


def test_updates_of_one_value_by_several_processes_are_all_there(tmp_path: Path) -> None:
    path = tmp_path / "studio.json"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_count_up, args=(path,)) for _ in range(3)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(60)
    assert StudioFile(path).get("settings", "a", Setting) == Setting(text="", number=60)
