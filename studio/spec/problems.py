"""What is wrong with a spec file, place by place, and what was expected there in plain words."""

from __future__ import annotations

import difflib
import types
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

from studio.chatml import Frozen
from studio.errors import UserError
from studio.text.inert import inert_line

if TYPE_CHECKING:
    from studio.spec.yaml_tree import Node

Key = str | int
Path = tuple[Key, ...]
Model = TypeVar("Model", bound=BaseModel)
_OF_KEY = "[key]"
"""With this pydantic ends the place of a key that does not fit."""
_LIMITS = ((Ge, "ge", "from"), (Gt, "gt", "above"), (Le, "le", "to"), (Lt, "lt", "below"))


class Problem(Frozen):
    """One mistake: the file, the line (1-based), the dotted key (``traits.0.name``) and what was expected."""

    file: str
    line: int
    key: str
    message: str

    @property
    def where(self) -> str:
        return f"{self.file}:{self.line}" + (f": {self.key}" if self.key else "")

    def __str__(self) -> str:
        return inert_line(f"{self.where}: {self.message}")


class SpecError(UserError):
    """A spec that cannot be used. ``problems`` holds all that is wrong, in the order of the file; never empty."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        first, more = self.problems[0], len(self.problems) - 1
        message = inert_line(first.message) + (f" (and {more} more)" if more else "")
        super().__init__(message, where=inert_line(first.where))


class ProblemList:
    """Gathers the problems of one file; a place that is already blamed is not blamed again, and a file of nothing
    but mistakes is not listed to its end."""

    LIMIT = 200

    def __init__(self, file: FilePath | str) -> None:
        self.file = str(file)
        self._found: dict[str, Problem] = {}

    def add(self, line: int, path: Path, message: str) -> None:
        key = ".".join(str(part) for part in path)
        if key not in self._found and len(self._found) < self.LIMIT:
            self._found[key] = Problem(file=self.file, line=max(line, 1), key=key, message=message)

    def sorted(self) -> tuple[Problem, ...]:
        return tuple(sorted(self._found.values(), key=lambda problem: problem.line))

    def __bool__(self) -> bool:
        return bool(self._found)


@dataclass(frozen=True)
class Expectation:
    """What a value of an annotated type looks like, for a person: ``Annotated[str, ..., Expectation("a name")]``."""

    text: str


def validate(root: Node, model: type[Model], problems: ProblemList, prefix: Path = ()) -> Model | None:
    """``root`` as ``model``; None, with the problems noted, where it does not fit. Nothing is coerced."""
    try:
        return model.model_validate(root.plain(), strict=True)
    except ValidationError as error:
        for detail in error.errors(include_url=False):
            if detail["type"] == "too_short" and len(detail["input"]) >= detail["ctx"]["min_length"]:
                continue  # it is long enough; its entries are blamed one by one
            path: Path = detail["loc"]
            of_key = path[-1:] == (_OF_KEY,) and root.at(*path) is None  # a key may have that very name
            path = path[:-1] if of_key else path
            problems.add(root.line_of(path), (*prefix, *path), _message(detail, path, model, of_key))
        return None


def _message(detail: ErrorDetails, path: Path, model: type[BaseModel], of_key: bool) -> str:
    kind, found = detail["type"], detail["input"]
    if kind in ("extra_forbidden", "invalid_key"):
        holder = _unwrapped(_annotation(path[:-1], model))[0]
        known = _keys(holder) if isinstance(holder, type) and issubclass(holder, BaseModel) else []
        close = difflib.get_close_matches(str(path[-1]).lower(), known, n=1, cutoff=0.6)
        return "unknown key; " + (f"did you mean {close[0]}?" if close else f"expected one of {', '.join(known)}")
    if kind == "value_error":
        return str(detail["ctx"]["error"])
    if of_key:
        holder = _unwrapped(_annotation(path[:-1], model))[0]
        return f"expected {_expectation(get_args(holder)[0])} as key, found {found!r}"
    if kind == "too_short":
        return f"expected at least {detail['ctx']['min_length']} entries, found {len(found)}"
    if kind == "too_long":
        return f"expected at most {detail['ctx']['max_length']} entries, found {len(found)}"
    annotation = _annotation(path, model)
    wanted = _expectation(annotation)
    if kind == "missing":
        return f"missing; expected {wanted}"
    is_text = _unwrapped(annotation)[0] is str
    quote = "; put it in quotes" if is_text and isinstance(found, bool | int | float) else ""
    return f"expected {wanted}, found {_found(found)}{quote}"


def _keys(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]


def _annotation(path: Path, model: type[BaseModel]) -> Any:
    """The type that stands at ``path`` of ``model``; Any where there is none."""
    here: Any = model
    for key in path:
        holder = _unwrapped(here)[0]
        if isinstance(holder, type) and issubclass(holder, BaseModel):
            fields = (info for name, info in holder.model_fields.items() if key in (info.alias or name, name))
            here = next((Annotated[one.annotation, one] if one.metadata else one.annotation for one in fields), Any)
        else:
            arguments = (*get_args(holder), Any)
            here = arguments[1] if get_origin(holder) is dict else arguments[0]
    return here


def _unwrapped(annotation: Any) -> tuple[Any, list[Any], bool]:
    """The type itself, what it was annotated with, innermost first, and whether null is a value of its own."""
    marks: list[Any] = []
    optional = False
    while True:
        if get_origin(annotation) is Annotated:
            annotation, *around = get_args(annotation)
            marks[:0] = (one for mark in around for one in (mark.metadata if isinstance(mark, FieldInfo) else [mark]))
        elif get_origin(annotation) in (Union, types.UnionType):
            optional = True
            annotation = next(part for part in get_args(annotation) if part is not type(None))
        else:
            return annotation, marks, optional


def _expectation(annotation: Any) -> str:
    """What a value of this type looks like, for a person."""
    bare, marks, optional = _unwrapped(annotation)
    told = next((mark.text for mark in marks if isinstance(mark, Expectation)), "") or _form(bare, marks)
    return told + (", or null" if optional else "")


def _form(bare: Any, marks: list[Any]) -> str:
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
        limits = (
            f" {word} {getattr(mark, name)}" for kind, name, word in _LIMITS for mark in marks if isinstance(mark, kind)
        )
        return ("a whole number" if bare is int else "a number") + "".join(limits)
    return "text"


def _plural(annotation: Any) -> str:
    bare = _unwrapped(annotation)[0]
    if isinstance(bare, type) and issubclass(bare, BaseModel):
        return "mappings with " + ", ".join(_keys(bare))
    return "lists" if get_origin(bare) is tuple else "text"


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
