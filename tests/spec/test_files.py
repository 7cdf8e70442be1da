"""The spec's own file and the files beside it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.spec import SpecError, Topic, check, load
from tests.spec.helpers import MINIMAL, PARROT, only, problems_of

PROFILES = """\
- topic: Weather
  example_types:
    - example_type: deckhand
      example_background: Twenty, first voyage
      example_query: Will it rain?
    - {example_type: cook, example_background: Old Tom, example_query: Is it calm enough for soup?}
- topic: Food
  example_types:
    - {example_type: cook, example_background: Old Tom, example_query: Are there eggs?}
"""
USES = MINIMAL + "beside:\n  profiles: people.yaml\n"


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    folder = tmp_path / "specs"
    folder.mkdir()
    return folder / "tiny.yaml"


def problem_of(path: Path) -> str:
    with pytest.raises(SpecError) as caught:
        load(path)
    assert len(caught.value.problems) == 1
    return str(caught.value.problems[0])


def test_a_missing_file_a_folder_and_a_pipe_are_told_without_being_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    assert problem_of(tmp_path / "none.yaml") == f"{tmp_path}/none.yaml:1: no such file"
    assert problem_of(tmp_path) == f"{tmp_path}:1: expected a file, found a folder"
    assert "found a device, pipe or socket" in problem_of(pipe)
    assert "found a device, pipe or socket" in problem_of(Path("/dev/zero"))
    assert "cannot be read" in problem_of(tmp_path / ("x" * 300))
    assert "cannot be read" in problem_of(tmp_path / "nul\0byte")


def test_a_file_in_another_encoding_names_the_line(spec: Path) -> None:
    spec.write_bytes(MINIMAL.replace("small.", "petit, c'est \xe9.").encode("latin-1"))
    assert problem_of(spec) == f"{spec}:3: expected UTF-8 text, found the byte 0xe9"
    spec.write_bytes(MINIMAL.encode("utf-16"))
    assert "expected UTF-8 text" in problem_of(spec)


def test_a_byte_order_mark_is_no_part_of_the_text(spec: Path) -> None:
    spec.write_bytes(b"\xef\xbb\xbf" + MINIMAL.encode())
    assert load(spec).spec.name == "Tiny"


def test_a_huge_file_is_refused_before_it_is_parsed(spec: Path) -> None:
    spec.write_text(MINIMAL + "# " + "x" * 2_000_000, encoding="utf-8")
    assert problem_of(spec) == f"{spec}:1: expected at most 1024 KiB"
    assert "expected at most 1024 KiB" in only("#" * 2_000_000)[2]


def test_profiles_load_in_the_published_shape(spec: Path) -> None:
    spec.write_text(USES, encoding="utf-8")
    (spec.parent / "people.yaml").write_text(PROFILES, encoding="utf-8")
    topics = load(spec).topics
    assert [topic.topic for topic in topics] == ["Weather", "Food"]
    assert topics[0].example_types[0].example_query == "Will it rain?"
    assert isinstance(topics[0], Topic)
    assert topics[0].expected == ()


def test_a_topic_may_say_what_an_answer_must_show(spec: Path) -> None:
    spec.write_text(USES, encoding="utf-8")
    people = spec.parent / "people.yaml"
    people.write_text(PROFILES.replace("- topic: Food", "- topic: Food\n  expected: [How many eggs, Where]"), "utf-8")
    assert load(spec).topics[1].expected == ("How many eggs", "Where")
    people.write_text(PROFILES.replace("- topic: Food", "- topic: Food\n  expected: How many"), "utf-8")
    assert problem_of(spec) == f"{people}:8: 1.expected: expected a list of text, found the text 'How many'"


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "message"),
    [
        ("example_query: Will", "example_qery: Will", 3, "0.example_types.0.example_query", "missing; expected text"),
        ("- topic: Food", "- topic: Weather", 7, "1.topic", "found 'Weather' also in line 1"),
        ("Old Tom, example_query: Is", "7, example_query: Is", 6, "0.example_types.1.example_background", "number 7"),
        (PROFILES, "topic: x\n", 1, "", "expected a list of topics"),
        (PROFILES, "# nothing\n", 1, "", "found an empty file"),
        (PROFILES, "- [\n", 2, "", "not valid YAML"),
        (PROFILES, "- topic: x\n  example_types: []\n", 2, "0.example_types", "expected at least one entry"),
        (
            "background: Old Tom, ",
            "background: Old Tom, example_things: [a], ",
            6,
            "0.example_types.1.example_things",
            "gone: say what is on their mind in example_background",
        ),
    ],
)
def test_mistakes_in_the_profiles_are_placed_in_their_own_file(
    spec: Path, old: str, new: str, line: int, key: str, message: str
) -> None:
    people = spec.parent / "people.yaml"
    people.write_text(PROFILES.replace(old, new), encoding="utf-8")
    problem = problems_of(USES, spec)[0]
    assert (problem.file, problem.line, problem.key) == (str(people), line, key)
    assert message in problem.message


def test_profiles_are_read_again_when_their_file_changes(spec: Path) -> None:
    people = spec.parent / "people.yaml"
    people.write_text(PROFILES, encoding="utf-8")
    first, _ = check(USES, spec)
    people.write_text(PROFILES.replace("Food", "Drink"), encoding="utf-8")
    second, _ = check(USES, spec)
    assert first is not None
    assert second is not None
    assert second.topics[1].topic == "Drink"
    assert first.hash != second.hash


@pytest.mark.parametrize(
    "name", ["../secret.md", "/etc/passwd", "sub/../../secret.md", "~/secret.md", "link.md", "loop"]
)
def test_nothing_outside_the_folder_is_read(spec: Path, name: str) -> None:
    secret = spec.parent.parent / "secret.md"
    secret.write_text("secret", encoding="utf-8")
    (spec.parent / "link.md").symlink_to(secret)
    (spec.parent / "loop").symlink_to(spec.parent / "loop")
    line, key, message = only(MINIMAL + f"beside:\n  context: {name}\n", spec)
    assert (line, key) == (11, "beside.context")
    assert message.startswith(f"{name}: ")


def test_links_and_folders_inside_the_folder_are_followed(spec: Path) -> None:
    (spec.parent / "docs").mkdir()
    (spec.parent / "docs" / "real.md").write_text("Real.", encoding="utf-8")
    (spec.parent / "link.md").symlink_to("docs/real.md")
    for name in ("docs/real.md", "link.md", "./docs/../link.md"):
        loaded, problems = check(MINIMAL + f"beside: {{context: {name}}}\n", spec)
        assert problems == ()
        assert loaded is not None
        assert loaded.context_text == "Real."


def test_a_context_that_is_empty_a_folder_or_not_text_is_told(spec: Path) -> None:
    (spec.parent / "empty.md").write_text(" \n", encoding="utf-8")
    (spec.parent / "raw.md").write_bytes(b"ok\n\xff")
    assert (
        only(MINIMAL + "beside: {context: empty.md}\n", spec)[2] == "empty.md: expected some text, found an empty file"
    )
    assert only(MINIMAL + "beside: {context: .}\n", spec)[2] == ".: expected a file, found a folder"
    assert only(MINIMAL + "beside: {context: raw.md}\n", spec)[2].endswith("found the byte 0xff (line 2)")


DATA_KEYS = {"beside.recorded": "recorded_path", "beside.labels": "labels_path", "users.bank": "bank_path"}


@pytest.mark.parametrize("key", DATA_KEYS)
def test_data_files_are_found_but_not_read(spec: Path, key: str) -> None:
    section, name = key.split(".")
    (spec.parent / "data").mkdir()
    (spec.parent / "data" / "a.jsonl").write_bytes(b"\xff not read")
    spec.write_text(MINIMAL + f"{section}: {{{name}: data/../data/a.jsonl}}\n", encoding="utf-8")
    assert getattr(load(spec), DATA_KEYS[key]) == (spec.parent / "data" / "a.jsonl").resolve()


@pytest.mark.parametrize("key", DATA_KEYS)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere.jsonl", "nowhere.jsonl: no such file"),
        (".", ".: expected a file, found a folder"),
        ("pipe", "pipe: expected a regular file, found a device, pipe or socket"),
        ("../outside", "../outside: expected a file in the spec's own folder or below it"),
        ("''", "the name of a file in the spec's own folder or below it, or null, found empty text"),
        ("7", "or null, found the number 7; put it in quotes"),
    ],
)
def test_a_data_file_that_is_none_is_told_with_its_place(spec: Path, key: str, name: str, message: str) -> None:
    section, last = key.split(".")
    os.mkfifo(spec.parent / "pipe")
    (spec.parent.parent / "outside").write_text("", encoding="utf-8")
    found = only(MINIMAL + f"{section}:\n  {last}: {name}\n", spec)
    assert found[:2] == (11, key)
    assert message in found[2]


def test_the_bank_is_the_default_a_file_or_nobody(spec: Path) -> None:
    for name in ("default", "null"):
        spec.write_text(MINIMAL + f"users: {{bank: {name}}}\n", encoding="utf-8")
        assert load(spec).bank_path is None
    told = only(MINIMAL + "users: {bank: none}\n", spec)[2]
    assert told == "none: no such file; expected default, a file of people beside the spec, or null"


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300))
def test_random_bytes_are_told_and_never_raise_anything_else(
    tmp_path_factory: pytest.TempPathFactory, raw: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "garbage.yaml"
    path.write_bytes(raw)
    with pytest.raises(SpecError) as caught:
        load(path)
    assert all(problem.line >= 1 and problem.message for problem in caught.value.problems)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_spec_with_garbage_in_it_is_loaded_or_told(data: st.DataObject) -> None:
    text = PARROT.read_text(encoding="utf-8")
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 30, len(text))))
    garbage = data.draw(st.one_of(st.text(max_size=10), st.text("[]{}&*!|>'\"%@`#:-,? \n\t", max_size=10)))
    changed = text[:start] + garbage + text[end:]
    loaded, problems = check(changed, PARROT)
    assert (loaded is None) == bool(problems)
    lines = changed.count("\n") + changed.count("\r") + changed.count("\x85") + changed.count("\u2028") + 2
    assert all(1 <= problem.line <= lines + changed.count("\u2029") for problem in problems)
