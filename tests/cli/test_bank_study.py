"""``studio bank study`` over HTTP: what a shell sees."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.bank.studying import FIXED, background, is_free
from tests.cli.making import Studio, one_line
from tests.cli.test_bank_model import serving
from tests.llm.fake_server import FakeServer


@pytest.fixture
def composed(studio: Studio) -> Studio:
    assert studio("bank", "compose", studio.spec, "--workspace", studio.root, "-n", "60").status == 0
    return studio


def test_a_study_tells_by_bin_and_draws_its_boxes(composed: Studio, tmp_path: Path) -> None:
    studio, picture = composed, tmp_path / "study.svg"
    server = FakeServer(lambda body: f"How do I deal with {background(body)}" if is_free(body) else FIXED)
    with serving(server) as url:
        at = [studio.spec, "--workspace", studio.root, "--endpoint", url, "--model", "fake"]
        at += ["--pairs", "6", "--bin", "0.3", "--bin", "0.6"]
        told = studio("bank", "study", *at, "--plot", picture)
        assert told.status == 0, told.err
        asked = len(server.requests)
        again = studio("bank", "study", *at, "--json")
        assert again.status == 0 and len(server.requests) == asked
    assert max(len(line) for line in told.lines if not line.startswith("picture: ")) <= 80
    assert told.lines[0].startswith("pairs: 6 at 0.3 (of ") and "60 people compared" in told.lines[0]
    assert "free prompt, fake" in told.lines and "constrained prompt, fake" in told.lines
    assert sum(line.startswith(("~0.30", "~0.60")) for line in told.lines) == 8
    assert "all outputs are equally alike: changing the person changes nothing" in told.out
    assert [one.tag.rpartition("}")[2] for one in ElementTree.parse(picture).iter()].count("svg") == 1
    found = again.json["study"]
    assert again.json["run"]["calls"] == 0 and len(found["pairs"]) == 12 and len(found["spreads"]) == 8
    assert {one["task"]: one["rho"] is None for one in found["trends"]} == {"free": False, "constrained": True}


def test_a_prompt_of_ones_own_and_a_second_model(composed: Studio, tmp_path: Path) -> None:
    prompt = tmp_path / "letter.txt"
    prompt.write_text("Write one line as {person}.")
    at = [composed.spec, "--workspace", composed.root, "--pairs", "3", "--bin", "0.3"]
    with serving(FakeServer(background)) as url, serving(FakeServer(lambda body: FIXED, models=["second"])) as other:
        more = ["--endpoint", url, "--model", "fake", "--other-endpoint", other, "--other-model", "second"]
        told = composed("bank", "study", *at, *more, "--prompt", prompt, "--json")
        assert told.status == 0, told.err
        assert told.json["study"]["models"] == ["fake", "second"]
        assert told.json["study"]["tasks"] == {"letter": "Write one line as {person}."}
        told = composed("bank", "study", *at, *more[:4], "--prompt", tmp_path / "none.txt")
    assert one_line(told) and "the prompt cannot be read" in told.err


def test_without_people_or_a_model_it_says_what_to_do(studio: Studio) -> None:
    told = studio("bank", "study", studio.spec, "--workspace", studio.root)
    assert one_line(told) and "study: needs a model" in told.err
    with serving(FakeServer(lambda body: FIXED)) as url:
        told = studio("bank", "study", studio.spec, "--workspace", studio.root, "--endpoint", url, "--model", "fake")
    assert told.status == 2 and "nobody is in the bank" in told.err and "Traceback" not in told.err
