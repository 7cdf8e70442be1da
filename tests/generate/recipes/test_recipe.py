"""Recipes as files: the built-in ones are sound, their demonstrations true, and a mistake is told with its place."""

from __future__ import annotations

import ast
import json
import random
from fractions import Fraction
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import pytest

from studio.bank.person import Person
from studio.errors import UserError
from studio.generate.recipes import BUILT_IN, Recipe, load_recipe, recipe_text
from studio.generate.recipes.answer import answer_schema, text_of, world_names
from studio.generate.recipes.prompt import in_order, passages, recipe_request
from tests.bank.making import person
from tests.generate.recipes.serving import WORLD

OWN = """format: 1
name: haiku
what: A haiku that somebody would write
description: haiku
prompt:
  system: You write haiku.
  task: Write the haiku of the person below.
answer:
  haiku:
    what: Three lines
    least: 10
    most: 120
text: [haiku]
demonstrations:
  - answer: {haiku: old pond / frog jumps in / water}
  - persona: A night porter
    answer: {haiku: keys on their hooks / nobody is out tonight}
  - answer: {haiku: "tram four, empty seats / my own face in the window"}
"""


def prompt(recipe: Recipe, shots: Any, one: Person, **more: Any) -> str:
    personas = [d.persona or "A person inferred" for d in recipe.demonstrations]
    request = recipe_request(recipe, shots, one, id=one.id, personas=personas, **more)
    return request.messages[1].content


@pytest.mark.parametrize("name", BUILT_IN)
def test_each_built_in_recipe_has_demonstrations_with_and_without_a_persona(name: str) -> None:
    recipe = load_recipe(name)
    assert recipe.name == name and 3 <= len(recipe.demonstrations) <= 6
    without = [one for one in recipe.demonstrations if one.persona is None]
    assert 0 < len(without) < len(recipe.demonstrations), "inferring is real, and so is what it is measured by"


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_three_ways_differ_in_their_demonstrations_alone(name: str) -> None:
    recipe, one = load_recipe(name), person(7)
    world = WORLD if recipe.world else ""
    zero, few, whole = (prompt(recipe, shots, one, world=world) for shots in ("zero", "few", "persona"))
    assert "<example" not in zero and few.count("<example-") == whole.count("<example-") == 3
    assert "The person: " not in few and whole.count("The person: ") == 3
    for text in (zero, few, whole):
        assert one.background in text and recipe.prompt.task.strip() in text and text.endswith("JSON object alone.")
    assert zero in (few[-len(zero) :], whole[-len(zero) :]) or zero.split("The person:")[1] in whole


def test_demonstrations_are_others_for_other_people_and_the_same_for_the_same() -> None:
    recipe = load_recipe("math")
    texts = {prompt(recipe, "few", person(n)).split("The person:")[0] for n in range(12)}
    assert len(texts) > 3
    assert prompt(recipe, "few", person(3)) == prompt(recipe, "few", person(3))
    assert "number 2 for this person" in prompt(recipe, "few", person(3), number=2)


def test_everybody_comes_once_before_anybody_comes_twice_and_newcomers_move_nobody() -> None:
    people = [person(n) for n in range(6)]
    order = in_order(people, 5)
    first, second = ([next(order) for _ in people] for _ in range(2))
    assert {one.id for one, _ in first} == {one.id for one in people} and {n for _, n in first} == {1}
    assert [one.id for one, _ in second] == [one.id for one, _ in first] and {n for _, n in second} == {2}
    more = in_order([*people, person(99)], 5)
    longer = [one.id for one, _ in (next(more) for _ in range(7)) if one.id != "p99"]
    assert longer == [one.id for one, _ in first]
    assert list(in_order([], 1)) == []


def test_the_long_description_of_a_world_is_shown_in_part_its_beginning_always() -> None:
    world = "\n\n".join(f"Paragraph {n}: " + "mud " * 200 for n in range(60))
    shown = passages(world, random.Random(1))
    assert len(shown) <= 12_000 and shown.startswith("Paragraph 0:") and shown != passages(world, random.Random(2))
    assert passages(WORLD, random.Random(1)).split() == WORLD.split()


