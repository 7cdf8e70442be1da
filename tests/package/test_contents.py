"""What lies in a package."""

from __future__ import annotations

import json
import stat
from collections import Counter
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.evaluate import Labels
from studio.package.contents import (
    base_licence,
    copy_adapter,
    copy_tokenizer,
    spec_document,
    write_evidence,
    write_samples,
)
from tests.evaluate.making import judgement, label, result, vote
from tests.package.making import SPEC, Made, evaluation_of, run_of, write_adapter, write_spec


def packed(made: Made, folder: Path, labels: Labels | None = None) -> dict[str, str]:
    """Everything that is written into ``folder`` without being loaded back: the texts by their names."""
    folder.mkdir()
    copy_adapter(made.run, folder)
    copy_tokenizer(made.run, folder, made.evaluation.max_tokens)
    write_evidence(made.loaded, made.run, made.evaluation, labels or Labels(), None, folder)
    write_samples(made.evaluation, folder)
    files = [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".safetensors"]
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files}


def test_no_text_file_names_a_path_of_this_machine(tmp_path: Path) -> None:
    made, folder = Made(tmp_path), tmp_path / "package"
    texts = packed(made, folder)
    config = json.loads(texts["adapter_config.json"])
    assert config["base_model_name_or_path"] == "org/model-7b" and config["r"] == 16
    assert [name for name, text in texts.items() if "/home/" in text or str(tmp_path) in text] == []


def test_a_base_model_in_a_folder_is_named_without_its_place(tmp_path: Path) -> None:
    made, place = Made(tmp_path), "/home/someone/models/gull-7b"
    made.loaded = write_spec(tmp_path, f"{SPEC}deployment: {{base_model: {place}}}\n")
    made.run = run_of(made.adapter, base=place, base_path=place, spec_hash=made.loaded.hash)
    made.evaluation = evaluation_of(base_model=place)
    texts = packed(made, tmp_path / "package")
    assert [name for name, text in texts.items() if "/home/" in text] == []
    assert json.loads(texts["adapter_config.json"])["base_model_name_or_path"] == "gull-7b"
    assert json.loads(texts["evidence/EVALUATION_RESULTS.json"])["base_model"] == "gull-7b"
    assert "base_model: gull-7b" in texts["evidence/spec/spec.yaml"]
    document = spec_document(made.loaded, made.run)
    assert "base_model: gull-7b" in document and "place of the base model" in document


def test_replies_are_generated_as_they_were_evaluated(tmp_path: Path) -> None:
    generation = json.loads(packed(Made(tmp_path), tmp_path / "package")["generation_config.json"])
    assert generation == {"do_sample": False, "eos_token_id": [2, 5], "pad_token_id": 3, "max_new_tokens": 64}


def test_the_evidence_holds_the_gates_the_training_and_the_spec_with_its_files(tmp_path: Path) -> None:
    made = Made(tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "harbour.md").write_text("The office opens at six.")
    made.loaded = write_spec(tmp_path, SPEC + "beside: {context: files/harbour.md}\n")
    texts = packed(made, tmp_path / "package")
    gates = json.loads(texts["evidence/gates.json"])
    assert gates["verdict"] == "not approved" and gates["gates"][0]["status"] == "FAIL"
    assert texts["evidence/metrics.jsonl"] == '{"step": 1, "loss": 0.5}\n'
    assert texts["evidence/spec/files/harbour.md"] == "The office opens at six."
    assert texts["evidence/spec/spec.yaml"] == made.loaded.path.read_text()
    assert not {"evidence/labels.jsonl", "evidence/votes.jsonl"} & set(texts), "nobody has said anything"


def test_labels_of_the_evaluated_replies_are_evidence_without_their_givers_names(tmp_path: Path) -> None:
    made = Made(tmp_path)
    first = made.evaluation.results[0]
    other = first.model_copy(update={"tuned": "of an earlier adapter"})
    given = [label(first, "tuned", by="ben", calm=2), label(other, "tuned", by="ben", calm=0)]
    texts = packed(made, tmp_path / "package", Labels.of(given, [vote(first, "tuned")]))
    rows = [json.loads(line) for line in texts["evidence/labels.jsonl"].splitlines()]
    assert [row["labels"] for row in rows] == [{"calm": 2}] and "ben" not in texts["evidence/labels.jsonl"]
    assert json.loads(texts["evidence/votes.jsonl"])["winner"] == "tuned"


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
    rows = samples(tmp_path)
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
    unscored = first.tuned_judgement.model_copy(update={"total": None})
    hard = first.model_copy(update={"tuned": "a\nb\u2028c\x1b[31m", "tuned_judgement": unscored})
    write_samples(evaluation_of(results=(hard,)), tmp_path)
    rows = samples(tmp_path)
    assert [row["tuned"] for row in rows] == [hard.tuned] and rows[0]["tuned_score"] is None


def samples(folder: Path) -> list[dict[str, Any]]:
    lines = (folder / "examples" / "sample_interactions.jsonl").read_text().split("\n")
    return [json.loads(line) for line in lines[:-1]]


@pytest.mark.parametrize("missing", ["adapter_model.safetensors", "tokenizer_config.json", "generation_config.json"])
def test_a_run_without_all_of_its_files_is_not_packed(tmp_path: Path, missing: str) -> None:
    adapter = write_adapter(tmp_path / "run" / "adapter")
    (adapter / missing).unlink()
    (tmp_path / "package").mkdir()
    copied = copy_adapter if missing.startswith("adapter") else partial(copy_tokenizer, max_tokens=64)
    with pytest.raises(UserError, match=r"no (whole adapter|tokenizer files|end tokens)"):
        copied(run_of(adapter), tmp_path / "package")


def test_the_licence_is_the_one_that_the_base_model_s_card_names(tmp_path: Path) -> None:
    base = tmp_path / "gull-7b"
    base.mkdir()
    run = run_of(tmp_path, str(base))
    assert base_licence(run.plan) == ""
    (base / "README.md").write_text("No head. license: mit")
    assert base_licence(run.plan) == ""
    (base / "README.md").write_text("---\nlanguage: en\nlicense: llama3.1\n---\nlicense: mit")
    assert base_licence(run.plan) == "llama3.1"
