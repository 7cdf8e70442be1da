"""Structured output: asking until a reply fits its schema, a bounded number of times, told what was wrong each time.

JSON is looked for among whatever else a model wrote, and counts only where it is valid and was not cut off.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from studio.chatml import Messages, assistant, user
from studio.llm.capabilities import Capabilities, Format
from studio.llm.errors import AttemptError
from studio.llm.ledger import Ledger
from studio.llm.prices import total
from studio.llm.response import without_reasoning
from studio.llm.retry import Answered, Ask, Completions
from studio.llm.types import Completion, Reply, Usage

Value = TypeVar("Value")
ANSWERS = 4
"""Answers to one request before it is given up: enough for each format once and one correction."""
CUT_OFF = "it was cut off before its end; be brief"
_QUOTED = 2000
_FENCED = re.compile(r"```(?:json)?\s*\n(.*?)```", re.DOTALL | re.IGNORECASE)
_MOST_STARTS = 64
"""Braces at which an object may begin, tried from the left: more are hostile or hopeless."""


@dataclass(frozen=True)
class Good(Generic[Value]):
    value: Value


Check = Callable[[Completion], "Good[Value] | str"]
"""What a completion is worth: its value, or one line on why it has none."""


def check_text(completion: Completion) -> Good[str] | str:
    """Free text counts even when it was cut, but not when there is nothing beside thoughts."""
    text = without_reasoning(completion.text)
    return CUT_OFF if completion.finish != "stop" and not text.strip() else Good(text)


def check_schema(schema: type[Reply]) -> Check[Reply]:
    """JSON that fits ``schema``. What was cut off never counts: it may be valid and yet lack its end."""

    def check(completion: Completion) -> Good[Reply] | str:
        if completion.finish != "stop":
            return CUT_OFF
        found = validated(completion.text, schema)
        return found if isinstance(found, str) else Good(found)

    return check


async def ask_until_good(
    completions: Completions, ask: Ask, ledger: Ledger, check: Check[Value]
) -> tuple[Value, Completion]:
    """The first good value, and its completion with the usage of the whole round.

    Answers on record come first: a good one ends it without a call, and a round that was cut short goes on. Raises
    :class:`AttemptError`, also where it was refused or given up before.
    """
    spent = ledger.recall()
    if spent and isinstance(good := check(spent[-1]), Good):
        return good.value, _summed(spent[-1], spent)
    problem = check(spent[-1]) if spent else ""
    turns = _turns(ask, spent[-1], problem) if spent and isinstance(problem, str) else ()
    used: Format = "plain" if ask.schema is None else completions.endpoint.capabilities.best_format()
    deadline = completions.deadline()
    while len(spent) < ANSWERS:
        asked = Ask(ask.request, ask.name, ask.schema, turns)
        answered = await completions.answer(asked, used, deadline, ledger)
        completion = answered.completion
        spent.append(completion)
        verdict = check(completion)
        used = _learn(completions.endpoint.capabilities, ask, answered, valid=isinstance(verdict, Good))
        if isinstance(verdict, Good):
            return verdict.value, _summed(completion, spent)
        problem, turns = verdict, _turns(ask, completion, verdict)
    reason = f"{len(spent)} answers, the last one: {problem}"
    ledger.give_up(reason)
    raise AttemptError("malformed", reason)


def _learn(capabilities: Capabilities, ask: Ask, answered: Answered, *, valid: bool) -> Format:
    """Take note of how it went; the format to ask in next.

    A reply that was cut for want of room says nothing of the format, but one that looped on white space does.
    """
    if not valid and answered.completion.finish == "length" and not mostly_white(answered.completion.text):
        capabilities.more_room(answered.room)
        return answered.used
    if ask.schema is None:
        return "plain"
    capabilities.judged(answered.used, valid=valid)
    return capabilities.next_format(answered.used)


def _turns(ask: Ask, completion: Completion, problem: str) -> Messages:
    """Free text is asked again as it was; JSON with what was wrong."""
    return () if ask.schema is None else correction(without_reasoning(completion.text), problem)


def _summed(completion: Completion, spent: list[Completion]) -> Completion:
    usage: Usage = total(part.usage for part in spent)
    return completion.model_copy(update={"usage": usage})


@lru_cache(maxsize=64)
def strict_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema in the strict form: every key required, none besides. Not to be changed.

    The same as that of OpenAI's own library, which takes a second to import.
    """
    whole = schema.model_json_schema()
    return _strict(whole, whole)


def _strict(part: dict[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """``part`` of ``root``, which is changed."""
    for definition in part.get("$defs", {}).values():
        _strict(definition, root)
    if part.get("type") == "object":
        part.setdefault("additionalProperties", False)
    if "properties" in part:
        part["required"] = list(part["properties"])
        part["properties"] = {name: _strict(one, root) for name, one in part["properties"].items()}
    if isinstance(part.get("items"), dict):
        part["items"] = _strict(part["items"], root)
    for several in ("anyOf", "allOf"):
        if several in part:
            part[several] = [_strict(one, root) for one in part[several]]
    if len(part.get("allOf", ())) == 1:
        part.update(part.pop("allOf")[0])
    if part.get("default", ...) is None:
        del part["default"]
    if "$ref" in part and len(part) > 1:  # a reference may have nothing beside it
        resolved: Any = root
        for key in part["$ref"].removeprefix("#/").split("/"):
            resolved = resolved[key]
        part = {**resolved, **{name: value for name, value in part.items() if name != "$ref"}}
        return _strict(part, root)
    return part


def correction(reply: str, problem: str) -> Messages:
    """The turns that show a model its invalid reply and say what is wrong with it."""
    shown = reply.strip()[:_QUOTED] or "(empty)"
    return (assistant(shown), user(f"That is not valid: {problem}. Answer again with the JSON object only."))


def validated(text: str, schema: type[Reply]) -> Reply | str:
    """The value in ``text`` that fits ``schema``, or one line on why there is none."""
    problem = "no JSON object in the reply"
    for found in _candidates(without_reasoning(text)):
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
