"""Foreign shapes of conversations: ChatML and OpenAI's fine-tuning files, ShareGPT, Alpaca, prompt and completion, and
any table by the names of its columns.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from studio.chatml import Message, Messages, conversation_problem
from studio.errors import UserError
from studio.text.inert import unfit

Shape = Literal["chatml", "openai", "sharegpt", "alpaca", "prompt", "columns"]
SHAPES: dict[Shape, str] = {
    "chatml": "messages of role and content",
    "openai": "OpenAI fine-tuning: messages, weight 0 marks a reply not to learn from",
    "sharegpt": "conversations of from and value",
    "alpaca": "instruction, input, output, history, system",
    "prompt": "prompt and completion, texts or messages",
    "columns": "columns as --field names them",
}
FIELDS = ("messages", "user", "assistant", "scenario")
"""What ``--field`` may name; ``user`` and ``assistant`` are texts, ``messages`` a list or its JSON."""
_ROLES = {
    **dict.fromkeys(("user", "human", "prompter", "customer"), "user"),
    **dict.fromkeys(("assistant", "gpt", "chatgpt", "bing", "bard", "bot", "model", "ai"), "assistant"),
    **dict.fromkeys(("system", "developer"), "system"),
}
_KEYS: tuple[tuple[Shape, frozenset[str]], ...] = (
    ("chatml", frozenset({"messages"})),
    ("sharegpt", frozenset({"conversations"})),
    ("sharegpt", frozenset({"conversation"})),
    ("alpaca", frozenset({"instruction", "output"})),
    ("prompt", frozenset({"prompt", "completion"})),
    ("columns", frozenset({"user", "assistant"})),
)
_SHOWN = 40


class WrongError(ValueError):
    """Why a record is no conversation to learn from."""


def chosen_fields(fields: Sequence[str]) -> dict[str, str]:
    """``OURS=THEIRS`` by ours. Raises UserError where one is none of :data:`FIELDS`."""
    chosen = {}
    for one in fields:
        ours, equals, theirs = one.partition("=")
        if not equals or ours not in FIELDS or not theirs:
            raise UserError(
                f"--field {one}: no such field", remedy=f"expected NAME=COLUMN, NAME of {', '.join(FIELDS)}"
            )
        chosen[ours] = theirs
    if ("user" in chosen) != ("assistant" in chosen):
        raise UserError("--field user and --field assistant go together", remedy="name both columns")
    return chosen


def shape_of(record: Mapping[str, Any], chosen: Mapping[str, str]) -> Shape:
    """The shape of a file by its first record. Raises UserError where it is none that is known."""
    names = ", ".join(map(str, [*record][:12])) or "none"
    missing = next((theirs for theirs in chosen.values() if theirs not in record), None)
    if missing is not None:
        raise UserError(f"there is no field {missing!r}; there are {names}")
    if chosen.keys() & {"messages", "user"}:
        return "columns"
    found = next((shape for shape, keys in _KEYS if keys <= record.keys()), None)
    if found is None:
        remedy = "name the columns: --field user=NAME --field assistant=NAME, or messages=NAME"
        raise UserError(f"no shape that is known, by its fields: {names}", remedy=remedy)
    return found


def conversation(record: Mapping[str, Any], shape: Shape, chosen: Mapping[str, str]) -> Messages:
    """The turns of a record, without a system turn at the beginning. Raises :class:`WrongError` where there is nothing
    to learn from: turns that do not alternate, an empty one, tool calls, or a character that nobody writes."""
    messages = _READERS[shape](record, chosen)
    begins = int(bool(messages) and messages[0].role == "system")
    turns = tuple(Message(role=one.role, content=one.content.strip()) for one in messages[begins:])
    if problem := conversation_problem(turns):
        raise WrongError(problem)
    if sign := next(filter(None, (unfit(turn.content) for turn in turns)), ""):
        raise WrongError(f"holds the character {sign}, which cannot be seen")
    return turns


def text_of(value: object, name: str) -> str:
    """A text, or the texts of OpenAI's content parts. Raises :class:`WrongError`."""
    if (
        isinstance(value, list)
        and value
        and all(isinstance(part, dict) and part.get("type") == "text" for part in value)
    ):
        return "".join(text_of(part.get("text"), name) for part in value)
    if not isinstance(value, str):
        raise WrongError(f"{name}: expected a text, found {_shown(value)}")
    return value


