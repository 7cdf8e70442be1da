"""Examples as ``studio triage`` names and shows them."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

from studio.build.types import Session
from studio.cli.output import cut, out, say
from studio.errors import UserError
from studio.store import Row
from studio.text.inert import inert_line

_SHOWN = 5
"""Ids that an ambiguous beginning is answered with."""
_WORDS, _LEAST_WORDS = 160, 20
"""Columns of the conversation where there is no terminal, and on the narrowest one."""


def known_ids(session: Session, beginnings: list[str]) -> list[str]:
    """Full ids of examples, each given whole or by its first characters. Raises UserError for none and for several."""
    ids = [name for _, name in session.workspace.examples.ids()]
    return [_the_one(beginning, ids) for beginning in beginnings]


def _the_one(beginning: str, ids: list[str]) -> str:
    found = [name for name in ids if name.startswith(beginning)] if beginning else []
    if beginning in found or len(found) == 1:
        return beginning if beginning in found else found[0]
    if found:
        several = ", ".join(sorted(found)[:_SHOWN]) + (", ..." if len(found) > _SHOWN else "")
        raise UserError(f"{len(found)} examples begin with {beginning}", remedy=f"one of {several}")
    raise UserError(f"no example {beginning}", remedy="studio triage list shows the ids")


def check_category(session: Session, category: str | None) -> None:
    """Raises UserError for one that neither the spec nor an example has."""
    known = {*session.loaded.spec.scenarios, *(one.category for one in session.workspace.examples.counts())}
    if category is not None and category not in known:
        raise UserError(f"no such category: {category}", remedy=f"one of {', '.join(sorted(known))}")


def print_rows(rows: Sequence[Row]) -> None:
    """A line a row, on a terminal no longer than that is wide."""
    width = max((cell_len(inert_line(row.example.category)) for row in rows), default=0)
    for row in rows:
        total = row.judgement.total if row.judgement and row.judged else None
        score = "  - " if total is None else f"{total:4.1f}"
        category = set_cell_size(inert_line(row.example.category), width)
        line = f"{row.example.id}  {row.status:<8} {score}  {category}  "
        words = " / ".join(inert_line(message.content) for message in row.messages)
        room = max(_LEAST_WORDS, out.width - cell_len(line) - 1) if out.is_terminal else _WORDS
        say(line + cut(words, room))
