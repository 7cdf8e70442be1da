"""``studio bank effect`` over HTTP: what a shell sees of an author that heeds the person, or does not."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random
from typing import Any
from xml.etree import ElementTree

from tests.cli.making import Studio, one_line
from tests.cli.test_bank_model import serving
from tests.llm.fake_server import FakeServer

WORDS = "boat mast rope tide quay buoy keel sail net crew hull gale port fog reef oar".split()


def author(pattern: str) -> Any:
    """Writes what ``pattern`` finds of the person, and words by the seed."""

    def act(body: dict[str, Any]) -> dict[str, Any]:
        told = body["messages"][1]["content"]
        heeded = re.search(pattern, told)
        said = " ".join([heeded[0] if heeded else "", *Random(f"{body['seed']} {told}").sample(WORDS, 6)])
        return {"messages": [{"role": "user", "content": said}, {"role": "assistant", "content": "Over."}]}

    return act


def at(studio: Studio, url: str) -> list[object]:
    return [studio.spec, "--workspace", studio.root, "--endpoint", url, "--model", "fake"]


def test_a_sample_is_asked_for_told_drawn_and_not_paid_for_again(studio: Studio, tmp_path: Path) -> None:
    studio.spec.write_text(studio.spec.read_text() + "users: {bank: default}\n")
    picture, server = tmp_path / "effect.svg", FakeServer(author("Writes like this: .*"))
    with serving(server) as url:
        told = studio("bank", "effect", *at(studio, url), "--ask", "165", "--svg", picture)
        assert told.status == 0, told.err
        asked = len(server.requests)
        assert 120 < asked <= 165 and f"{asked} of {asked} turns" in told.err
        assert "fields act: chatting_style (persona collapse" in told.out and "background" in told.out
        again = studio("bank", "effect", *at(studio, url), "--ask", "165", "--json")
        assert len(server.requests) == asked
    found = again.json
    assert found["complete"] and found["acting"] == ["chatting_style"] and found["scenarios"] == 5
    assert found["person"]["acts"] and {one["name"] for one in found["person"]["measures"]} > {"meaning", "typing"}
    assert ElementTree.fromstring(picture.read_text()).tag.endswith("svg")


def test_an_author_that_ignores_the_person_is_told_so(studio: Studio) -> None:
    studio.spec.write_text(studio.spec.read_text() + "users: {bank: default}\n")
    with serving(FakeServer(author("nothing of the kind"))) as url:
        told = studio("bank", "effect", *at(studio, url), "--ask", "132", "--json")
    assert told.status == 0, told.err
    assert not told.json["person"]["acts"] and told.json["acting"] == []
    assert "whoever asks, it reads alike" in told.json["told"]


def test_without_a_model_or_examples_it_says_what_it_needs(studio: Studio) -> None:
    where = [studio.spec, "--workspace", studio.root]
    told = studio("bank", "effect", *where)
    assert one_line(told) and "two people who asked twice" in told.err and "--ask" in told.err
    told = studio("bank", "effect", *where, "--ask", "132")
    assert one_line(told) and "needs a model to ask" in told.err
    told = studio("bank", "effect", *where, "--ask", "5")
    assert told.status == 2 and "Traceback" not in told.err
