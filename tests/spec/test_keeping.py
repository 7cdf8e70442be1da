"""A spec kept beside what is made from it stays what it was."""

from __future__ import annotations

from pathlib import Path

from studio.spec import keep_spec, kept_spec, load
from tests.spec.helpers import MINIMAL


def written(folder: Path, context: str = "facts/all.md") -> Path:
    path = folder / "own" / "tiny.yaml"
    (path.parent / "facts").mkdir(parents=True)
    (path.parent / "facts" / "all.md").write_text("All there is to know.")
    path.write_text(f"{MINIMAL}beside: {{context: {context}}}\n")
    return path


def test_a_kept_spec_is_the_same_with_its_files_after_the_first_was_changed(tmp_path: Path) -> None:
    path = written(tmp_path)
    loaded = load(path)
    keep_spec(loaded, tmp_path / "kept")
    (path.parent / "facts" / "all.md").write_text("Something else.")
    path.write_text(MINIMAL)
    found = kept_spec(tmp_path / "kept", loaded.hash)
    assert found and found.spec == loaded.spec and found.context_text == "All there is to know."
    assert found.path.read_text().startswith("schema: 2")


def test_what_changed_since_it_was_loaded_is_not_kept(tmp_path: Path) -> None:
    path = written(tmp_path)
    loaded = load(path)
    path.write_text(MINIMAL)
    keep_spec(loaded, tmp_path / "kept")
    assert kept_spec(tmp_path / "kept", loaded.hash) is None and not (tmp_path / "kept").exists()


def test_nothing_is_written_outside_of_the_folder(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, "../own/facts/all.md"))
    keep_spec(loaded, tmp_path / "runs" / "kept")
    assert not list((tmp_path / "runs").iterdir())


def test_a_kept_spec_that_was_changed_is_none(tmp_path: Path) -> None:
    loaded = load(written(tmp_path))
    keep_spec(loaded, tmp_path / "kept")
    (tmp_path / "kept" / "facts" / "all.md").write_text("Something else.")
    assert kept_spec(tmp_path / "kept", loaded.hash) is None


def test_data_files_are_not_kept_and_not_missed(tmp_path: Path) -> None:
    path = written(tmp_path)
    path.write_text(f"{MINIMAL}beside: {{recorded: talks.jsonl, labels: l.jsonl}}\nusers: {{bank: people.json}}\n")
    for name in ("talks.jsonl", "l.jsonl", "people.json"):
        (path.parent / name).write_text("")
    loaded = load(path)
    keep_spec(loaded, tmp_path / "kept")
    kept = kept_spec(tmp_path / "kept", loaded.hash)
    assert kept and kept.spec == loaded.spec
    assert (kept.recorded_path, kept.labels_path, kept.bank_path) == (None, None, None)
    assert [file.name for file in (tmp_path / "kept").iterdir()] == ["spec.yaml"]
