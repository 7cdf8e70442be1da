"""Texts to infer people from: every kind of file, as passages, with what was passed over and why."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from studio.bank import records as module
from studio.bank.texts import LEAST, PASSAGE, Passage, Texts, passages
from studio.errors import UserError

LONG = "The tide gauge at the old harbour has been off by two centimetres since the storm."


def test_files_folders_and_records_are_read_with_their_places(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "a.md").write_text(LONG)
    (tmp_path / "b" / "c.jsonl").write_text(
        "\n".join([json.dumps({"id": 1, "text": LONG}), "", "{broken", "3", '{"text": "x"}'])
    )
    (tmp_path / "d.csv").write_text(f"id,body\n1,{LONG}\n2,short\n")
    (tmp_path / "e.json").write_text(json.dumps([{"content": LONG}]))
    (tmp_path / "ignored.png").write_bytes(b"\x89PNG")
    found = Texts([tmp_path])
    assert [(one.origin.removeprefix(str(tmp_path)), one.text) for one in found] == [
        ("/a.md", LONG),
        ("/b/c.jsonl:1", LONG),
        ("/d.csv:2", LONG),
        ("/e.json:1", LONG),
    ]
    assert [one.removeprefix(str(tmp_path)) for one in found.bad] == [
        "/b/c.jsonl:3: no JSON: Expecting property name enclosed in double quotes",
        "/b/c.jsonl:4: expected an object, found a number",
        "/b/c.jsonl:5: 1 characters, too short to say anything",
        "/d.csv:3: 5 characters, too short to say anything",
    ]


def test_a_column_of_parquet_is_read_in_batches(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    rows = {"n": list(range(1200)), "story": [f"{n}: {LONG}" for n in range(1199)] + [None]}
    parquet.write_table(arrow.table(rows), tmp_path / "x.parquet")
    found = Texts([tmp_path / "x.parquet"], "story")
    read = list(found)
    assert len(read) == 1199 and read[700] == Passage(origin=f"{tmp_path}/x.parquet:701", text=f"700: {LONG}")
    assert found.bad == [f"{tmp_path}/x.parquet:1200: 0 characters, too short to say anything"]
    with pytest.raises(UserError, match="no text where") as caught:
        list(Texts([tmp_path / "x.parquet"]))
    assert "--field" in caught.value.remedy and "story" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.parquet", b"PAR1 but not really", "Parquet"),
        ("x.json", b"[1, 2", "item"),
        ("x.jsonl", b'{"a": "b"}\n', "no text where it is looked for"),
        ("x.txt", b"\x00\x01binary", "is no text"),
        ("x.txt", "A harbour".encode("utf-16"), "expected UTF-8, found UTF-16"),
        ("gone.txt", None, "is not there"),
        ("pipe.txt", None, "is a pipe or a device, and no file"),
        ("empty", None, "holds no text"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(tmp_path: Path, name: str, content: bytes | None, said: str) -> None:
    path = tmp_path / name
    if name == "empty":
        path.mkdir()
    elif name.startswith("pipe"):
        os.mkfifo(path)
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(UserError, match=said) as caught:
        list(Texts([path]))
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_a_huge_line_is_passed_over_and_the_next_one_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LONGEST", 1000)
    path = tmp_path / "x.jsonl"
    path.write_text(json.dumps({"text": "y" * 5000}) + "\n" + json.dumps({"text": LONG}) + "\n")
    found = Texts([path])
    assert [one.origin for one in found] == [f"{path}:2"]
    assert len(found.bad) == 1 and found.bad[0].startswith(f"{path}:1: longer than")


def test_a_long_text_is_cut_where_a_paragraph_or_a_sentence_ends() -> None:
    text = "\n\n".join(f"Paragraph {number}. " + "It goes on about the harbour. " * 40 for number in range(12))
    parts = passages(text)
    assert len(parts) > 3 and all(LEAST <= len(part) <= PASSAGE for part in parts)
    assert all(part.endswith(".") for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())
    assert max(map(len, passages("x" * 9001))) <= PASSAGE
    assert passages(LONG) == [LONG]
