"""Loading a recipe: one that is built in, or a YAML file of the user's own, with all that is wrong in it."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from studio.errors import UserError
from studio.generate.recipes.answer import PLACE, Answer, answer_schema
from studio.generate.recipes.recipe import SOLVED, Part, Recipe
from studio.spec import Problem, SpecError
from studio.spec.load import UnreadableError, read_text
from studio.spec.problems import Key, ProblemList, validate
from studio.spec.yaml_tree import parse

BUILT_IN = ("math", "logic", "logic-trick", "instruction", "knowledge", "npc", "tool")
Wrong = tuple[tuple[Key, ...], str]
"""A place in the file, and what is wrong there."""
_SAID = {
    "missing": "missing; expected as the answer has it",
    "extra_forbidden": "unknown; the answer has no such field",
}
REMEDY = "a whole one: studio recipes show math --file"


def load_recipe(name: str) -> Recipe:
    """The built-in recipe of that name, or the one in the file of that path.

    Raises :class:`studio.errors.UserError` with the file, line and key of what is wrong in it.
    """
    if name in BUILT_IN:
        return built_in(name)
    if "/" not in name and not name.endswith((".yaml", ".yml")):
        remedy = f"one of {', '.join(BUILT_IN)}, or a YAML file of your own; {REMEDY}"
        raise UserError(f"no such recipe: {name}", remedy=remedy)
    try:
        text = read_text(Path(name))
    except UnreadableError as error:
        raise UserError(str(error), where=f"{name}:{error.line}", remedy=REMEDY) from None
    recipe, problems = check_recipe(text, name)
    if recipe is None:
        told = SpecError(problems)
        raise UserError(told.message, where=told.where, remedy=REMEDY)
    return recipe


def recipe_text(name: str) -> str:
    """The YAML of a built-in recipe."""
    return (files("studio.generate.recipes") / f"{name}.yaml").read_text(encoding="utf-8")


@cache
def built_in(name: str) -> Recipe:
    recipe, problems = check_recipe(recipe_text(name), f"{name}.yaml", ours=True)
    if recipe is None:
        raise SpecError(problems)
    return recipe


def check_recipe(text: str, file: str, *, ours: bool = False) -> tuple[Recipe | None, tuple[Problem, ...]]:
    """The recipe in ``text`` and no problems, or None and all of them."""
    problems = ProblemList(file)
    root = parse(text, problems)
    if root is None or not isinstance(root.value, dict):
        problems.add(1, (), "expected a recipe: a mapping that begins with format: 1 and name:")
        return None, problems.sorted()
    recipe = validate(root, Recipe, problems)
    if recipe is not None:
        for path, message in _wrong(recipe, ours):
            problems.add(root.line_of(path), path, message)
    return (None, problems.sorted()) if problems or recipe is None else (recipe, ())


def _wrong(recipe: Recipe, ours: bool) -> list[Wrong]:
    """What does not fit together. Demonstrations are tried where all else fits."""
    found: list[Wrong] = []
    if recipe.name in BUILT_IN and not ours:
        found.append((("name",), f"{recipe.name} is built in; expected a name of its own"))
    if recipe.checks.world_names and not recipe.world:
        found.append((("checks", "world_names"), "expected world: true where names of the world are counted"))
    for name, one in recipe.answer.items():
        found += _part_wrong(("answer", name), one)
        for inner, part in one.fields.items():
            found += _part_wrong(("answer", name, "fields", inner), part)
    found += _names_wrong(recipe)
    return found or _demonstrations_wrong(recipe)


def _part_wrong(key: tuple[Key, ...], part: Part) -> list[Wrong]:
    if hasattr(Answer, str(key[-1])):
        return [(key, "this name is taken; expected another one")]
    if part.least > part.most:
        return [((*key, "least"), f"expected at most {part.most}, which is the most")]
    return []


def _names_wrong(recipe: Recipe) -> list[Wrong]:
    """Fields that are named and are not there, or cannot be what they are named for."""
    known = ", ".join(recipe.answer)
    texts: list[tuple[tuple[Key, ...], str]] = []
    if recipe.solve is not None:
        texts.append((("solve", "of"), recipe.solve.of))
    code = recipe.checks.code
    if code is not None:
        texts += [(("checks", "code", "field"), code.field), (("checks", "code", "function"), code.function)]
    found: list[Wrong] = []
    for key, name in [*((("text", place), name) for place, name in enumerate(recipe.text)), *texts]:
        if name not in recipe.answer:
            found.append((key, f"expected a field of the answer, one of {known}; found {name!r}"))
    for key, name in texts:
        if name in recipe.answer and (recipe.answer[name].many or recipe.answer[name].fields):
            found.append((key, f"expected a field that is one text, found {name!r}"))
    if code is not None:
        holder = recipe.answer.get(code.parameters)
        if holder is None or not holder.many or "name" not in holder.fields:
            key = ("checks", "code", "parameters")
            found.append((key, "expected a field with many: true and fields, one of them name"))
    places = [*recipe.answer, *(SOLVED if recipe.solve else ())]
    for side, template in recipe.messages.model_dump().items() if recipe.messages else ():
        for name in PLACE.findall(template):
            if name not in places:
                found.append((("messages", side), f"expected one of {', '.join(places)} in braces, found {{{name}}}"))
    return found


def _demonstrations_wrong(recipe: Recipe) -> list[Wrong]:
    schema, found = answer_schema(recipe), []
    for place, one in enumerate(recipe.demonstrations):
        try:
            schema.model_validate(_listed(one.answer), strict=True)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                said = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"]
                said = _SAID.get(detail["type"], said)
                key: tuple[Key, ...] = ("demonstrations", place, "answer", *detail["loc"])
                found.append((key, said))
    return found


def _listed(value: Any) -> Any:
    """Lists where the tree has tuples."""
    if isinstance(value, dict):
        return {key: _listed(one) for key, one in value.items()}
    return [_listed(one) for one in value] if isinstance(value, tuple) else value