# What the demonstrations claim, worked out again.


def test_the_demonstrated_problems_have_one_answer() -> None:
    jackets = [n for n in range(300, 501) if n % 5 == 3 and n % 7 == 4 and (n - 9) % 12 == 0]
    assert jackets == [333]
    ahead = [0]
    for hour in range(12, 12 + 24 * 30):
        ahead.append(ahead[-1] + (-40 if 10 <= hour % 24 < 18 else 25))
    assert ahead.index(240) == 46 and max(ahead[:46]) < 240
    block, cut = Fraction(30 * 40 * 24, 10), Fraction(0)
    for thick in (8, 6, 5):
        length = block / (30 * Fraction(thick, 10))
        cut += max(length - 90, Fraction(0)) * 30 * Fraction(thick, 10)
        block -= max(length - 90, Fraction(0)) * 30 * Fraction(thick, 10)
    assert cut == 1530
    team = [(True, False)] * 3 + [(False, True)] * 2 + [(True, True)] * 2 + [(False, False)] * 5
    teams = list(combinations(team, 3))
    good = sum(any(d for d, _ in one) and any(s for _, s in one) for one in teams)
    assert Fraction(good, len(teams)) == Fraction(139, 220)
    start = [u for u in range(49) if _after(u, 48 - u) == (Fraction(29), Fraction(19))]
    assert start == [36]


def _after(upper: int, lower: int) -> tuple[Fraction, Fraction]:
    up, low = Fraction(upper), Fraction(lower)
    for _ in range(2):
        up, low = up - up / 3 + low / 2, low - low / 2 + up / 3
    return up, low


def test_the_demonstrated_logic_problems_have_one_answer() -> None:
    nights = [
        dict(zip("ABCD", order, strict=True))
        for order in permutations(range(4))
        if order[2] > order[0] and abs(order[1] - order[3]) != 1 and order[3] == order[0] + 1 and order[1] != 3
    ]
    assert [{v: k for k, v in one.items()}[2] for one in nights] == ["D"]
    liars = []
    for culprit in "RTU":
        rosa, teun = culprit in "RT", culprit != "R"
        uli = culprit != "U" and not teun
        liars += [culprit] if rosa + teun + uli == 1 else []
    assert liars == ["U"]
    cases = [
        order
        for order in permutations(("lights", "curtains", "puppets", "tools", "costumes"))
        if order.index("curtains") == order.index("lights") + 1 and order[4] == "puppets"
        if 0 < order.index("tools") < order.index("lights")
    ]
    assert [order[2] for order in cases] == ["lights"]


def test_the_demonstrated_tools_return_what_their_examples_say() -> None:
    for one in load_recipe("tool").demonstrations:
        names: dict[str, Any] = {}
        exec(one.answer["code"], names)  # ours, of the package
        call, returned = one.answer["example"].strip().splitlines()
        assert eval(call, names) == ast.literal_eval(returned), one.answer["name"]


# A recipe of one's own.


