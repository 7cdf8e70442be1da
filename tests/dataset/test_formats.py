"""Formats: each holds the same conversations, loads in ``datasets``, and keeps what it is told to keep apart."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.chatml import assistant, system, user
from studio.dataset import contents, find_snapshot, take_snapshot, training_data
from studio.dataset.formats import FORMATS, Format, export_dataset
from studio.dataset.preferences import preferences
from studio.errors import UserError
from studio.judge.agreement import Agreement, Baseline, PassAgreement, TraitAgreement
from studio.store import ChatVote, Workspace
from studio.triage import Triage
from tests.cli.making import raw
from tests.dataset.making import fill, loaded
from tests.store.making import NOW, example, judgement

TALK = (system("Be kind."), user("Hi"), assistant("Hello."), user('Say "x"\u2028é'), assistant("x\n日本"))


@pytest.fixture
def filled(workspace: Workspace) -> Workspace:
    """23 accepted examples, one of several turns, two of which were edited, and a vote."""
    fill(workspace, 22)
    workspace.examples.add_example(example("talk").model_copy(update={"messages": TALK}), judgement())
    for name in ("e0", "e1"):
        row = workspace.examples.row(name)
        assert row is not None
        Triage(workspace).edit(name, (row.messages[0], assistant(f"Better {name}.")))
    vote = ChatVote(
        id="v1",
        run_id="run-a",
        base_messages=(user("Hi"), assistant("Plain.")),
        tuned_messages=(user("Hi"), assistant("Great choice!")),
        choice="tuned",
        at=NOW,
    )
    workspace.documents.put("votes", vote.id, vote)
    return workspace


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets")

    def loading(*arguments: Any, **more: Any) -> Any:
        return datasets.load_dataset(*arguments, **more, cache_dir=str(tmp_path / "cache"))

    return loading


def rows(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def said(row: dict[str, Any]) -> tuple[str, ...]:
    """The turns of a row of any format."""
    if "messages" in row:
        return tuple(turn["content"] for turn in row["messages"])
    if "conversations" in row:
        return tuple(turn["value"] for turn in row["conversations"])
    before = [text for pair in row["history"] for text in pair]
    return tuple(filter(None, (row["system"], *before, row["instruction"], row["output"])))


@pytest.mark.parametrize("format", ["chatml", "sharegpt", "alpaca", "parquet"])
def test_each_format_holds_every_conversation_and_loads(
    filled: Workspace, tmp_path: Path, load: Any, format: Format
) -> None:
    out = tmp_path / f"data.{'parquet' if format == 'parquet' else 'jsonl'}"
    done = export_dataset(filled, loaded(), format, out)
    kind = "parquet" if format == "parquet" else "json"
    found = load(kind, data_files=str(out), split="train")
    assert done.rows == len(found) == 23 and done.files == {out.name: 23}
    texts = {said(row) for row in found}
    assert tuple(turn.content for turn in TALK) in texts and len(texts) == 23
    assert sum(text[-1] in ("Better e0.", "Better e1.") for text in texts) == 2
    assert export_dataset(filled, loaded(), format, out) == done, "the same again is the same file"


def test_sharegpt_and_alpaca_are_as_their_trainers_read_them(workspace: Workspace, tmp_path: Path) -> None:
    workspace.examples.add_example(example("talk").model_copy(update={"messages": TALK}), judgement())
    export_dataset(workspace, loaded(), "sharegpt", tmp_path / "s.jsonl")
    (row,) = rows(tmp_path / "s.jsonl")
    assert [turn["from"] for turn in row["conversations"]] == ["system", "human", "gpt", "human", "gpt"]
    export_dataset(workspace, loaded(), "alpaca", tmp_path / "a.jsonl")
    (row,) = rows(tmp_path / "a.jsonl")
    assert row == {
        "instruction": TALK[3].content,
        "input": "",
        "output": TALK[4].content,
        "history": [["Hi", "Hello."]],
        "system": "Be kind.",
    }


def test_pairs_and_labels_are_conversations_as_trl_has_them_and_load(
    filled: Workspace, tmp_path: Path, load: Any
) -> None:
    Triage(filled).reject("e5", "tone")
    found = preferences(filled, loaded())
    export_dataset(filled, loaded(), "dpo", tmp_path / "dpo.jsonl")
    pairs = load("json", data_files=str(tmp_path / "dpo.jsonl"), split="train")
    assert len(pairs) == len(found.pairs) == 3 and set(pairs.column_names) == {"prompt", "chosen", "rejected"}
    assert {row["chosen"][0]["content"] for row in pairs} == {"Better e0.", "Better e1.", "Great choice!"}
    assert {turn["role"] for row in pairs for turn in row["chosen"]} == {"assistant"}
    assert all(row["prompt"][-1]["role"] == "user" for row in pairs)
    done = export_dataset(filled, loaded(), "kto", tmp_path / "kto.jsonl")
    labels = load("json", data_files=str(tmp_path / "kto.jsonl"), split="train")
    assert len(labels) == done.rows == len(found.labelled) and set(labels["label"]) == {True, False}
    people = export_dataset(filled, loaded(), "kto", tmp_path / "people.jsonl", people_only=True)
    assert people.rows == 7, "two edits, each over its original, a vote's two replies, and a rejection"


def test_a_folder_loads_with_both_sides_and_a_card(filled: Workspace, tmp_path: Path, load: Any) -> None:
    out = tmp_path / "my dataset"
    taken = take_snapshot(filled, loaded(), 0.2)
    done = export_dataset(filled, loaded(), "hf", out, agreement=agreement())
    found = load(str(out))
    assert {side: len(found[side]) for side in found} == {"train": taken.train, "validation": taken.validation}
    assert done.files == {
        "data/train-00000-of-00001.parquet": taken.train,
        "data/validation-00000-of-00001.parquet": taken.validation,
    }
    kept = contents(filled, taken.id)
    assert set(found["validation"]["id"]) == set(kept.validation) and set(found["train"]["id"]) == set(kept.train)
    card = (out / "README.md").read_text(encoding="utf-8")
    front = card.split("---")[1]
    assert "# license: yours to choose" in front and "path: data/validation-*.parquet" in front
    for told in (taken.hash, "spec-1", "written by an author", "quadratic-weighted kappa 0.33", "edited 2 of them"):
        assert told in card
    assert raw(card) == []
    parsed = load(str(out), split="validation")
    assert parsed[0]["messages"][0]["role"] == "user"


def agreement() -> Agreement:
    one = TraitAgreement(kappa=0.33, low=0.1, high=0.5, ac2=0.6, ac2_low=0.5, ac2_high=0.7, n=40, confusion=())
    passes = PassAgreement(share=0.8, low=0.7, high=0.9, n=40, confusion=())
    return Agreement(
        judge="learned judge",
        version="1",
        how="locked",
        labels="x",
        traits={"kind": one},
        pass_agreement=0.8,
        passes=passes,
        n=40,
        errors=0,
        baseline=Baseline(traits={}, pass_agreement=None),
    )


def test_a_folder_of_one_side_tells_of_no_other(filled: Workspace, tmp_path: Path, load: Any) -> None:
    take_snapshot(filled, loaded(), 0.0)
    first = take_snapshot(filled, loaded(), 0.3)
    out = tmp_path / "out"
    export_dataset(filled, loaded(), "hf", out, snapshot=first.id)
    none = take_snapshot(filled, loaded(), 0.0)
    with pytest.raises(UserError, match="holds other files"):
        export_dataset(filled, loaded(), "hf", out, snapshot=none.id)
    export_dataset(filled, loaded(), "hf", out, snapshot=none.id, force=True)
    assert list(load(str(out))) == ["train"] and "validation" not in (out / "README.md").read_text().split("---")[1]
    (out / "notes.txt").write_text("mine")
    with pytest.raises(UserError, match=r"notes\.txt"):
        export_dataset(filled, loaded(), "hf", out, force=True)
    assert (out / "notes.txt").exists()


def test_one_side_of_a_snapshot_is_written_as_it_was(filled: Workspace, tmp_path: Path) -> None:
    taken = take_snapshot(filled, loaded(), 0.2)
    first = export_dataset(filled, loaded(), "chatml", tmp_path / "v.jsonl", snapshot=taken.id, side="validation")
    assert first.rows == taken.validation
    before = (tmp_path / "v.jsonl").read_bytes()
    name = min(contents(filled, taken.id).validation)
    Triage(filled).reject(name, "tone")
    export_dataset(filled, loaded(), "chatml", tmp_path / "v2.jsonl", snapshot=taken.id, side="validation")
    assert (tmp_path / "v2.jsonl").read_bytes() == before


def test_an_export_holds_nothing_back_from_the_next_training(filled: Workspace, tmp_path: Path) -> None:
    for format in ("chatml", "hf"):
        done = export_dataset(filled, loaded(), format, tmp_path / format)
        assert find_snapshot(filled, done.snapshot).validation == 0
    assert training_data(filled, loaded()).count == 23


def test_names_of_a_hostile_spec_or_author_do_nothing(workspace: Workspace, tmp_path: Path) -> None:
    evil = "a\x1b]0;x\x07|b\u202e\n---\nc"
    made = example("one", scenario=evil, category=evil).model_copy(update={"author": evil})
    workspace.examples.add_example(made, judgement())
    for format in ("hf", "parquet"):
        export_dataset(workspace, loaded(), format, tmp_path / format)
    card = (tmp_path / "hf" / "README.md").read_text(encoding="utf-8")
    assert raw(card) == [] and "\n---\nc" not in card
    from pyarrow import parquet

    (row,) = parquet.read_table(tmp_path / "parquet").to_pylist()
    assert raw(row["scenario"] + row["author"]) == []


def test_what_cannot_be_written_is_said_in_a_line(workspace: Workspace, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing is accepted"):
        export_dataset(workspace, loaded(), "chatml", tmp_path / "x")
    with pytest.raises(UserError, match="no decision or vote"):
        export_dataset(workspace, loaded(), "dpo", tmp_path / "x")
    fill(workspace, 3)
    with pytest.raises(UserError, match="all decisions there are now"):
        export_dataset(workspace, loaded(), "kto", tmp_path / "x", side="train")
    (tmp_path / "x").write_text("mine")
    with pytest.raises(UserError, match="holds something else"):
        export_dataset(workspace, loaded(), "chatml", tmp_path / "x")
    taken = take_snapshot(workspace, loaded(), 0.0)
    with pytest.raises(UserError, match=r"side of data-.* is empty"):
        export_dataset(workspace, loaded(), "chatml", tmp_path / "y", snapshot=taken.id, side="validation")
    assert set(FORMATS) == {"chatml", "sharegpt", "alpaca", "parquet", "dpo", "kto", "hf"}
