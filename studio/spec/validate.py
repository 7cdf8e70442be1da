"""From a tree of values to a typed model, with an expectation in plain words for everything that does not fit."""

from __future__ import annotations

import difflib
import types
from dataclasses import dataclass
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from studio.spec.problems import ProblemList
from studio.spec.yaml_tree import Key, Node, Path

Model = TypeVar("Model", bound=BaseModel)
_OF_KEY = "[key]"
"""With this pydantic ends the place of a key that does not fit."""


@dataclass(frozen=True)
class Expectation:
    """What a value of an annotated type looks like, for a person: ``Annotated[str, ..., Expectation("a name")]``."""

    text: str


def validate(root: Node, model: type[Model], problems: ProblemList, path: Path = ()) -> Model | None:
    """``root`` as ``model``; None, with the problems noted, where it does not fit. Nothing is coerced."""
    try:
        return model.model_validate(root.plain(), strict=True)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
                continue  # it is long enough; its entries are blamed one by one
            _note(detail, root, model, problems, path)
        return None


def _note(detail: ErrorDetails, root: Node, model: type[BaseModel], problems: ProblemList, prefix: Path) -> None:
    path: Path = detail["loc"]
    of_key = path[-1:] == (_OF_KEY,) and root.at(*path) is None  # a key may have that very name
    path = path[:-1] if of_key else path
    problems.add(root.line_of(path), (*prefix, *path), _message(detail, path, model, of_key))


def _message(detail: ErrorDetails, path: Path, model: type[BaseModel], of_key: bool) -> str:
    kind, found = detail["type"], detail["input"]
    if kind in ("extra_forbidden", "invalid_key"):
        return _unknown_key(path, model)
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if of_key:
        holder = _annotation(path[:-1], model)
        return f"expected {_expectation(get_args(_bare(holder))[0])} as key, found {found!r}"
    if kind in ("too_short", "too_long"):
        limit = (
            f"at least {detail['ctx']['min_length']}"
            if kind == "too_short"
            else f"at most {detail['ctx']['max_length']}"
        )
        return f"expected {limit} entries, found {len(found)}"
    annotation = _annotation(path, model)
    wanted = _expectation(annotation)
    if kind == "missing":
        return f"missing; expected {wanted}"
    quote = "; put it in quotes" if _bare(annotation) is str and isinstance(found, bool | int | float) else ""
    return f"expected {wanted}, found {_found(found)}{quote}"


def _unknown_key(path: Path, model: type[BaseModel]) -> str:
    holder = _bare(_annotation(path[:-1], model))
    known = _keys(holder) if isinstance(holder, type) and issubclass(holder, BaseModel) else []
    close = difflib.get_close_matches(str(path[-1]).lower(), known, n=1, cutoff=0.6)
    hint = f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}"
    return f"unknown key; {hint}"


def _keys(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _annotation(path: Path, model: type[BaseModel]) -> Any:
    """The type that stands at ``path`` of ``model``."""
    here: Any = model
    for key in path:
        here = _step(_bare(here), key)
    return here


def _step(here: Any, key: Key) -> Any:
    if isinstance(here, type) and issubclass(here, BaseModel):
        for name, info in here.model_fields.items():
            if key in (info.alias or name, name):
                return Annotated[info.annotation, info] if info.metadata else info.annotation
        return Any
    arguments = get_args(here)
    if get_origin(here) is dict:
        return arguments[1]
    return arguments[0] if arguments else Any


def _bare(annotation: Any) -> Any:
    """Without ``Annotated`` and ``| None``."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _bare(next(part for part in get_args(annotation) if part is not type(None)))
    return annotation


def _metadata(annotation: Any) -> list[Any]:
    found: list[Any] = []
    if get_origin(annotation) is Annotated:
        inner, *marks = get_args(annotation)
        found += _metadata(inner)
        for mark in marks:
            found += mark.metadata if isinstance(mark, FieldInfo) else [mark]
    if get_origin(annotation) in (Union, types.UnionType):
        for part in get_args(annotation):
            found += _metadata(part)
    return found


def _optional(annotation: Any) -> bool:
    """Whether null is a value of its own."""
    if get_origin(annotation) is Annotated:
        return _optional(get_args(annotation)[0])
    return get_origin(annotation) in (Union, types.UnionType) and type(None) in get_args(annotation)


def _expectation(annotation: Any) -> str:
    """What a value of this type looks like, for a person."""
    return _form(annotation) + (", or null" if _optional(annotation) else "")


def _form(annotation: Any) -> str:
    bare, marks = _bare(annotation), _metadata(annotation)
    if told := next((mark.text for mark in marks if isinstance(mark, Expectation)), ""):
        return told
    origin = get_origin(bare)
    if origin is Literal:
        choices = [str(value) for value in get_args(bare)]
        return choices[0] if len(choices) == 1 else "one of " + ", ".join(choices)
    if origin is tuple:
        return "a list of " + _plural(get_args(bare)[0])
    if origin is dict:
        return "a mapping of " + _plural(get_args(bare)[1])
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return "a mapping with " + ", ".join(_keys(bare))
    if bare is bool:
        return "true or false"
    if bare in (int, float):
        return ("a whole number" if bare is int else "a number") + _range(marks)
    return "text"


def _plural(annotation: Any) -> str:
    bare = _bare(annotation)
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return "mappings with " + ", ".join(_keys(bare))
    return "lists" if get_origin(bare) is tuple else "text"


def _range(marks: list[Any]) -> str:
    low = next((f"from {mark.ge}" for mark in marks if isinstance(mark, Ge)), "")
    low = next((f"above {mark.gt}" for mark in marks if isinstance(mark, Gt)), low)
    high = next((f"to {mark.le}" for mark in marks if isinstance(mark, Le)), "")
    high = next((f"below {mark.lt}" for mark in marks if isinstance(mark, Lt)), high)
    return "".join(f" {part}" for part in (low, high) if part)


def _found(value: object) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, str):
        shown = value if len(value) <= 40 else value[:39] + "…"
        return f"the text {shown!r}" if value.strip() else "empty text"
    return "a list" if isinstance(value, tuple) else "a mapping"
