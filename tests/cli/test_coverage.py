"""``studio coverage`` and ``studio improve``, without a model."""

from __future__ import annotations

from tests.cli.making import Studio


def test_scenarios_are_crossed_with_traits_people_and_lengths_and_drawn(studio: Studio) -> None:
    studio.fill("good1", "good2", "good3", "bad1")
    where = (studio.spec, "--workspace", studio.root)
    told = studio("coverage", *where)
    assert told.status == 0 and told.lines[0].split() == ["mean", "mark", "of", "2", "n", "calm"]
    assert told.lines[1] == "calls" and told.lines[2].split() == ["A", "boat", "calls", "3", "-"], "unscored"
    lengths = studio("coverage", *where, "--by", "length", "--json")
    assert lengths.json["columns"][0] == "to 150" and lengths.json["rows"][0]["cells"][0]["n"] == 3
    picture = studio.root / "map.svg"
    people = studio("coverage", *where, "--by", "person", "--svg", picture)
    assert people.status == 0 and "nobody" in people.out and picture.read_text().startswith("<svg")


def test_a_cell_is_named_whole_and_there(studio: Studio) -> None:
    where = (studio.spec, "--workspace", studio.root)
    assert "go together" in studio("coverage", *where, "--fill", "A boat calls").err
    assert "no such scenario" in studio("coverage", *where, "--fill", "None", "--column", "calm").err
    assert "no such column" in studio("coverage", *where, "--fill", "A boat calls", "--column", "x").err
    told = studio("coverage", *where, "--fill", "A boat calls", "--column", "calm", "-n", 2)
    assert told.status == 2 and "needs a model to ask" in told.err


def test_improving_needs_a_model_and_its_history_may_be_empty(studio: Studio) -> None:
    where = (studio.spec, "--workspace", studio.root)
    told = studio("improve", *where)
    assert told.status == 2 and "needs a model to ask" in told.err
    assert studio("improve", *where, "--history").out == "nothing was improved yet\n"
    assert studio("improve", *where, "--history", "--json").json == {"improvements": []}
