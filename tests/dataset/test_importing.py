"""Import: conversations of every shape come in as pending examples, whole or not at all."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from studio.bank.records import Bad
from studio.dataset.foreign import Shape
from studio.dataset.importing import Imported, import_file
from studio.errors import UserError
from studio.generate import GenerateFinished
from studio.generate.by_hand import add_by_hand, read_examples
from studio.store import Filter, Workspace
from tests.generate.making import loaded_spec, wren
from tests.generate.models import Studio, different

SCENARIO = "Repotting"


def talk(number: int) -> list[dict[str, str]]:
    return [turn.model_dump() for turn in different(number * 7919 + 11).turns]


def chatml(number: int) -> dict[str, Any]:
    return {"messages": talk(number)}


def shaped(shape: str, number: int) -> dict[str, Any]:
    asked, reply = (turn["content"] for turn in talk(number))
    shapes: dict[str, dict[str, Any]] = {
        "chatml": {"messages": [{"role": "system", "content": "Be kind."}, *talk(number)]},
        "openai": {"messages": [{"role": "developer", "content": "x"}, *talk(number)], "parallel_tool_calls": False},
        "sharegpt": {"id": "1", "conversations": [{"from": "human", "value": asked}, {"from": "gpt", "value": reply}]},
        "alpaca": {"instruction": asked, "input": "", "output": reply},
        "prompt": {"prompt": asked, "completion": reply},
        "columns": {"user": asked, "assistant": reply},
    }
    return shapes[shape]


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    if path.suffix == ".parquet":
        import pyarrow
        from pyarrow import parquet

        parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    elif path.suffix in (".csv", ".tsv"):
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]), delimiter="\t" if path.suffix == ".tsv" else ",")
            writer.writeheader()
            writer.writerows(rows)
    elif path.name.endswith(".list.json"):
        path.write_text(json.dumps(rows, indent=1))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def bring(workspace: Workspace, path: Path, **more: Any) -> Imported:
    return import_file(wren(), workspace, path, **{"scenario": SCENARIO, **more})


def said(workspace: Workspace) -> set[str]:
    return {row.messages[-1].content for row in workspace.examples.rows(Filter(origin="imported"), limit=1000)}


@pytest.mark.parametrize("shape", ["chatml", "openai", "sharegpt", "alpaca", "prompt"])
@pytest.mark.parametrize("suffix", ["jsonl", "json", "list.json", "parquet"])
def test_every_shape_is_known_by_its_first_record(
    workspace: Workspace, tmp_path: Path, shape: Shape, suffix: str
) -> None:
    path = written(tmp_path / f"file.{suffix}", [shaped(shape, number) for number in range(3)])
    done = bring(workspace, path)
    assert done.shape == ("chatml" if shape == "openai" else shape)
    assert (done.records, done.bad, done.outcomes, done.added) == (3, 0, {"pending": 3}, 3)
    assert said(workspace) == {talk(number)[-1]["content"] for number in range(3)}
    row = workspace.examples.rows()[0]
    assert (row.status, row.judgement, row.example.origin, row.example.scenario) == (
        "pending",
        None,
        "imported",
        SCENARIO,
    )
    assert row.example.author == f"imported from {path.name}"
    assert [turn.role for turn in row.messages] == ["user", "assistant"], "a system turn is passed over"


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet"])
def test_a_table_is_read_by_the_names_of_its_columns(workspace: Workspace, tmp_path: Path, suffix: str) -> None:
    rows = [{"q": talk(number)[0]["content"], "a": talk(number)[1]["content"], "kind": SCENARIO} for number in range(3)]
    path = written(tmp_path / f"table.{suffix}", rows)
    with pytest.raises(UserError, match=r"no shape that is known.*q, a, kind.*--field user"):
        bring(workspace, path)
    done = bring(workspace, path, fields=("user=q", "assistant=a", "scenario=kind"), scenario="")
    assert (done.shape, done.added) == ("columns", 3)
    cells = written(tmp_path / f"cells.{suffix}", [{"chat": json.dumps(talk(9))}])
    assert bring(workspace, cells, fields=("messages=chat",)).added == 1


def test_several_turns_history_and_content_parts_are_kept(workspace: Workspace, tmp_path: Path) -> None:
    asked, reply = (turn["content"] for turn in talk(1))
    more, answer = (turn["content"] for turn in talk(2))
    parts = [{"role": "user", "content": [{"type": "text", "text": asked}]}, {"role": "assistant", "content": reply}]
    bring(workspace, written(tmp_path / "a.jsonl", [{"messages": [*parts, *talk(2)]}]))
    alpaca = {"instruction": more, "input": "In full.", "output": answer, "history": [[reply, asked]]}
    bring(workspace, written(tmp_path / "b.jsonl", [alpaca]))
    first, second = (row.messages for row in workspace.examples.rows())
    assert [turn.content for turn in first] == [asked, reply, more, answer]
    assert [turn.content for turn in second] == [reply, asked, f"{more}\n\nIn full.", answer]


def test_a_dry_run_names_each_bad_record_and_nothing_is_half_imported(workspace: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "talks.jsonl"
    bad: dict[str, Any] = {
        "no JSON": "{",
        "expected an object": "[1]",
        "messages: expected a list of messages, found null": {"other": 1},
        "messages 1: role: expected a text": {"messages": [{"role": 3, "content": "x"}]},
        "expected user, assistant or system": {"messages": [{"role": "tool", "content": "x"}]},
        "a call of a tool": {"messages": [talk(1)[0], {"role": "assistant", "content": None, "tool_calls": [1]}]},
        "weight 0": {"messages": [talk(1)[0], {**talk(1)[1], "weight": 0}]},
        "take turns": {"messages": [*talk(1), talk(1)[1]]},
        "the last message": {"messages": talk(1) + talk(2)[:1]},
        "some words": {"messages": [{"role": "user", "content": " "}, talk(1)[1]]},
        "U+202E": {"messages": [{"role": "user", "content": "a\u202eb"}, talk(1)[1]]},
        "that is trained on, found 'Nowhere'": {"messages": talk(1), "scenario": "Nowhere"},
        "person.age": {"messages": talk(1), "person": {"age": "old"}},
    }
    lines = [json.dumps(chatml(1)), *(one if isinstance(one, str) else json.dumps(one) for one in bad.values())]
    path.write_text("\n".join([*lines, json.dumps(chatml(2))]))
    told: list[Bad] = []
    dry = bring(workspace, path, write=False, bad=told.append)
    assert (dry.records, dry.bad, dry.outcomes, dry.added) == (15, len(bad), {"pending": 2}, 0)
    assert [one.place for one in told] == [f"line {number}" for number in range(2, 15)]
    for one, why in zip(told, bad, strict=True):
        assert why in one.why
    with pytest.raises(UserError, match="13 records are no conversations, so none was kept"):
        bring(workspace, path)
    assert workspace.examples.count() == 0 and workspace.examples.people() == []
    assert bring(workspace, path, skip_bad=True).added == 2


def test_nothing_is_kept_where_the_file_ends_in_the_middle_or_changes(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "f.list.json", [chatml(number) for number in range(3)])
    path.write_text(path.read_text()[:-20])
    with pytest.raises(UserError, match="item 3 is no JSON"):
        bring(workspace, path)
    written(path, [chatml(number) for number in range(3)])
    marks = iter([(1,), (2,)])
    monkeypatch.setattr("studio.dataset.importing._mark", lambda path: next(marks))
    with pytest.raises(UserError, match="changed while it was read"):
        bring(workspace, path)
    assert workspace.examples.count() == 0


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("none.jsonl", None, "No such file"),
        ("a.xlsx", b"PK", "a name that ends in .xlsx"),
        ("a.txt", b"hello\n", "found plain text"),
        ("a.parquet", b"PAR1 not", "no Parquet file"),
        ("a.json", b"", "list of conversations, found nothing"),
        ("a.json", b'{\n "messages": []\n}', "one object over several lines"),
        ("a.csv", b'user,assistant\n"a', "no CSV"),
        ("a.jsonl", "{}".encode("utf-16"), "found UTF-16"),
    ],
)
def test_a_broken_file_gives_one_clear_line(
    workspace: Workspace, tmp_path: Path, name: str, content: bytes | None, why: str
) -> None:
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=why) as error:
        bring(workspace, tmp_path / name)
    assert "\n" not in str(error.value) and name in str(error.value) and "people" not in str(error.value)


def test_what_repeats_leaks_or_breaks_a_rule_is_rejected(workspace: Workspace, tmp_path: Path) -> None:
    spec = wren().spec
    add_by_hand(wren(), workspace, read_examples(json.dumps(chatml(1) | {"scenario": SCENARIO}), "f", spec))
    banned = spec.vocabulary.avoid[0]
    probe = next(item for row in spec.scenarios.values() if row.holdout for item in row.items)
    from studio.spec import held_out_texts

    assert probe
    nearly = [talk(1)[0], {"role": "assistant", "content": talk(1)[1]["content"].upper()}]
    rows = [
        chatml(1),
        {"messages": nearly},
        {"messages": [talk(3)[0], {"role": "assistant", "content": f"{banned} do it."}]},
        {"messages": [{"role": "user", "content": held_out_texts(spec)[0]}, talk(4)[1]]},
        chatml(5),
        chatml(5),
    ]
    path = written(tmp_path / "f.jsonl", rows)
    expected = {"known": 2, "duplicate": 1, "rules": 1, "held_out": 1, "pending": 1}
    assert bring(workspace, path, write=False).outcomes == expected
    done = bring(workspace, path)
    assert (done.outcomes, done.added) == (expected, 4)
    assert workspace.examples.count(Filter(origin="imported", status="rejected")) == 3
    assert {"duplicate", "held_out"} < workspace.examples.reasons().keys()
    again = bring(workspace, path)
    assert (again.outcomes, again.added) == ({"known": 6}, 0)


def test_a_scenario_or_field_that_is_none_is_named(workspace: Workspace, tmp_path: Path) -> None:
    path = written(tmp_path / "f.jsonl", [chatml(1)])
    with pytest.raises(UserError, match="no such scenario: Nowhere"):
        bring(workspace, path, scenario="Nowhere")
    with pytest.raises(UserError, match="go together"):
        bring(workspace, path, fields=("user=q",))
    with pytest.raises(UserError, match="no such field"):
        bring(workspace, path, fields=("age=q",))
    with pytest.raises(UserError, match="there is no field 'q'"):
        bring(workspace, path, fields=("messages=q",))
    told: list[Bad] = []
    bring(workspace, path, scenario="", write=False, bad=told.append)
    assert "--scenario ITEM" in told[0].why


LARGE = """
import resource, sys
from pathlib import Path
from studio.store import Workspace
from tests.dataset.test_importing import bring, talk, written

