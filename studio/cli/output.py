"""Where the commands print: results on stdout, progress and errors on stderr, all of it inert."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from studio.text.inert import inert

out = Console(highlight=False, markup=False, emoji=False)
err = Console(stderr=True, highlight=False, markup=False, emoji=False)


def say(text: str) -> None:
    """A result for people. Text from a model or a file may be in it."""
    out.print(Text(inert(text)), soft_wrap=True)


def tell(text: str) -> None:
    """Progress or an error."""
    err.print(Text(inert(text)), soft_wrap=True)


def tell_prose(text: str) -> None:
    """A sentence that is broken between words where a terminal is too narrow for it."""
    err.print(Text(inert(text)), soft_wrap=not err.is_terminal)


def say_json(value: BaseModel | dict[str, Any] | list[Any]) -> None:
    """One JSON document on one line, for scripts."""
    data = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    print(json.dumps(data), flush=True)  # ASCII only: nothing in it can reach the terminal as a control


def cut(text: str, room: int) -> str:
    """``text`` in ``room`` columns, with an ellipsis where it goes on."""
    return text if cell_len(text) <= room else f"{set_cell_size(text, room - 1).rstrip()}…"


def cell(text: object) -> Text:
    """One table cell."""
    return Text(inert(str(text)))
