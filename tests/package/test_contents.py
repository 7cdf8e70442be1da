"""What lies in a package, and what makes it whole."""

from __future__ import annotations

import hashlib
import json
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
from tests.package.making import Made, evaluation_of, run_of, write_adapter, write_spec


def test_no_text_file_names_a_path_of_this_machine(tmp_path: Path) -> None:
    made, folder = Made(tmp_path), tmp_path / "package"
    folder.mkdir()
    copy_adapter(made.run, folder)
    copy_tokenizer(made.run, folder)
    write_documents(made.loaded, made.run, made.evaluation, folder)
    write_samples(made.evaluation, folder)
    config = json.loads((folder / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "pocket" and config["r"] == 16
    texts = {
        path.name: path.read_text() for path in folder.rglob("*") if path.is_file() and path.suffix != ".safetensors"
    }
    assert {"README.md", "PERSONA_SPEC.md", "EVALUATION_RESULTS.json", "sample_interactions.jsonl"} <= set(texts)
    assert [name for name, text in texts.items() if "/home/" in text or str(tmp_path) in text] == []


def test_the_fence_around_the_spec_survives_the_spec_s_own_backticks(tmp_path: Path) -> None:
    loaded = write_spec(tmp_path)
    lines = spec_document(loaded).splitlines()
    fence = next(line for line in lines if line.startswith("`") and line.endswith("yaml")).removesuffix("yaml")
    start = lines.index(fence + "yaml")
    inside = "\n".join(lines[start + 1 : lines.index(fence, start)])
    assert inside == loaded.path.read_text().rstrip()
    assert lines[-1] == fence and loaded.hash in lines[2]


@pytest.mark.parametrize("probes", [1, 19, 20, 21, 45, 400])
def test_sample_interactions_are_valid_lines_spread_over_the_probes(tmp_path: Path, probes: int) -> None:
    write_samples(evaluation_of(probes), tmp_path)
    text = (tmp_path / "examples" / "sample_interactions.jsonl").read_text()
    rows = [json.loads(line) for line in text.splitlines()]
    assert len(rows) == min(probes, 20)
    assert rows[0]["messages"] == [{"role": "user", "content": "p0"}]
    assert rows[0]["base"] == "plain" and rows[0]["tuned"] == "warm" and rows[0]["winner"] == "tuned"
    said = [int(row["messages"][0]["content"][1:]) for row in rows]
    assert said == sorted(set(said)) and said[-1] >= 0.7 * (probes - 1)


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
