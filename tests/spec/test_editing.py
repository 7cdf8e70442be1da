"""Editing a spec by key."""

from __future__ import annotations

import difflib
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from studio.errors import UserError
from studio.spec import SpecDocument, SpecError
from studio.spec.editing import append_value, read_root, remove_value, set_value
from studio.spec.node import Node
from studio.spec.node import Path as KeyPath
from tests.spec.helpers import PARROT

TEXT = PARROT.read_text(encoding="utf-8")
COMMENTS = re.findall(r"#.*", TEXT)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return Path(shutil.copy(PARROT, tmp_path / "parrot.yaml"))


@pytest.fixture
def document(file: Path) -> SpecDocument:
    return SpecDocument.open(file)


def changed_lines(before: str, after: str) -> tuple[list[str], list[str]]:
    """The lines that are only in one of two texts."""
    old, new = before.split("\n"), after.split("\n")
    return [line for line in old if line not in new], [line for line in new if line not in old]


def leaves(node: Node, path: KeyPath = ()) -> list[KeyPath]:
    found = [leaf for key, child in node.entries() for leaf in leaves(child, (*path, key))]
    return found or [path]


def order(data: Any) -> Any:
    """The keys of nested data in their order."""
    if isinstance(data, dict):
        return [(key, order(value)) for key, value in data.items()]
    return [order(value) for value in data] if isinstance(data, tuple) else None


def places(node: Node, path: KeyPath = ()) -> list[KeyPath]:
    found = [place for key, child in node.entries() for place in places(child, (*path, key))]
    return ([path] if path else []) + found


LEAVES = leaves(read_root(TEXT))
PLACES = places(read_root(TEXT))
HOLDERS = [path for path in PLACES if path not in LEAVES]


def test_every_value_can_be_read_by_its_dotted_key(document: SpecDocument) -> None:
    assert document.get("name") == "Captain's Parrot"
    assert document.get("traits.0.anchors.2") == "Full of the sea"
    assert document.get("scenarios.sailing.items.1") == "Ask who is on watch"
    assert document.get("examples.1.messages.3.content") == "Aye aye, that would be old Tom."
    assert document.get(("target_users",)) == ("sailors", "ship's cooks", "cabin boys")
    assert document.get("traits.9.name") is None
    assert document.get("users.weight.bank", 0.5) == 0.5


@pytest.mark.parametrize(
    ("key", "value", "gone", "come"),
    [
        ("name", "Polly", ["name: Captain's Parrot   # shown on screen"], ["name: Polly   # shown on screen"]),
        (
            "traits.0.anchors.2",
            "Salt: everywhere",
            ["      2: Full of the sea # the best"],
            ['      2: "Salt: everywhere" # the best'],
        ),
        (
            "traits.1.is",
            "Brief, always",
            ["  - {name: brief, is: Says it in one breath} # a flow mapping"],
            ['  - {name: brief, is: "Brief, always"} # a flow mapping'],
        ),
        (
            "target_users.2",
            "gulls",
            ["target_users: [sailors, \"ship's cooks\", 'cabin boys'] # a flow list"],
            ["target_users: [sailors, \"ship's cooks\", gulls] # a flow list"],
        ),
        ("vocabulary.prefer.1", "Avast", ['    - "Shiver my timbers"'], ['    - "Avast"']),
        ("scenarios.sailing.target", 9, ["    target: 6"], ["    target: 9"]),
        (
            "success.overall",
            8.5,
            ["success: {examples: 12} # a small crew"],
            ["success: {examples: 12, overall: 8.5} # a small crew"],
        ),
        ("deployment.system_prompt", "yes", ["  system_prompt: null"], ["  system_prompt: yes"]),
        ("deployment.system_prompt", "true", ["  system_prompt: null"], ['  system_prompt: "true"']),
        ("users.weight.bank", 0.25, [], ["users:", "  weight:", "    bank: 0.25"]),
        ("traits.2.anchors", {2: "a", 0: "b"}, [], ["      2: a", "      0: b"]),
    ],
)  # fmt: skip
def test_an_edit_changes_its_own_line_and_no_other(
    document: SpecDocument, key: str, value: Any, gone: list[str], come: list[str]
) -> None:
    document.set(key, value)
    assert changed_lines(TEXT, document.text) == (gone, come)
    assert document.get(key) == value


