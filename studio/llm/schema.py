"""A pydantic model as the schema that is sent, and as words for models that get it as text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from pydantic import BaseModel

from studio.chatml import Message, Messages, assistant, user
from studio.llm.abilities import Format

_QUOTED = 2000


@lru_cache(maxsize=64)
def strict_schema(schema: type[BaseModel]) -> dict[str, Any]:
    """JSON Schema in the strict form: every key required, none besides. Not to be changed."""
    from openai import pydantic_function_tool

    return dict(pydantic_function_tool(schema)["function"]["parameters"])


def response_format(used: Format, name: str, schema: Mapping[str, Any]) -> dict[str, Any]:
    """The parameter that asks for JSON; none for ``plain``."""
    if used == "json_schema":
        named = {"name": name[:64], "schema": dict(schema), "strict": True}
        return {"response_format": {"type": "json_schema", "json_schema": named}}
    return {"response_format": {"type": "json_object"}} if used == "json_object" else {}


def with_schema(messages: Messages, schema: Mapping[str, Any]) -> Messages:
    """``messages`` with the schema as text at the end of the last user turn, where every model reads it."""
    note = "Answer with one JSON object and nothing else, valid against this JSON Schema:\n" + json.dumps(
        schema, ensure_ascii=False, separators=(",", ":")
    )
    if messages and messages[-1].role == "user":
        return (*messages[:-1], Message(role="user", content=f"{messages[-1].content}\n\n{note}"))
    return (*messages, user(note))


def correction(reply: str, problem: str) -> Messages:
    """The turns that show a model its invalid reply and say what is wrong with it."""
    shown = reply.strip()[:_QUOTED] or "(empty)"
    return (assistant(shown), user(f"That is not valid: {problem}. Answer again with the JSON object only."))
