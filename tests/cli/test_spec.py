"""``studio spec``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.spec import load
from tests.cli.making import SPEC, Studio, one_line, raw
from tests.spec.helpers import bundled


@pytest.mark.parametrize("name", ["taskmaster", "bank-support", "lost-and-found"])
def test_the_bundled_specs_are_good(studio: Studio, name: str, tmp_path: Path) -> None:
    path = bundled(name, tmp_path).path
    told = studio("spec", "check", path)
    assert told.status == 0 and told.err == "" and ": good (" in told.out
    assert studio("spec", "check", path, "--json").json["valid"] is True


@pytest.mark.parametrize("name", ["Harbor Guide", 'O\'Brien: #1 "Mate"', "港のガイド"])
def test_a_new_spec_is_good_and_bears_its_name(
    studio: Studio, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = studio("spec", "new", name)
    path = tmp_path / told.out.split(":")[0]
    assert told.status == 0 and load(path).spec.name == name
    written = path.read_text()
    assert one_line(again := studio("spec", "new", name)) and "already" in again.err and path.read_text() == written
    assert studio("spec", "new", name, "--out", tmp_path / "other.yaml").status == 0 and load("other.yaml")


def test_what_cannot_be_a_name_makes_no_spec(studio: Studio, tmp_path: Path) -> None:
    told = studio("spec", "new", "", "--out", tmp_path / "new.yaml")
    assert one_line(told) and not (tmp_path / "new.yaml").exists()


@pytest.mark.parametrize("command", [[], ["build"], ["triage", "list"]], ids=" ".join)
def test_where_no_spec_is_named_and_none_is_there_it_says_how_to_begin(
    studio: Studio, command: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    told = studio(*command, "--workspace", studio.root)
    assert one_line(told) and "studio spec new" in told.err and "no such command" not in told.err
    assert not studio.root.exists()


def test_a_bad_spec_is_one_line_a_problem_on_stderr(studio: Studio) -> None:
    studio.spec.write_text(
        SPEC.replace("purpose: Answers on channel twelve.\n", "colour: blue\n").replace("calm", "Ca lm")
    )
    told = studio("spec", "check", studio.spec)
    lines = told.err.splitlines()
    assert told.status == 2 and told.out == "" and len(lines) >= 3
    assert all(line.startswith(f"{studio.spec}:") for line in lines)
    assert any("purpose" in line for line in lines) and any("colour" in line for line in lines)
    as_json = studio("spec", "check", studio.spec, "--json")
    assert as_json.status == 2 and len(as_json.json["problems"]) == len(lines) and as_json.json["valid"] is False


def test_what_a_bad_spec_holds_stays_inert(studio: Studio) -> None:
    studio.spec.write_text(SPEC + '"\\e]0;pwned\\a\\u202e": 1\n')
    told = studio("spec", "check", studio.spec)
    assert told.status == 2 and "pwned" in told.err and raw(told.err) == []


def test_all_that_is_made_from_a_spec_is_shown(studio: Studio) -> None:
    told = studio("spec", "show", studio.spec)
    rows = [line.split() for line in told.lines]
    assert "Harbour" in told.out and "Stays level" in told.out
    assert ["calls", "2"] in rows and ["in", "all", "2"] in rows and "held out" in told.out
    assert ["max", "chars", "2000"] in rows and "win rate" in told.out and "some/model" not in told.out
    shown = studio("spec", "show", studio.spec, "--json")
    assert shown.json["targets"] == {"calls": 2} and shown.json["spec"]["name"] == "Harbour"
    assert "Stays level" in shown.json["persona_prompt"] and shown.json["recorded"] is None
    assert json.loads(shown.out) == shown.json


TALK = '{"scenario": "A boat calls", "messages": [{"role": "user", "content": "Hi"}]}\n'
PROBE = '{"scenario": "A boat calls", "messages": [{"role": "user", "content": "berth nine!"}]}\n'
LABEL = '{"messages": [{"role": "user", "content": "Hi"}], "labels": {"calm": 2}}\n'


def test_what_lies_beside_a_spec_is_counted_and_what_is_amiss_there_is_told(studio: Studio) -> None:
    text = SPEC.replace("[A boat calls]}}", "[A boat calls]}, unseen: {holdout: true, items: ['Berth [nine]']}}")
    studio.spec.write_text(f"{text}beside: {{recorded: talks.jsonl, labels: scores.jsonl}}\n")
    talks = studio.spec.parent / "talks.jsonl"
    talks.write_text(TALK * 3)
    (studio.spec.parent / "scores.jsonl").write_text(LABEL)
    good = studio("spec", "check", studio.spec)
    assert good.status == 0 and good.err == ""
    told = studio("spec", "show", studio.spec).out
    assert "talks.jsonl: conversations 3" in told and "scores.jsonl: replies 1 (calm 1)" in told
    assert "2 wanted, 3 recorded" in told
    talks.write_text(TALK + PROBE + "no json\n")
    amiss = studio("spec", "check", studio.spec, "--json")
    assert amiss.status == 0 and amiss.json["valid"] is True
    assert amiss.json["notes"] == amiss.err.splitlines()
    assert amiss.json["notes"] == [
        "talks.jsonl: lines that are no conversation: 1",
        "talks.jsonl: conversations that say a held-out probe, which are never played back: 1",
    ]
    assert studio("spec", "show", studio.spec, "--json").json["recorded"]["held_out"] == 1


def test_a_spec_of_schema_1_is_told_where_its_keys_went(studio: Studio) -> None:
    studio.spec.write_text(SPEC.replace("schema: 2", "schema: 1") + "context: facts.md\nslots: {a: [b]}\n")
    told = studio("spec", "check", studio.spec)
    assert told.status == 2 and told.err.splitlines() == [
        f"{studio.spec}:1: schema: expected 2, found the number 1; each key of schema 1 that moved or is gone is named "
        "in its line",
        f"{studio.spec}:7: context: moved: it is beside.context now",
        f"{studio.spec}:8: slots: gone: no words are exchanged in examples any more; leave it out",
    ]