def _turns(value: object, name: str, role: str = "role", content: str = "content") -> Messages:
    if isinstance(value, str):  # a cell of a table
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            raise WrongError(f"{name}: expected a list of messages, found {_shown(value)}") from None
    if not isinstance(value, list):
        raise WrongError(f"{name}: expected a list of messages, found {_shown(value)}")
    found = []
    for number, turn in enumerate(value, 1):
        if not isinstance(turn, dict):
            raise WrongError(f"{name} {number}: expected a message, found {_shown(turn)}")
        keys = (role, content) if role in turn else ("role", "content") if "role" in turn else ("from", "value")
        if turn.get("tool_calls") or turn.get("function_call"):
            raise WrongError(f"{name} {number}: a call of a tool")
        said = text_of(turn.get(keys[0]), f"{name} {number}: {keys[0]}").lower()
        if said not in _ROLES:
            raise WrongError(f"{name} {number}: expected user, assistant or system, found {_shown(said)}")
        if said == "assistant" and turn.get("weight") == 0 and number == len(value):
            raise WrongError(f"{name} {number}: a reply of weight 0, not to learn from")
        content_ = text_of(turn.get(keys[1]), f"{name} {number}: {keys[1]}")
        found.append(Message.model_validate({"role": _ROLES[said], "content": content_}))
    return tuple(found)


def _chatml(record: Mapping[str, Any], chosen: Mapping[str, str]) -> Messages:
    return _turns(record.get("messages"), "messages")


def _sharegpt(record: Mapping[str, Any], chosen: Mapping[str, str]) -> Messages:
    name = "conversations" if "conversations" in record else "conversation"
    return _turns(record.get(name), name, "from", "value")


def _alpaca(record: Mapping[str, Any], chosen: Mapping[str, str]) -> Messages:
    asked = text_of(record.get("instruction"), "instruction")
    if more := text_of(record.get("input") or "", "input").strip():
        asked = f"{asked}\n\n{more}"
    pairs = record.get("history") or []
    if not isinstance(pairs, list) or any(not isinstance(pair, list) or len(pair) != 2 for pair in pairs):
        raise WrongError(f"history: expected pairs of request and reply, found {_shown(pairs)}")
    said = [text_of(text, "history") for pair in pairs for text in pair]
    return _alternating([*said, asked, text_of(record.get("output"), "output")])


def _prompt(record: Mapping[str, Any], chosen: Mapping[str, str]) -> Messages:
    prompt, completion = record.get("prompt"), record.get("completion")
    if isinstance(prompt, str) and isinstance(completion, str):
        return _alternating([prompt, completion])
    return (*_turns(prompt, "prompt"), *_turns(completion, "completion"))


def _columns(record: Mapping[str, Any], chosen: Mapping[str, str]) -> Messages:
    if name := chosen.get("messages"):
        return _turns(record.get(name), name)
    names = chosen.get("user", "user"), chosen.get("assistant", "assistant")
    return _alternating([text_of(record.get(name), name) for name in names])


def _alternating(said: Sequence[str]) -> Messages:
    roles = ("user", "assistant")
    return tuple(Message.model_validate({"role": roles[at % 2], "content": text}) for at, text in enumerate(said))


_READERS: dict[Shape, Callable[[Mapping[str, Any], Mapping[str, str]], Messages]] = {
    "chatml": _chatml,
    "openai": _chatml,
    "sharegpt": _sharegpt,
    "alpaca": _alpaca,
    "prompt": _prompt,
    "columns": _columns,
}


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text[:_SHOWN] + "..." * (len(text) > _SHOWN)
