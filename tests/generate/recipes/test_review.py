"""What was made, before a person and in files: a sample with its interval, exports in three shapes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet

from studio.cli.recipe_review import read_verdicts, sit, write_sample
from studio.errors import UserError
from studio.generate.recipes import RecipeMade, RecipeRun, Review, export_recipes, load_recipe, recipe_runs, report
from studio.llm import Usage
from studio.proportion import wilson
from studio.store import Documents, Workspace

HOSTILE = "A porter\x1b[2J who\u202e types"


@pytest.fixture
def documents(tmp_path: Path) -> Iterator[Documents]:
    workspace = Workspace.open(tmp_path, "p")
    yield workspace.documents
    workspace.close()


def made(number: int, recipe: str = "math", **more: Any) -> RecipeMade:
    answer = {"problem": f"Problem {number}: how many?"}
    values: dict[str, Any] = {"id": f"m{number}", "recipe": recipe, "shots": "persona", "person_id": f"p{number}"}
    values |= {"persona": "A porter", "answer": answer, "text": answer["problem"], "samples": 3, "agree": 3}
    values |= {"finals": ("7", "7.0", "7"), "solution": "It is 7.", "final": "7", "model": "m", "requests": 4}
    return RecipeMade.model_validate(values | {"usage": Usage(prompt_tokens=10, cost_usd=0.5)} | more)


def stored(documents: Documents, count: int, recipe: str = "math", **more: Any) -> RecipeRun:
    run = RecipeRun(kind=f"recipe {recipe} persona", recipe=load_recipe(recipe), shots="persona")
    documents.put("recipes", run.kind, run)
    for number in range(count):
        documents.put(run.kind, f"m{number}", made(number, recipe, **more))
    return run


def test_a_sample_is_a_twentieth_and_at_least_five(documents: Documents) -> None:
    run = stored(documents, 3)
    assert Review(documents, run).wanted == 3
    stored(documents, 60)
    assert Review(documents, run).wanted == 5 and Review(documents, run, share=0.2).wanted == 12
    stored(documents, 160)
    assert Review(documents, run).wanted == 8


def test_verdicts_are_kept_and_the_share_has_wilson_s_interval(documents: Documents) -> None:
    run = stored(documents, 160)
    review, said = Review(documents, run), iter("arwas?ua")
    shown: list[str] = []
    assert sit(review, iter(list(said) + list("aaaaaaa")), shown.append, by="me")
    again = Review(documents, run).validity
    assert (again.reviewed, again.wanted) == (7, 8), "one was skipped"
    assert again.share is not None and again.valid == 6 and (again.low, again.high) == wilson(6, 7)
    assert any(line.startswith("\n--- 1 of 8 ---\nRecipe: math, persona\n\nPerson: A porter") for line in shown)
    assert "took back the verdict before" in shown
    (told,) = report(documents, [run])
    assert told.validity == again and told.cost_usd == 80.0
    stored(documents, 400)
    more = Review(documents, run)
    assert (more.done, more.wanted) == (7, 20), "what was said stays when more is made"


def test_wilson_s_interval_is_that_of_the_textbook() -> None:
    assert wilson(8, 10) == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert wilson(0, 10) == pytest.approx((0.0, 0.2775), abs=1e-4)
    assert wilson(10, 10) == pytest.approx((0.7225, 1.0), abs=1e-4)


def test_in_a_script_verdicts_come_by_a_file(documents: Documents, tmp_path: Path) -> None:
    run, file = stored(documents, 20), tmp_path / "sample.jsonl"
    assert write_sample([Review(documents, run)], file) == 5
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    assert all(one["Person"] == "A porter" and one["Solution"] == "It is 7." for one in lines)
    with pytest.raises(UserError, match="is there already"):
        write_sample([Review(documents, run)], file)
    lines[0]["verdict"], lines[1]["verdict"], lines[1]["reason"] = "valid", "invalid", "wrong"
    file.write_text("".join(json.dumps(one) + "\n" for one in lines))
    assert read_verdicts([Review(documents, run)], file) == 2
    assert Review(documents, run).validity.share == 0.5
    for bad, said in (
        ({"id": "m1", "verdict": "good"}, "expected valid or invalid"),
        ({"id": "x", "verdict": "valid"}, "'x'"),
    ):
        file.write_text(json.dumps(bad))
        with pytest.raises(UserError, match=said) as caught:
            read_verdicts([Review(documents, run)], file)
        assert caught.value.where == f"{file}:1"


def test_each_shape_of_export_is_free_of_control_characters(documents: Documents, tmp_path: Path) -> None:
    run = stored(documents, 3, persona=HOSTILE, solution="It\x07 is 7.")
    stored(documents, 2, "instruction", answer={"instruction": "do it"}, text="do it", persona=HOSTILE)
    hub, chat, table = tmp_path / "hub.jsonl", tmp_path / "chat.jsonl", tmp_path / "all.parquet"
    assert export_recipes(documents, recipe_runs(documents), hub) == 5
    first = json.loads(hub.read_text().splitlines()[0])
    assert list(first) == ["input persona", "synthesized text", "description"]
    assert first["description"] == "math problem" and first["synthesized text"] == "Problem 0: how many?"
    assert export_recipes(documents, [run], chat, shape="messages") == 3
    turns = json.loads(chat.read_text().splitlines()[0])["messages"]
    assert [(one["role"], one["content"]) for one in turns] == [
        ("user", "Problem 0: how many?"),
        ("assistant", "It\ufffd is 7.\n\nAnswer: 7"),
    ]
    assert export_recipes(documents, recipe_runs(documents), table) == 5
    rows = parquet.read_table(table).to_pylist()
    assert rows[0]["final"] == "7" and json.loads(rows[0]["answer"]) == {"problem": "Problem 0: how many?"}
    for file in (hub, chat, table):
        raw = file.read_bytes() if file.suffix == ".jsonl" else str(rows).encode()
        assert not any(mark in raw for mark in (b"\x1b", b"\\u001b", b"\x07", b"\\u0007", "\u202e".encode()))


def test_an_export_that_cannot_be_is_refused_in_a_line(documents: Documents, tmp_path: Path) -> None:
    run, asking = stored(documents, 1), stored(documents, 1, "instruction")
    there = tmp_path / "there.jsonl"
    there.write_text("mine")
    for runs, path, shape, said in (
        ([run], tmp_path / "x.csv", "hub", "ends in .csv"),
        ([run], there, "hub", "it is there already"),
        ([run], tmp_path / "x.parquet", "messages", "messages are JSON lines"),
        ([asking], tmp_path / "x.jsonl", "messages", "requests and no answers"),
    ):
        with pytest.raises(UserError, match=said):
            export_recipes(documents, runs, path, shape=shape)  # type: ignore[arg-type]
    assert there.read_text() == "mine" and sorted(path.name for path in tmp_path.iterdir()) == ["p", "there.jsonl"]
    assert export_recipes(documents, [run], there, force=True) == 1
    documents.put(run.kind, "m0", made(0, samples=0, solution="", final=""))
    assert export_recipes(documents, [run], tmp_path / "none.jsonl", shape="messages") == 0, "nobody solved it"
