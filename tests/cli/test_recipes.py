"""``studio generate --recipe`` and ``studio recipes`` over HTTP: what a shell sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.generate.recipes import BUILT_IN, recipe_text
from studio.llm.settings import PATIENCE_VARIABLE
from tests.cli.making import Studio, one_line
from tests.cli.test_bank_model import serving
from tests.generate.recipes.serving import WORLD, answer
from tests.llm.fake_server import FakeServer


def test_a_recipe_is_followed_by_a_job_reviewed_and_exported(studio: Studio, tmp_path: Path) -> None:
    server = FakeServer(answer)
    spec, out = ["--spec", studio.spec, "--workspace", studio.root], tmp_path / "math.jsonl"
    with serving(server) as url:
        at = ["generate", studio.spec, "--workspace", studio.root, "--endpoint", url, "--model", "fake"]
        told = studio(*at, "--recipe", "math", "-n", "6", "--json")
        assert told.status == 0, told.err
        found = told.json
        assert (found["done"], found["task"], found["report"]["agreement"]["all"]) == (6, "math", 6)
        assert found["calls"] == len(server.requests) and "recipe    done: 6 of 6 math" in told.err
        more = studio(*at, "--recipe", "math", "-n", "7")
        assert more.status == 0 and more.out.startswith("1 new of 7 by math, 0 removed; 4 calls, no cost")
        assert "agreement  all 7, enough 0, none 0: 100% of 7" in more.out and "5 wait for review" in more.err
    assert "math         A hard maths problem" in studio("recipes").out
    listed = {one["name"]: one["made"] for one in studio("recipes", *spec, "--json").json}
    assert set(listed) == set(BUILT_IN) and listed["math"] == 7
    assert studio("recipes", "export", "math", out, *spec, "--messages").out.startswith("7 written")
    assert all(len(json.loads(line)["messages"]) == 2 for line in out.read_text().splitlines())
    assert one_line(studio("recipes", "export", "math", out, *spec))

    sample = tmp_path / "sample.jsonl"
    assert studio("recipes", "review", "math", *spec, "--export", sample).status == 0
    lines = [json.loads(line) | {"verdict": "valid"} for line in sample.read_text().splitlines()]
    sample.write_text("".join(json.dumps(one) + "\n" for one in lines))
    told = studio("recipes", "review", "math", *spec, "--import", sample)
    assert told.out == "math, persona: 100% valid (57% to 100%) of 5 reviewed, 5 wanted\n"
    assert studio("recipes", "report", *spec, "--json").json["runs"][0]["validity"]["valid"] == 5
    assert studio("triage", "list", *spec, "--json").json == [], "nothing of it is an example of the persona"


def test_own_recipes_and_worlds_are_files(studio: Studio, tmp_path: Path) -> None:
    own, world = tmp_path / "riddles.yaml", tmp_path / "march.md"
    own.write_text(recipe_text("logic-trick").replace("name: logic-trick", "name: riddles"))
    world.write_text(WORLD)
    spec = ["--spec", studio.spec, "--workspace", studio.root]
    with serving(FakeServer(answer)) as url:
        at = ["generate", studio.spec, "--workspace", studio.root, "--endpoint", url, "--model", "fake"]
        for recipe, more in ((own, ["--shots", "few"]), ("npc", ["--world", world, "--shots", "zero"])):
            told = studio(*at, "--recipe", recipe, "-n", "2", *more)
            assert told.status == 0, told.err
    assert studio("recipes", "report", own, *spec).out.startswith("riddles, few\n  made       2 for 2 people")
    assert "npc, zero, march.md" in studio("recipes", "report", *spec).out
    told = studio("recipes", "show", "npc", *spec, "--world", world)
    assert told.status == 0 and "Kethrin is the only town" in told.out and "once, to infer" in told.out
    own.write_text(own.read_text().replace("text: [problem]", "text: [riddle]"))
    told = studio("recipes", "show", own, *spec)
    assert one_line(told) and f"{own}:" in told.err and "text.0: expected a field" in told.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--recipe", "maths"], "no such recipe: maths"),
        (["--recipe", "npc"], "name it: --world FILE"),
        (["--recipe", "math"], "recipe: needs a model to ask"),
        (["--recipe", "math", "--preview"], "--preview is no option of recipes"),
        (["--recipe", "math", "--samples", "1"], "one solution agrees with nothing"),
        (["--count", "3"], "--count is an option of recipes"),
    ],
)
def test_what_cannot_be_followed_is_refused_in_a_line_and_starts_no_job(
    studio: Studio, arguments: list[str], said: str
) -> None:
    told = studio("generate", studio.spec, "--workspace", studio.root, *arguments)
    assert one_line(told) and said in told.err
    assert not list(studio.root.glob("*/jobs/*/job.json"))


def test_a_server_that_is_not_there_ends_in_one_line_and_the_same_command_goes_on(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PATIENCE_VARIABLE, "0.02")  # minutes
    at = ["generate", studio.spec, "--workspace", studio.root, "--recipe", "tool", "-n", "2", "--model", "fake"]
    told = studio(*at, "--endpoint", "http://127.0.0.1:9/v1")
    last = told.err.splitlines()[-1]
    assert told.status == 2 and told.out == "" and last.startswith("studio: ") and "127.0.0.1:9" in last
    with serving(FakeServer(answer)) as url:
        assert studio(*at, "--endpoint", url).status == 0


def test_a_recipe_s_file_is_printed_to_begin_one_s_own_and_nothing_made_is_told(studio: Studio) -> None:
    assert studio("recipes", "show", "math", "--file").out == recipe_text("math").rstrip() + "\n"
    spec = ["--spec", studio.spec, "--workspace", studio.root]
    for command in (["report"], ["review", "math"], ["export", "math", "x.jsonl"]):
        told = studio("recipes", *command, *spec)
        assert one_line(told) and "nothing was made by" in told.err
