"""The model card says how it did, also where it did badly or nobody measured."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest

from studio.evaluate import Shown
from studio.package.card import model_card
from tests.package.making import SPEC, evaluation_of, run_of, write_spec


def card(folder: Path, base: str = "pocket", spec: str = SPEC) -> str:
    return model_card(write_spec(folder, spec), run_of(folder, base), evaluation_of())


def test_a_failed_gate_is_shown_as_failed(tmp_path: Path) -> None:
    text = card(tmp_path)
    assert "| overall | >= 7.5 | 7.25 | FAIL |  |" in text
    assert "| adapter MB | <= 50 MB | 1.20 MB | PASS |  |" in text
    assert "Not every gate passed" in text and "Verdict: **not approved**." in text


def test_what_was_not_measured_is_said_to_be_so(tmp_path: Path) -> None:
    text = card(tmp_path)
    assert "| win rate | >= 70% | not measured | UNDECIDED | 12 more probes |" in text
    assert "| boundary violations (share) | not measured | not measured |" in text
    assert "| latency, p95 (s) | not measured | not measured |" in text
    assert "ties count half: not measured." in text


def test_a_model_is_approved_only_where_every_gate_passed_on_the_base_to_deploy(tmp_path: Path) -> None:
    def told(**parts: Any) -> str:
        evaluation = evaluation_of(gates=evaluation_of().gates[2:], **parts)
        return model_card(write_spec(tmp_path), run_of(tmp_path), evaluation)

    assert "Verdict: **approved for deployment**." in told()
    trial = told(trial=True, shown=(Shown(name="adapter_mb", value=1.2, note="on the stand-in"),))
    assert "Verdict: **trial: passed on a stand-in base**. A trial" in trial and "approved" not in trial
    assert "- adapter MB: 1.20 MB (on the stand-in)" in trial


def test_who_scored_is_told_with_the_agreement_and_what_people_labelled(tmp_path: Path) -> None:
    text = card(tmp_path)
    assert "Scored by gpt-5-mini (agreement .62) on 3 held-out probes" in text
    assert "agreement with people (quadratic-weighted kappa): calm .62." in text
    labelled = evaluation_of().tuned.model_copy(update={"labels": 50, "n": 60, "cut": 0.25})
    text = model_card(write_spec(tmp_path), run_of(tmp_path), evaluation_of(tuned=labelled))
    assert "Scored by people: 50 of 60 tuned replies; gpt-5-mini (agreement .62)" in text
    assert "| cut at 512 tokens (share) | not measured | 0.25 |" in text


def test_limits_name_the_pocket_base_and_the_categories(tmp_path: Path) -> None:
    text = card(tmp_path)
    assert "not for deployment" in text and "probes: tuned 10.0 of 10 (base 5.0)" in text
    other = model_card(write_spec(tmp_path), run_of(tmp_path, "org/model-7b"), evaluation_of())
    assert "not for deployment" not in other


@pytest.mark.parametrize("base", ["pocket", "org/model-7b", 'it\'s \\ a "path"'])
@pytest.mark.parametrize("prompt", [None, 'Be "calm", it\'s ```over``` {now}.\nAlways.'])
def test_the_usage_snippet_is_python_and_names_the_base(tmp_path: Path, base: str, prompt: str | None) -> None:
    spec = SPEC + ("" if prompt is None else f"deployment: {{system_prompt: {ascii_yaml(prompt)}}}\n")
    text = card(tmp_path, base, spec)
    found = re.findall(r"^```python\n(.*?)\n```$", text, re.DOTALL | re.MULTILINE)
    assert len(found) == 1
    tree = ast.parse(found[0])
    compile(tree, "README.md", "exec")
    strings = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert base in strings
    assert prompt is None or prompt in strings


def test_the_lineage_leads_back_to_spec_data_and_run(tmp_path: Path) -> None:
    text = card(tmp_path)
    assert "s" * 64 in text and "d" * 64 in text and "`run-1`" in text and "`run-1-e1`" in text


def ascii_yaml(text: str) -> str:
    """A YAML double-quoted scalar."""
    import json

    return json.dumps(text)
