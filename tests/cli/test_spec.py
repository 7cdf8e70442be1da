"""``studio spec``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.spec import load
from tests.cli.making import SPEC, SPECS, Studio, one_line, raw


@pytest.mark.parametrize("name", ["taskmaster", "bank-support", "lost-and-found"])
def test_the_bundled_specs_are_good(studio: Studio, name: str) -> None:
    path = SPECS / f"{name}.yaml"
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


def test_the_offline_author_writes_of_a_new_spec_all_that_the_pocket_base_wants(studio: Studio, tmp_path: Path) -> None:
    studio("spec", "new", "Harbor Guide", "--out", tmp_path / "new.yaml")
    told = studio("generate", tmp_path / "new.yaml", "--workspace", studio.root, "--json")
    assert told.status == 0 and told.json["examples"]["accepted"] >= 720


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


def test_why_more_examples_are_made_than_a_spec_wants_is_said_where_they_are_shown(studio: Studio) -> None:
    last = studio("spec", "show", SPECS / "taskmaster.yaml").lines[-1]
    assert last.split()[:3] == ["in", "all", "200"] and "the pocket base model asks for 720" in last


def test_the_prompt_and_the_targets_are_shown(studio: Studio) -> None:
    told = studio("spec", "show", studio.spec)
    assert "Harbour" in told.out and "Stays level" in told.out
    assert told.lines[-2].split() == ["calls", "2"] and told.lines[-1].split() == ["in", "all", "2"]
    shown = studio("spec", "show", studio.spec, "--json")
    assert shown.json["targets"] == {"calls": 2} and shown.json["spec"]["name"] == "Harbour"
    assert json.loads(shown.out) == shown.json
