"""What lies in a package, and what makes it whole."""

from __future__ import annotations

import hashlib
import json
import stat
from collections import Counter
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.package.contents import (
    checksums,
    copy_adapter,
    copy_tokenizer,
    is_whole,
    spec_document,
    write_documents,
    write_samples,
)
from tests.evaluate.making import judgement, result
from tests.package.making import SPEC, Made, evaluation_of, run_of, write_adapter, write_spec


def packed(made: Made, folder: Path) -> dict[str, str]:
    """Everything written into ``folder``: the texts by their names."""
    folder.mkdir()
    copy_adapter(made.run, folder)
    copy_tokenizer(made.run, folder)
    write_documents(made.loaded, made.run, made.evaluation, folder)
    write_samples(made.evaluation, folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {path.name: path.read_text() for path in files if path.suffix != ".safetensors"}


def test_no_text_file_names_a_path_of_this_machine(tmp_path: Path) -> None:
    made, folder = Made(tmp_path), tmp_path / "package"
    texts = packed(made, folder)
    config = json.loads(texts["adapter_config.json"])
    assert config["base_model_name_or_path"] == "pocket" and config["r"] == 16
    assert {"README.md", "PERSONA_SPEC.md", "EVALUATION_RESULTS.json", "sample_interactions.jsonl"} <= set(texts)
    assert [name for name, text in texts.items() if "/home/" in text or str(tmp_path) in text] == []


def test_a_base_model_in_a_folder_is_named_without_its_place(tmp_path: Path) -> None:
    made, place = Made(tmp_path), "/home/someone/models/gull-7b"
    made.loaded = write_spec(tmp_path, f"{SPEC}deployment: {{base_model: {place}}}\n")
    made.run = run_of(made.adapter, base=place, base_path=place, spec_hash=made.loaded.hash)
    made.evaluation = evaluation_of(base_model=place)
    texts = packed(made, tmp_path / "package")
    assert [name for name, text in texts.items() if "/home/" in text] == []
    assert json.loads(texts["adapter_config.json"])["base_model_name_or_path"] == "gull-7b"
    assert json.loads(texts["EVALUATION_RESULTS.json"])["base_model"] == "gull-7b"
    assert "`gull-7b` (a model in a folder, named without its place)" in texts["README.md"]
    assert "base_model: gull-7b" in texts["PERSONA_SPEC.md"] and "place of the base model" in texts["PERSONA_SPEC.md"]


def test_every_file_may_be_read_by_others_as_the_rest(tmp_path: Path) -> None:
    made, folder = Made(tmp_path), tmp_path / "package"
    for name in ("adapter_model.safetensors", "tokenizer.json"):
        (made.adapter / name).chmod(0o600)
    packed(made, folder)
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.rglob("*") if path.is_file()} == {0o644}


def test_the_fence_around_the_spec_survives_the_spec_s_own_backticks(tmp_path: Path) -> None:
    loaded = write_spec(tmp_path)
    lines = spec_document(loaded, run_of(tmp_path)).splitlines()
    fence = next(line for line in lines if line.startswith("`") and line.endswith("yaml")).removesuffix("yaml")
    start = lines.index(fence + "yaml")
    inside = "\n".join(lines[start + 1 : lines.index(fence, start)])
    assert inside == loaded.path.read_text().rstrip()
    assert lines[-1] == fence and loaded.hash in lines[2]


@pytest.mark.parametrize("sizes", [(1,), (5, 0, 9), (39,), (10, 10, 40), (1, 70, 70), (2,) * 25])
def test_sample_interactions_are_of_each_category_in_turn(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    made = [
        result(f"{category}-{index}", judgement(1), judgement(2), category=f"c{category}")
        for category, size in enumerate(sizes)
        for index in range(size)
    ]
    write_samples(evaluation_of(results=tuple(made)), tmp_path)
    text = (tmp_path / "examples" / "sample_interactions.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == min(len(made), 20)
    assert rows[0]["messages"] == [{"role": "user", "content": "0-0"}]
    assert rows[0]["base"] == "plain" and rows[0]["tuned"] == "warm" and rows[0]["winner"] == "tuned"
    said = [row["messages"][0]["content"] for row in rows]
    assert len(set(said)) == len(said)
    counts = Counter(row["category"] for row in rows)
    most = max(counts.values())
    unused = [counts[f"c{category}"] for category, size in enumerate(sizes) if counts[f"c{category}"] < size]
    assert all(count >= most - 1 for count in unused), counts


def test_an_unscored_probe_has_no_score_and_line_ends_stay_inside_their_line(tmp_path: Path) -> None:
    first = evaluation_of(1).results[0]
    hard = first.model_copy(
        update={
            "tuned": "a\nb\u2028c\x1b[31m",
            "tuned_judgement": first.tuned_judgement.model_copy(update={"total": None}),
        }
    )
    write_samples(evaluation_of(results=(hard,)), tmp_path)
    lines = (tmp_path / "examples" / "sample_interactions.jsonl").read_text().split("\n")
    assert lines[1:] == [""]
    assert json.loads(lines[0])["tuned"] == hard.tuned and json.loads(lines[0])["tuned_score"] is None


def test_checksums_are_of_every_file_and_tell_a_changed_one(tmp_path: Path) -> None:
    (tmp_path / "examples").mkdir()
    (tmp_path / "examples" / "a.txt").write_text("a")
    (tmp_path / "b.txt").write_text("b")
    files = checksums(tmp_path)
    assert files == {
        name: hashlib.sha256(text).hexdigest() for name, text in (("b.txt", b"b"), ("examples/a.txt", b"a"))
    }
    assert is_whole(tmp_path, files)
    (tmp_path / "more.txt").write_text("more")
    assert is_whole(tmp_path, files)
    (tmp_path / "b.txt").write_text("B")
    assert not is_whole(tmp_path, files)
    (tmp_path / "b.txt").unlink()
    assert not is_whole(tmp_path, files)


@pytest.mark.parametrize("missing", ["adapter_config.json", "adapter_model.safetensors"])
def test_a_missing_adapter_is_told_with_its_remedy(tmp_path: Path, missing: str) -> None:
    adapter = write_adapter(tmp_path / "adapter")
    (adapter / missing).unlink()
    with pytest.raises(UserError, match="no whole adapter") as caught:
        copy_adapter(run_of(adapter), tmp_path)
    assert "train" in caught.value.remedy


def test_a_run_that_is_not_finished_has_no_adapter(tmp_path: Path) -> None:
    run = run_of(write_adapter(tmp_path / "adapter")).model_copy(update={"finished": None})
    with pytest.raises(UserError, match="no whole adapter"):
        copy_adapter(run, tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[1]", "3", "\x00"])
def test_a_damaged_adapter_config_is_told_with_its_place(tmp_path: Path, text: str) -> None:
    adapter = write_adapter(tmp_path / "adapter")
    (adapter / "adapter_config.json").write_text(text)
    with pytest.raises(UserError, match="damaged") as caught:
        copy_adapter(run_of(adapter), tmp_path)
    assert caught.value.where == str(adapter / "adapter_config.json")


def test_a_run_without_its_tokenizer_is_told(tmp_path: Path) -> None:
    adapter = write_adapter(tmp_path / "adapter")
    (adapter / "tokenizer_config.json").unlink()
    with pytest.raises(UserError, match="no tokenizer files"):
        copy_tokenizer(run_of(adapter), tmp_path)
