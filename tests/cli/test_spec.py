"""``studio spec``."""

from __future__ import annotations

import json

import pytest

from tests.cli.making import SPEC, SPECS, Studio, raw


@pytest.mark.parametrize("name", ["taskmaster", "bank-support", "lost-and-found"])
def test_the_bundled_specs_are_good(studio: Studio, name: str) -> None:
    path = SPECS / f"{name}.yaml"
    told = studio("spec", "check", path)
    assert told.status == 0 and told.err == "" and ": good (" in told.out
    assert studio("spec", "check", path, "--json").json["valid"] is True


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


def test_the_prompt_and_the_targets_are_shown(studio: Studio) -> None:
    told = studio("spec", "show", studio.spec)
    assert "Harbour" in told.out and "Stays level" in told.out
    assert told.lines[-2].split() == ["calls", "2"] and told.lines[-1].split() == ["in", "all", "2"]
    shown = studio("spec", "show", studio.spec, "--json")
    assert shown.json["targets"] == {"calls": 2} and shown.json["spec"]["name"] == "Harbour"
    assert json.loads(shown.out) == shown.json
