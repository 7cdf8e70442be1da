"""Labels of people, as JSON lines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.judge import Label, labels_of, read_labels, read_replies
from studio.judge.labels import labels_hash, locked, training
from tests.judge.making import coach, small_spec, talk, write_labels

SPEC = small_spec()


def line(**changes: Any) -> str:
    turns = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "So it is."}]
    return json.dumps({"messages": turns, "labels": {"brave": 2, "concise": 0}, "boundary": None, **changes})


def label(request: str = "Hi", reply: str = "So.", **values: Any) -> Label:
    return Label.model_validate({"messages": talk(request, reply), "labels": {"brave": 2, "concise": 1}, **values})


def test_labels_are_read_as_they_were_written(tmp_path: Path) -> None:
    given = (
        label(run="a", split="locked", by="me"),
        label(reply="“Naïve” 日本", boundary="no_lies", labels={"brave": 0}),
    )
    write_labels(tmp_path / "l.jsonl", given)
    assert read_labels(tmp_path / "l.jsonl", SPEC) == given


def test_locked_labels_stand_apart_from_those_that_are_learned_from() -> None:
    given = [label(), label(split="locked"), label(split="train")]
    assert (training(given), locked(given)) == ((given[0], given[2]), (given[1],))


@pytest.mark.parametrize(
    ("bad", "told"),
    [
        ("{", "expected one JSON object a line"),
        ("[]", "object"),
        (line(labels={"bold": 2}), "labels: expected one of brave, concise, found bold"),
        (line(labels={"brave": 3}), "expected 0, 1 or 2 for brave, found 3"),
        (line(labels={"brave": "2"}), "labels.brave"),
        (line(labels={"brave": True}), "labels.brave"),
        (line(labels={"brave": 1.5}), "labels.brave"),
        (line(labels={}), "labels: expected the score of a trait, or a boundary"),
        (line(boundary="no_fun"), "boundary: expected null or one of no_lies, no_threats, found no_fun"),
        (line(split="test"), "split"),
        (line(colour="red"), "colour"),
        (line(messages=[{"role": "user", "content": "Hi"}]), "ends with a reply of the assistant"),
        (line(messages=[]), "ends with a reply of the assistant"),
    ],
)
def test_a_mistake_is_told_with_its_file_and_line_and_nothing_is_read(tmp_path: Path, bad: str, told: str) -> None:
    path = tmp_path / "l.jsonl"
    path.write_text(f"{line()}\n\n{bad}\n")
    with pytest.raises(UserError) as error:
        read_labels(path, SPEC)
    assert error.value.where == f"{path}:3" and told in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize("content", [None, b"", b"\n\n", b"\xff\xfe"])
def test_a_file_without_labels_is_told(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "l.jsonl").write_bytes(content)
    with pytest.raises(UserError, match=r"l\.jsonl"):
        read_labels(tmp_path / "l.jsonl", SPEC)


def test_replies_to_score_need_no_labels_and_may_have_keys_of_a_recording(tmp_path: Path) -> None:
    (tmp_path / "r.jsonl").write_text(line(scenario="Small talk", person={"name": "Eva"}) + "\n" + line() + "\n")
    assert [reply.scenario for reply in read_replies(tmp_path / "r.jsonl")] == ["Small talk", ""]


def test_a_person_passes_what_the_gates_of_an_example_let_pass() -> None:
    assert label(labels={"brave": 2, "concise": 1}).passes(SPEC) is True
    assert label(labels={"brave": 2, "concise": 0}).passes(SPEC) is False
    assert label(labels={"brave": 1, "concise": 1}).passes(SPEC) is False
    assert label(labels={"brave": 2, "concise": 2}, boundary="no_lies").passes(SPEC) is False
    assert label(labels={"brave": 2}).passes(SPEC) is None
    assert label(labels={"brave": 0}).passes(SPEC) is False


def test_the_hash_is_of_what_was_labelled_and_not_of_who_did_it() -> None:
    assert labels_hash([label(by="me")]) == labels_hash([label(by="you")])
    others = [label(reply="No."), label(labels={"brave": 1}), label(boundary="no_lies"), label(split="locked")]
    assert len({labels_hash([one]) for one in [label(), *others]}) == 5


def test_the_labels_of_a_spec_lie_beside_it() -> None:
    assert len(labels_of(coach())) == 40
    assert labels_of(coach().model_copy(update={"labels_path": Path("elsewhere.jsonl")})) == ()


def test_labels_that_changed_are_read_again(tmp_path: Path) -> None:
    write_labels(tmp_path / "coach.labels.jsonl", labels_of(coach())[:3])
    there = coach().model_copy(update={"labels_path": tmp_path / "coach.labels.jsonl"})
    assert len(labels_of(there)) == 3
    write_labels(tmp_path / "coach.labels.jsonl", labels_of(coach())[:5])
    assert len(labels_of(there)) == 5
