"""The answer: a strict schema made of a recipe's fields, and the text that its values come to.

Limits and checks are part of the schema's validation: what exceeds them is asked for again, a bounded number of times,
with what was wrong.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, cast

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, create_model, model_validator

from studio.generate.recipes.recipe import AnswerField, Part, Recipe
from studio.text.inert import unfit

_NAME = re.compile(r"[^\W\d_][\w'’-]{2,}")  # noqa: RUF001
_WORD = re.compile(r"[\w'’-]+")  # noqa: RUF001
PLACE = re.compile(r"\{(\w+)\}")
_FEW_NAMES = 3
"""A world with fewer names than these is one whose script has no capitals, or no names: nothing is counted."""


class Answer(BaseModel):
    """What a model made for one person."""

    model_config = ConfigDict(extra="forbid")


def answer_schema(recipe: Recipe, world: str = "") -> type[Answer]:
    """The strict schema of a recipe's answers; of a ``world`` it asks for names, as the checks say."""
    names = world_names(world)

    def checked(value: Answer) -> Answer:
        if wrong := _wrong(recipe, value.model_dump(), names):
            raise ValueError(wrong)
        return value

    whole: Any = {"__validators__": {"checked": model_validator(mode="after")(checked)}, "__base__": Answer}
    fields: dict[str, Any] = {
        name: (_type(name, field), Field(description=_told(field))) for name, field in recipe.answer.items()
    }
    title = "".join(part.title() for part in recipe.name.split("-"))
    return cast("type[Answer]", create_model(title, __doc__=recipe.description, **whole, **fields))


def _type(name: str, field: AnswerField) -> Any:
    one: Any = Annotated[str, AfterValidator(_limited(field))]
    if field.fields:
        inner: dict[str, Any] = {
            key: (Annotated[str, AfterValidator(_limited(part))], Field(description=_told(part)))
            for key, part in field.fields.items()
        }
        one = create_model(name.title(), __base__=Answer, **inner)
    return Annotated[list[one], AfterValidator(_not_empty)] if field.many else one


def _told(part: Part) -> str:
    least = f"at least {part.least} and " if part.least > 1 else ""
    return f"{part.what} ({least}at most {part.most} characters)"


def _limited(part: Part) -> Callable[[str], str]:
    def check(text: str) -> str:
        text = text.strip()
        if not part.least <= len(text) <= part.most:
            raise ValueError(f"{len(text)} characters, expected {part.least} to {part.most}")
        if bad := unfit(text):
            raise ValueError(f"the control character {bad} has no place in it")
        return text

    return check


def _not_empty(values: list[Any]) -> list[Any]:
    if not values:
        raise ValueError("expected at least one")
    return values


def _wrong(recipe: Recipe, values: Mapping[str, Any], names: frozenset[str]) -> str:
    """What the checks have against an answer; empty where they have nothing."""
    checks, text = recipe.checks, text_of(recipe, values)
    if said := next((one for one in checks.without if one.casefold() in text.casefold()), ""):
        return f"{said!r} is not to be in it"
    if checks.code is not None:
        parameters = [one["name"] for one in values[checks.code.parameters]]
        return _code_wrong(values[checks.code.field], values[checks.code.function], parameters)
    if checks.world_names and len(names) >= _FEW_NAMES:
        used = names & {word.removesuffix("'s").removesuffix("’s") for word in _WORD.findall(text)}  # noqa: RUF001
        if len(used) < checks.world_names:
            return f"expected at least {checks.world_names} names of the world in it, found {len(used)}"
    return ""


def _code_wrong(code: str, function: str, parameters: list[str]) -> str:
    """Code is read, never run."""
    try:
        module = ast.parse(code)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"the code is no Python: {getattr(error, 'msg', '') or type(error).__name__}"
    defined = {one.name: one for one in module.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)}
    if function not in defined:
        return f"expected the code to define {function} at its top level"
    arguments = defined[function].args
    found = [one.arg for one in (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)]
    if set(found) != set(parameters):
        return f"{function} takes {', '.join(found) or 'nothing'}; the interface says {', '.join(parameters)}"
    return ""


def world_names(world: str) -> frozenset[str]:
    """Words that a description of a world writes with a capital and never without."""
    small = {word for word in _WORD.findall(world) if word[:1].islower()}
    found = {name.removesuffix("'s").removesuffix("’s") for name in _NAME.findall(world) if name[0].isupper()}  # noqa: RUF001
    return frozenset(name for name in found if name.lower() not in small)


def text_of(recipe: Recipe, values: Mapping[str, Any]) -> str:
    """The text of what was made: the recipe's text fields, one after the other."""
    return "\n\n".join(shown(values[name]) for name in recipe.text)


def shown(value: Any) -> str:
    """A value of an answer as text: lists as lines, objects as ``name (type): what``."""
    if isinstance(value, list | tuple):
        return "\n".join(f"- {shown(one)}" for one in value)
    if isinstance(value, Mapping):
        return "; ".join(f"{key}: {one}" for key, one in value.items())
    return str(value)


def filled(template: str, values: Mapping[str, Any]) -> str:
    """A template with its fields in their places. What a field says is never read as a template."""
    return PLACE.sub(lambda found: shown(values[found[1]]) if found[1] in values else found[0], template)
