"""Rule checks of a reply: what an instruction asks for and code can tell, in the manner of IFEval (arXiv 2311.07911).

A code fence around the whole of an answer is taken off where form is asked for: it is how models hand over code.
"""

from __future__ import annotations

import ast
import json
import re
import warnings
from collections.abc import Callable
from typing import Any, Literal

from pydantic import Field

from studio.chatml import Frozen
from studio.spec import Text
from studio.text.normalize import folded

_FENCE = re.compile(r"```[\w+-]*[ \t]*\n(.*?)(?:\n```|\Z)", re.DOTALL)
_BULLET = re.compile(r"^\s*[-*\u2022]\s+\S", re.MULTILINE)
_NUMBERED = re.compile(r"^\s*\d+[.)]\s+\S", re.MULTILINE)
_NUMBER = re.compile(r"-?\d[\d,]*(?:\.\d+)?")
_RULE = re.compile(r"^[\s|:-]+$")
_AROUND = " \t\n\"'`\u201c\u201d\u2018\u2019."
"""What may stand around a copy: quotation marks and a full stop."""


class Checks(Frozen):
    """What has to hold of a reply; all of it. What is not given is not checked."""

    words_at_most: int | None = Field(default=None, ge=1)
    words_at_least: int | None = Field(default=None, ge=1)
    lines: int | None = Field(default=None, ge=1)
    """So many lines that are not blank."""
    bullets: int | None = Field(default=None, ge=1)
    numbered: int | None = Field(default=None, ge=1)
    table_columns: int | None = Field(default=None, ge=1)
    """A Markdown table with so many columns, and at least one row under its head."""
    case: Literal["upper", "lower"] | None = None
    without: tuple[Text, ...] = ()
    """Words that may not be there."""
    contains: tuple[Text, ...] = ()
    """Words or phrases that have to be there, in any case."""
    contains_any: tuple[Text, ...] = ()
    starts_with: Text | None = None
    ends_with: Text | None = None
    equals: Text | None = None
    """The whole reply, but for case, quotation marks around it and a full stop."""
    number: float | None = None
    """The last number of the reply."""
    is_json: bool = False
    json_keys: tuple[Text, ...] = ()
    """One JSON object with exactly these keys."""
    python: bool = False
    """Python that parses, with at least one statement that is no bare name."""

    def __bool__(self) -> bool:
        return bool(self.model_dump(exclude_defaults=True))


def failed(checks: Checks, reply: str) -> tuple[str, ...]:
    """Names of the checks that ``reply`` fails; all of them where it is blank."""
    given = checks.model_dump(exclude_defaults=True)
    if not reply.strip():
        return tuple(given)
    return tuple(name for name in given if not _HOLDS[name](reply, getattr(checks, name)))


def unfenced(reply: str) -> str:
    """What stands in the first code fence; the reply itself where there is none."""
    found = _FENCE.search(reply)
    return (found[1] if found else reply).strip()


def _lines(reply: str) -> list[str]:
    return [line for line in reply.splitlines() if line.strip()]


def _has(reply: str, phrase: str) -> bool:
    """Whether the phrase stands in the reply as a whole, in any case and with any space between its words."""
    loose = r"\s+".join(re.escape(word) for word in folded(phrase).split())
    return re.search(rf"(?<!\w){loose}(?!\w)", folded(reply), re.IGNORECASE) is not None


def _case(reply: str, wanted: str) -> bool:
    letters = [one for one in reply if one.isalpha()]
    return bool(letters) and all(one == (one.upper() if wanted == "upper" else one.lower()) for one in letters)


def _equals(reply: str, wanted: str) -> bool:
    return " ".join(reply.strip(_AROUND).split()).casefold() == " ".join(wanted.strip(_AROUND).split()).casefold()


def _number(reply: str, wanted: float) -> bool:
    found = _NUMBER.findall(reply)
    return bool(found) and abs(float(found[-1].replace(",", "")) - wanted) < 1e-6


def _json(reply: str) -> Any:
    """The value; None where it is no JSON."""
    try:
        return json.loads(unfenced(reply))
    except (ValueError, RecursionError):
        return None


def _json_keys(reply: str, keys: tuple[str, ...]) -> bool:
    value = _json(reply)
    return isinstance(value, dict) and set(value) == set(keys)


def _python(reply: str, _: bool) -> bool:
    try:
        with warnings.catch_warnings():  # of escapes in strings: the reply is only parsed
            warnings.simplefilter("ignore")
            body = ast.parse(unfenced(reply)).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return False
    return any(not (isinstance(one, ast.Expr) and isinstance(one.value, ast.Name)) for one in body)


def _table(reply: str, columns: int) -> bool:
    rows = [line.strip() for line in _lines(reply) if "|" in line]
    if len(rows) < 3 or not any(_RULE.match(line) and "-" in line for line in rows):
        return False
    return all(len(line.strip("|").split("|")) == columns for line in rows)


_HOLDS: dict[str, Callable[[str, Any], bool]] = {
    "words_at_most": lambda reply, most: len(reply.split()) <= most,
    "words_at_least": lambda reply, least: len(reply.split()) >= least,
    "lines": lambda reply, wanted: len(_lines(reply)) == wanted,
    "bullets": lambda reply, wanted: len(_BULLET.findall(reply)) == wanted,
    "numbered": lambda reply, wanted: len(_NUMBERED.findall(reply)) == wanted,
    "table_columns": _table,
    "case": _case,
    "without": lambda reply, words: not any(_has(reply, word) for word in words),
    "contains": lambda reply, phrases: all(_has(reply, phrase) for phrase in phrases),
    "contains_any": lambda reply, phrases: any(_has(reply, phrase) for phrase in phrases),
    "starts_with": lambda reply, words: reply.strip().casefold().startswith(words.casefold()),
    "ends_with": lambda reply, words: reply.strip().casefold().endswith(words.casefold()),
    "equals": _equals,
    "number": _number,
    "is_json": lambda reply, _: _json(reply) is not None,
    "json_keys": _json_keys,
    "python": _python,
}