def test_prose_stays_folded_and_literal_text_literal(document: SpecDocument) -> None:
    document.set("purpose", "word " * 60 + "end")
    document.set("identity", "One.\n\n# Two: three")
    assert "purpose: >-\n  word word" in document.text
    assert "identity: |-\n  One.\n\n  # Two: three\nlanguage: en\n" in document.text
    assert max(map(len, document.text.split("\n"))) <= 120


def test_a_list_is_changed_entry_by_entry(document: SpecDocument) -> None:
    document.set("vocabulary.prefer", ["Aye aye!", "Shiver my timbers", "Yo ho"])
    assert changed_lines(TEXT, document.text) == ([], ["    - Yo ho"])
    document.set("vocabulary.prefer", ["Aye aye!"])
    assert "- Aye aye! # with a bang" in document.text
    assert document.get("vocabulary.prefer") == ("Aye aye!",)


def test_entries_are_added_in_the_form_of_their_list(document: SpecDocument) -> None:
    document.append("patterns", {"step": "bye", "how": "Leave"})
    document.append("target_users", "gulls, too")
    document.append("traits.2.cues", "I do not know")
    assert "  how: Say the one thing\n- step: bye\n  how: Leave\n" in document.text
    assert "'cabin boys', \"gulls, too\"] # a flow list" in document.text
    assert document.get("traits.2.cues") == ("I do not know",)
    assert all(comment in document.text for comment in COMMENTS)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a:\n- b: 1 # of b\n  # of c\n  c: 2 # beside c\n- d\n", "a:\n-\n  # of c\n  c: 2 # beside c\n- d\n"),
        ("a:\r\n  - b: 1\r\n    # of c\r\n    c: 2\r\n", "a:\r\n  -\r\n    # of c\r\n    c: 2\r\n"),
        ("a:\n- - b: |\n      x\n    # of c\n    c: 2\n", "a:\n- -\n    # of c\n    c: 2\n"),
        ("a:\n- b: 1\n\n  c: 2\n", "a:\n- c: 2\n"),
    ],
)
def test_removing_the_first_key_of_a_list_item_keeps_the_comment_of_the_next(text: str, left: str) -> None:
    key = "a.0.0.b" if "- - " in text else "a.0.b"
    assert remove_value(text, key) == left


def test_removing_an_entry_keeps_the_comments_around_it(document: SpecDocument) -> None:
    document.remove("traits.2")
    assert "# the comment before the last trait" in document.text
    assert "# end of traits" in document.text
    document.remove("traits.0.name")
    assert "  - is: Talks like a sailor" in document.text
    document.remove("target_users.0")
    assert "[\"ship's cooks\", 'cabin boys'] # a flow list" in document.text


def test_removing_the_last_entry_removes_the_list(document: SpecDocument) -> None:
    document.remove("boundaries.0")
    document.set("slots", {})
    assert document.get("boundaries") is None
    assert document.get("slots") is None
    assert document.check()[1] == ()


@pytest.mark.parametrize("path", PLACES, ids=lambda path: ".".join(map(str, path)))
def test_any_entry_can_be_removed_without_touching_a_line_of_another(path: KeyPath) -> None:
    changed = remove_value(TEXT, path)
    gone, come = changed_lines(TEXT, changed)
    assert len(come) <= 1  # the line that the entry shared with others
    matcher = difflib.SequenceMatcher(None, TEXT.split("\n"), changed.split("\n"), autojunk=False)
    assert [name for name, *_ in matcher.get_opcodes() if name != "equal"] == ["replace" if come else "delete"]
    outside = [comment for comment in COMMENTS if not any(comment in line for line in gone)]
    assert [comment for comment in outside if comment not in changed] == []