folder = Path(sys.argv[1])
workspace = Workspace.open(folder, "wren")
bring(workspace, written(folder / "small.jsonl", [{"messages": talk(1)}]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
done = bring(workspace, folder / "large.jsonl")
print(done.records, done.added, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) // 1024)
"""


def test_a_large_file_is_read_as_a_stream(tmp_path: Path) -> None:
    with (tmp_path / "large.jsonl").open("w") as file:
        for number in range(150):
            file.write(json.dumps({"messages": talk(number % 2 + 1), "padding": "x" * 900_000}) + "\n")
    command = [sys.executable, "-c", LARGE, str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    count, added, grown = map(int, done.stdout.split())
    assert (count, added) == (150, 1) and grown < 40, f"{grown} MiB for a file of 130 MiB"


def test_an_import_that_is_killed_has_kept_all_or_nothing(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path, "wren")
    path = written(tmp_path / "talks.jsonl", [chatml(number) for number in range(400)])
    code = (
        "import sys; from pathlib import Path; from studio.store import Workspace\n"
        "from tests.dataset.test_importing import bring\n"
        "workspace = Workspace.open(Path(sys.argv[1]), 'wren'); print('open', flush=True)\n"
        "bring(workspace, Path(sys.argv[2]), progress=print); print('done', flush=True)"
    )
    for attempt in range(3):
        process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path), str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None and process.stdout.readline() == b"open\n"
        log = tmp_path / "wren" / "examples.db-wal"
        start = log.stat().st_size
        while process.poll() is None and log.stat().st_size <= start + attempt * 100_000:
            time.sleep(0.002)
        process.kill()
        process.communicate()
        assert workspace.examples.count() in (0, 400)
    assert bring(workspace, path).added + workspace.examples.count() - 400 in (0, 400)
    assert workspace.examples.count() == 400
    workspace.close()


async def test_what_is_pending_is_judged_when_generating_begins_the_next_time(tmp_path: Path) -> None:
    scenarios = {"a": {"target": 2, "items": ["a1"]}}
    studio = Studio(tmp_path, loaded_spec(scenarios=scenarios, success={"examples": 4}))
    path = written(tmp_path / "talks.jsonl", [chatml(number) for number in range(2)])
    assert import_file(studio.loaded, studio.workspace, path, scenario="a1").added == 2
    events = await studio.run()
    assert isinstance(events[-1], GenerateFinished) and events[-1].complete
    rows = studio.workspace.examples.rows(Filter(origin="imported"))
    assert [(row.status, row.judged) for row in rows] == [("accepted", True)] * 2
    assert len(studio.author.requests) == 2 and studio.workspace.examples.count() == 4, "they count towards the target"
