"""Chat template: pinned, so that training, serving and the package render a conversation as the very same token ids.

A base model's own template may decide while it renders: whether the model thinks aloud (``enable_thinking``), what day
it is (``strftime_now``), what stands in for a missing system turn. All three are fixed in the template itself, in one
line before it. The tokenizer that trains has it, is saved beside the adapter with it, serves with it and is packed with
it: whoever loads the package gets what trained, without an option that could be forgotten.

    tokenizer = AutoTokenizer.from_pretrained(base)
    pin(tokenizer, "You are the harbour office.")
    tokenizer.apply_chat_template([{"role": "user", "content": "Hello"}])     # with the system turn, without thinking

Nothing here imports torch or transformers.
"""

from __future__ import annotations

import json
from datetime import date
from typing import Any

PINNED_DATE = date(2024, 7, 26)
"""The day that Llama's templates print where there is no clock; any fixed one would do."""
_MARK = "{#- pinned by persona-studio -#}"
_THINKING, _CLOCK = "enable_thinking", "strftime_now"
_DIRECTIVES = ("-d", "-m", "-I", "-H", *"aAbBdejmyYHIMSpFDT")
"""Of strftime, ``-d`` being the day without a zero in front. The date has no time: it is midnight."""


def pinned(template: str, system_prompt: str | None = None) -> str:
    """``template`` with whatever would vary fixed before it; the same one where nothing does.

    ``system_prompt`` stands in front of conversations that have no system turn of their own. A template that is pinned
    already is pinned anew.
    """
    body = original(template)
    parts = [
        *(["{%- set enable_thinking = false %}"] if _THINKING in body else []),
        *([_clock()] if _CLOCK in body else []),
        *([_system_turn(system_prompt)] if system_prompt else []),
    ]
    return f"{_MARK}{''.join(parts)}\n{body}" if parts else body


def original(template: str) -> str:
    """A template as it was before it was pinned."""
    return template.partition("\n")[2] if template.startswith(_MARK) else template


def pin_as(template: str, other: str) -> str:
    """``other``, another version of the same template, pinned as ``template`` is."""
    return f"{template.partition(chr(10))[0]}\n{other}" if template.startswith(_MARK) else other


def pin(tokenizer: Any, system_prompt: str | None = None) -> None:
    """Pin the template of a tokenizer of transformers; of several the default one, which is then the only one."""
    template = tokenizer.chat_template
    if isinstance(template, dict):
        template = template.get("default")
    tokenizer.chat_template = None if template is None else pinned(template, system_prompt)


def _clock() -> str:
    """A macro in the place of transformers' function. Every block ends without ``-``: what follows is left as it is."""
    days = "".join(
        f"|replace({json.dumps('%' + one)},{json.dumps(PINNED_DATE.strftime('%' + one))})" for one in _DIRECTIVES
    )
    return f"{{%- macro {_CLOCK}(format) -%}}{{{{ format{days} }}}}{{%- endmacro %}}"


def _system_turn(prompt: str) -> str:
    """Jinja reads a string as Python does: JSON's escapes and whatever is beyond ASCII are the same in both."""
    turn = f"{{'role': 'system', 'content': {json.dumps(prompt, ensure_ascii=False)}}}"
    absent = "{%- if not messages or messages[0]['role'] != 'system' %}"
    return f"{absent}{{%- set messages = [{turn}] + messages %}}{{%- endif %}}"