@pytest.mark.parametrize("path", [(), *HOLDERS], ids=lambda path: ".".join(map(str, path)))
def test_any_list_or_mapping_takes_a_new_entry_and_keeps_every_line(path: KeyPath) -> None:
    node = read_root(TEXT).at(*path)
    assert node is not None
    value = {"a": "b: c", "d": ["x", 2]}
    if isinstance(node.value, list):
        changed = append_value(TEXT, path, value)
        assert read_root(changed).at(*path, len(node.value)).plain() == {"a": "b: c", "d": ("x", 2)}  # type: ignore[union-attr]
    else:
        changed = set_value(TEXT, (*path, "new"), value)
        assert read_root(changed).at(*path, "new").plain() == {"a": "b: c", "d": ("x", 2)}  # type: ignore[union-attr]
    assert len(changed_lines(TEXT, changed)[0]) <= 1
    assert [comment for comment in COMMENTS if comment not in changed] == []


@settings(max_examples=120, deadline=None)
@example(("schema",), 10**30)
@given(
    st.sampled_from(LEAVES),
    st.one_of(st.text(), st.integers(), st.booleans(), st.none(), st.text("ab #:-[]{}'\"\n|>&*!%@`,?")),
)
def test_any_value_anywhere_reads_back_and_leaves_comments_and_order(path: KeyPath, value: Any) -> None:
    changed = set_value(TEXT, path, value)
    data = read_root(changed)
    node = data.at(*path)
    assert node is not None
    assert node.plain() == value
    assert type(node.plain()) is type(value)
    assert order(data.plain()) == order(read_root(TEXT).plain())
    position = 0
    for comment in COMMENTS:
        position = changed.index(comment, position) + 1


@settings(max_examples=40, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["name", "traits.0.is", "identity", "examples.0.assistant"]), st.text(min_size=1)),
        max_size=4,
    )
)
def test_many_edits_in_a_row_hold_together(edits: list[tuple[str, str]]) -> None:
    document = SpecDocument(PARROT, TEXT)
    for key, value in edits:
        document.set(key, value)
    for key, value in dict(edits).items():
        assert document.get(key) == value
    assert [comment for comment in COMMENTS if comment not in document.text] == []


@pytest.mark.parametrize(
    "text",
    ["? name\n: x\nb: 1 # kept\n", "name: x # kept\nb: 1\n", "{name: x, b: 1} # kept\n", '"name" : x\nb: 1 # kept\n'],
)
def test_forms_that_nobody_writes_are_edited_too(text: str) -> None:
    changed = set_value(set_value(text, "name", "a\nb"), "c", ["d"])
    assert read_root(changed).plain() == {"name": "a\nb", "b": 1, "c": ("d",)}
    assert "# kept" in changed


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("traits.9.is", "x", "there is no place for traits.9"),
        ("name.first", "x", "there is no place for name.first"),
        ("name", "\ud800", "half of a character"),
        ("success.overall", float("nan"), "cannot be written"),
    ],
)
def test_an_edit_that_cannot_be_says_so_and_changes_nothing(
    document: SpecDocument, key: str, value: Any, message: str
) -> None:
    with pytest.raises(UserError, match=message):
        document.set(key, value)
    assert document.text == TEXT


def test_removing_what_is_not_there_says_so(document: SpecDocument) -> None:
    with pytest.raises(UserError, match=r"there is nothing at traits\.7"):
        document.remove("traits.7")
    with pytest.raises(UserError, match="expected a list at name"):
        document.append("name", "x")


def test_text_that_is_no_yaml_is_edited_as_text_only(document: SpecDocument) -> None:
    document.text = "name: [\n"
    with pytest.raises(SpecError) as caught:
        document.set("name", "x")
    assert str(document.path) in str(caught.value)
