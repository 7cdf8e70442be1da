"""Finding the JSON in what a model wrote, and saying what is wrong with it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pydantic import ValidationError

from studio.llm.thoughts import without_thoughts
from studio.llm.types import Reply

_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_MOST_STARTS = 64
"""Braces at which an object may begin, tried from the left: more are hostile or hopeless."""


def validated(text: str, schema: type[Reply]) -> Reply | str:
    """The value in ``text`` that fits ``schema``, or one line on why there is none."""
    problem = "no JSON object in the reply"
    for found in _candidates(without_thoughts(text)):
        try:
            return schema.model_validate_json(found)
        except ValidationError as error:
            problem = _told(error)
    return problem


def mostly_white(text: str) -> bool:
    """Whether the text ends in a loop of white space: the failure of a grammar that allows it without end."""
    return len(text) >= 64 and len(text.rstrip()) < len(text) / 2


def _candidates(text: str) -> Iterator[str]:
    """Stretches that may be the object, most likely first: all of it, fenced blocks, whatever a brace begins."""
    yield text.strip()
    yield from (block.strip() for block in _FENCED.findall(text))
    decoder, at, tried = json.JSONDecoder(), text.find("{"), 0
    while at >= 0 and tried < _MOST_STARTS:
        tried += 1
        try:
            _, end = decoder.raw_decode(text, at)
        except (ValueError, RecursionError):
            end = at + 1
        else:
            yield text[at:end]
        at = text.find("{", end)


def _told(error: ValidationError) -> str:
    """The first few problems, each with its place: ``traits.calm.score: Input should be 0, 1 or 2``."""
    problems = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, p['loc'])) or 'reply'}: {p['msg']}" for p in problems[:4])
