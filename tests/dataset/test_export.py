"""The export: what is accepted, as it stands, each conversation once, the same file for the same content."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from studio.chatml import assistant, user
from studio.dataset import export_chatml
from studio.errors import UserError
from studio.spec import LoadedSpec, Spec
from studio.store import Workspace
from studio.triage import Triage
from tests.store.making import example, judgement


def loaded(spec_hash: str, *probes: str) -> LoadedSpec:
    scenarios: dict[str, Any] = {"tasks": {"items": ["Create a task"]}}
    scenarios |= {"probes": {"holdout": True, "items": list(probes)}} if probes else {}
    whole = {"schema": 2, "name": "Test", "purpose": "To test.", "traits": [{"name": "kind", "is": "Kind"}]}
    return LoadedSpec(
        path=Path("test.yaml"), spec=Spec.model_validate({**whole, "scenarios": scenarios}), hash=spec_hash
    )


def replies(path: Path) -> list[str]:
    return sorted(json.loads(line)["messages"][-1]["content"] for line in path.read_text().splitlines())


def test_accepted_examples_are_exported_and_edits_in_place_of_the_original(workspace: Workspace) -> None:
    store, triage = workspace.examples, Triage(workspace)
    store.add_example(example("kept", reply="Kept."), judgement())
    store.add_example(example("edited", reply="Before."), judgement("failed"))
    store.add_example(example("rejected", reply="Rejected."), judgement())
    store.add_example(example("unjudged", reply="Unjudged."), None)
    triage.edit("edited", (user("Add milk to my list"), assistant("After. Grüße, 日本")))
    triage.reject("rejected", "tone")
    export = export_chatml(workspace)
    assert replies(export.path) == ["After. Grüße, 日本", "Kept."]
    assert (export.count, export.skipped) == (2, 0)
    assert export.path.parent == workspace.exports_dir
    assert export.hash == hashlib.sha256(export.path.read_bytes()).hexdigest()


def test_the_file_depends_on_the_content_alone(workspace: Workspace) -> None:
    for number in range(20):
        workspace.examples.add_example(example(f"e{number}", reply=f"Reply {number}."), judgement())
    other = Workspace(workspace.folder.parent / "other")
    for number in reversed(range(20)):
        other.examples.add_example(example(f"x{number}", reply=f"Reply {number}."), judgement())
    one, two = export_chatml(workspace), export_chatml(other)
    assert one.hash == two.hash and one.path.name == two.path.name
    assert one.path.read_bytes() == two.path.read_bytes()
    assert export_chatml(workspace) == one
    Triage(workspace).reject("e3", "tone")
    changed = export_chatml(workspace)
    assert changed.hash != one.hash and changed.path != one.path and one.path.exists()
    other.close()


def test_the_same_conversation_is_exported_once(workspace: Workspace) -> None:
    store = workspace.examples
    store.add_example(example("a", reply="Same."), judgement())
    store.add_example(example("b", reply="Same."), judgement())
    store.add_example(example("c", reply="Nearly."), judgement())
    Triage(workspace).edit("c", (user("Add milk to my list"), assistant("Same.")))
    export = export_chatml(workspace)
    assert (export.count, export.duplicates, export.skipped) == (1, 2, 2)
    assert replies(export.path) == ["Same."]


def test_what_another_spec_made_is_left_out_and_counted(workspace: Workspace) -> None:
    store = workspace.examples
    store.add_example(example("old", reply="Old."), judgement())
    store.add_example(example("again", reply="Judged again."), judgement())
    store.add_example(example("new", reply="New.", spec_hash="spec-2"), judgement(spec_hash="spec-2"))
    store.add_judgement("again", judgement(spec_hash="spec-2"))
    export = export_chatml(workspace, loaded("spec-2"))
    assert replies(export.path) == ["Judged again.", "New."]
    assert (export.stale, export.skipped) == (1, 1)
    assert export_chatml(workspace).count == 3


def test_what_says_a_held_out_message_is_left_out_and_counted_also_after_a_person_s_edit(workspace: Workspace) -> None:
    store = workspace.examples
    store.add_example(example("kept", said="Add bread to my list", reply="Kept."), judgement())
    store.add_example(example("leak", said="Hello. Empty my list!", reply="Leaked."), judgement())
    store.add_example(example("edited", said="Add salt to my list", reply="Fine."), judgement())
    Triage(workspace).edit("edited", (user("empty my list"), assistant("Edited.")))
    export = export_chatml(workspace, loaded("spec-1", "Empty [my list]."))
    assert replies(export.path) == ["Kept."]
    assert (export.count, export.held_out, export.skipped) == (1, 2, 2)


def test_what_nothing_can_be_learnt_from_is_left_out_and_counted(workspace: Workspace) -> None:
    workspace.examples.add_example(example("empty", reply=" "), judgement())
    workspace.examples.add_example(example("good"), judgement())
    export = export_chatml(workspace)
    assert (export.count, export.unusable, export.skipped) == (1, 1, 1)


def test_an_export_of_nothing_is_an_empty_file(workspace: Workspace) -> None:
    export = export_chatml(workspace)
    assert (export.count, export.path.read_bytes()) == (0, b"")


def test_a_file_can_be_named_and_one_that_cannot_be_written_is_an_error(workspace: Workspace, tmp_path: Path) -> None:
    workspace.examples.add_example(example(), judgement())
    assert export_chatml(workspace, path=tmp_path / "deep" / "data.jsonl").path.exists()
    (tmp_path / "file").touch()
    with pytest.raises(UserError, match="could not be written"):
        export_chatml(workspace, path=tmp_path / "file" / "data.jsonl")


def test_every_line_is_one_example_however_lines_are_split(workspace: Workspace) -> None:
    reply = "One\u2028two\u2029three\r\nfour"
    workspace.examples.add_example(example(reply=reply), judgement())
    (line,) = export_chatml(workspace).path.read_text().splitlines()
    assert json.loads(line)["messages"][-1]["content"] == reply


def test_it_loads_in_datasets(workspace: Workspace, tmp_path: Path) -> None:
    datasets = pytest.importorskip("datasets")
    for number in range(5):
        workspace.examples.add_example(example(f"e{number}", reply=f'Line {number}\n"quoted"\u2028é'), judgement())
    export = export_chatml(workspace)
    loaded = datasets.load_dataset("json", data_files=str(export.path), split="train", cache_dir=str(tmp_path / "c"))
    assert len(loaded) == 5
    assert [turn["role"] for turn in loaded[0]["messages"]] == ["user", "assistant"]
    found = sorted(row["messages"][-1]["content"] for row in loaded)
    assert found == [f'Line {number}\n"quoted"\u2028é' for number in range(5)]


@pytest.mark.parametrize("sign", ["\x07", "\x1b[2J", "\x9b", "\u202e", "\u200b\u200b"])
def test_what_nobody_writes_is_not_exported_and_not_edited_in(workspace: Workspace, sign: str) -> None:
    workspace.examples.add_example(example("said", said=f"Add {sign}milk"), judgement())
    workspace.examples.add_example(example("replied", reply=f"Done{sign}."), judgement())
    workspace.examples.add_example(example("good", reply="Done.\n\tNext?"), judgement())
    export = export_chatml(workspace)
    assert (export.count, export.unusable) == (1, 2)
    assert replies(export.path) == ["Done.\n\tNext?"]
    with pytest.raises(UserError, match=r"U\+.*take it out"):
        Triage(workspace).edit("good", (user("Add milk"), assistant(f"Done{sign}.")))