def test_a_recipe_of_ones_own_has_the_schema_of_the_built_in_ones(tmp_path: Path) -> None:
    path = tmp_path / "haiku.yaml"
    path.write_text(OWN)
    recipe = load_recipe(str(path))
    assert recipe.name == "haiku" and recipe.prompt.infer
    value = answer_schema(recipe).model_validate({"haiku": "  a heron waits / the lock opens  "})
    assert text_of(recipe, value.model_dump()) == "a heron waits / the lock opens"
    copy = tmp_path / "math.yaml"
    copy.write_text(recipe_text("math").replace("name: math", "name: my-math"))
    assert load_recipe(str(copy)).demonstrations == load_recipe("math").demonstrations


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("text: [haiku]", "text: [poem]", r":13: text.0: expected a field of the answer, one of haiku; found 'poem'"),
        ("    least: 10", "    least: 500", r":11: answer.haiku.least: expected at most 120"),
        ("  task: Write", "  tusk: Write", r": prompt.task: missing; expected text"),
        ("name: haiku", "name: Haiku!", r":2: name: expected a name of a-z"),
        ("name: haiku", "name: math", r":2: name: math is built in"),
        ("{haiku: old pond / frog jumps in / water}", "{haiku: frog}", r":15: demonstrations.0.answer.haiku: 4 char"),
        ("{haiku: old pond / frog jumps in / water}", "{verse: frog}", r":15: demonstrations.0.answer.haiku: missing"),
        ("format: 1", "format: 9", r":1: format: expected 1, found the number 9"),
        ("  haiku:\n    what", "  copy:\n    what", r":9: answer.copy: this name is taken"),
        ("text: [haiku]", "text: [haiku]\nmessages: {user: '{persona}', assistant: x}",
         r": messages.user: expected one of haiku"),
        ("text: [haiku]", "text: [haiku]\nsolve: {of: riddle, system: x}", r": solve.of: expected a field"),
        ("text: [haiku]", "text: [haiku]\nchecks: {world_names: 2}", r": checks.world_names: expected world: true"),
        ("text: [haiku]", "text: [haiku", r"not valid YAML"),
        ("demonstrations:", "examples:", r"missing; expected a list"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_with_file_line_key_and_remedy(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "own.yaml"
    assert old in OWN
    path.write_text(OWN.replace(old, new, 1))
    with pytest.raises(UserError, match=said) as caught:
        load_recipe(str(path))
    assert str(caught.value).startswith(f"{path}:") and "studio recipes show math --file" in caught.value.remedy


def test_what_is_no_recipe_is_refused_in_a_line(tmp_path: Path) -> None:
    for name, said in (
        ("maths", "no such recipe"),
        (str(tmp_path / "gone.yaml"), "no such file"),
        ("x/y", "no such file"),
    ):
        with pytest.raises(UserError, match=said):
            load_recipe(name)
    (tmp_path / "list.yaml").write_text("- 1\n")
    with pytest.raises(UserError, match="expected a recipe"):
        load_recipe(str(tmp_path / "list.yaml"))


# What code checks in an answer.


def tool(**changes: Any) -> dict[str, Any]:
    shown: dict[str, Any] = json.loads(json.dumps(load_recipe("tool").demonstrations[2].answer))
    return shown | changes


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"code": "def list_singable_pieces(missing) return 1" + " # x" * 30}, "the code is no Python"),
        ({"name": "list_pieces"}, "expected the code to define list_pieces"),
        ({"parameters": [{"name": "absent", "type": "array", "what": "Names", "required": "yes"}]},
         "takes missing; the interface says absent"),
        ({"parameters": []}, "expected at least one"),
        ({"returns": "As an AI I cannot"}, "'as an ai' is not to be in it"),
        ({"returns": "\x1b[2J"}, "control character U\\+001B"),
        ({"description": "x"}, "1 characters, expected 30 to 700"),
    ],
)  # fmt: skip
def test_a_tool_whose_code_and_interface_differ_is_asked_for_again(changes: dict[str, Any], said: str) -> None:
    schema = answer_schema(load_recipe("tool"))
    schema.model_validate(tool())
    with pytest.raises(ValueError, match=said):
        schema.model_validate(tool(**changes))


def test_a_character_has_to_know_its_world() -> None:
    assert {"Drowned", "March", "Kethrin", "Oum", "Lamp", "Wardens"} <= world_names(WORLD)
    recipe = load_recipe("npc")
    schema, answer = answer_schema(recipe, WORLD), json.loads(json.dumps(recipe.demonstrations[0].answer))
    with pytest.raises(ValueError, match="at least 2 names of the world in it, found 1"):
        schema.model_validate(answer)
    schema.model_validate(answer | {"role": "keeper of the ledger in Kethrin, below Oum's tower"})
    answer_schema(recipe, "所有的人都住在海边。").model_validate(answer)
