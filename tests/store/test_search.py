"""Searching by words: any script, any case, nothing in the text is syntax, edits are found and originals not."""

from __future__ import annotations

import pytest

from studio.store import ExampleStore, Filter
from tests.store.making import decision, example, judgement


@pytest.fixture
def texts(store: ExampleStore) -> ExampleStore:
    said = {
        "milk": "Add milk to my shopping list",
        "report": "I finished the quarterly report!",
        "cafe": "Treffen im Café um 8 Uhr, bitte",
        "ja": "明日の会議を追加してください",
        "zh": "请添加一个任务",
        "th": "เพิ่มงานใหม่",
        "ru": "Добавь молоко",
        "odd": 'AND "OR" NEAR(x) col:y ^ * -z (unclosed',
    }
    for name, text in said.items():
        store.add_example(example(name, said=text, reply="ok"), judgement())
    return store


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("milk", ["milk"]),
        ("MILK list", ["milk"]),
        ("shop", ["milk"]),
        ("list milk", ["milk"]),
        ("ilk", []),
        ("milk report", []),
        ("finish quarter", ["report"]),
        ("cafe", ["cafe"]),
        ("CAFÉ 8", ["cafe"]),
        ("会議", ["ja"]),
        ("任务", ["zh"]),
        ("添加", ["zh"]),
        ("加添", []),
        ("งาน", ["th"]),
        ("молок", ["ru"]),
        ('"OR"', ["odd"]),
        ("AND", ["milk", "odd"][1:]),
        ("NEAR(x", ["odd"]),
        ("col:y", ["odd"]),
        ("-z", ["odd"]),
        ('"', []),
        ("*", []),
        ("!?", []),
    ],
)
def test_all_words_are_found_each_from_its_beginning(texts: ExampleStore, text: str, found: list[str]) -> None:
    assert [row.example.id for row in texts.rows(Filter(text=text))] == found


@pytest.mark.parametrize("text", ["r\u00e9sum\u00e9", "re\u0301sume\u0301", "resume", "RE\u0301S"])
def test_letters_with_accents_are_found_however_they_are_composed(store: ExampleStore, text: str) -> None:
    store.add_example(example("composed", reply="My r\u00e9sum\u00e9 is done."), judgement())
    store.add_example(example("decomposed", reply="My re\u0301sume\u0301 is done."), judgement())
    assert [row.example.id for row in store.rows(Filter(text=text))] == ["composed", "decomposed"]


def test_no_text_is_no_filter(texts: ExampleStore) -> None:
    assert texts.count(Filter(text="")) == texts.count() == 8


def test_the_conversation_is_searched_as_it_stands(texts: ExampleStore) -> None:
    texts.decide(decision("milk", "edit", reply="Splendid."))
    assert texts.count(Filter(text="splendid")) == 1
    texts.undo()
    assert texts.count(Filter(text="splendid")) == 0
    texts.redo()
    assert texts.count(Filter(text="splendid")) == 1
    texts.decide(decision("milk", "reset"))
    assert texts.count(Filter(text="splendid")) == 0
    assert texts.count(Filter(text="milk")) == 1
