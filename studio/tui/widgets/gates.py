"""Quality gates as lines: told by a word and a sign, and by a colour beside."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from studio.evaluate.gate_text import bound, label, measured
from studio.evaluate.types import Gate
from studio.tui.text import join, line, lines, pad

STYLES = {"PASS": "$success bold", "FAIL": "$error bold", "UNDECIDED": "$warning bold"}
SIGNS = {"PASS": "✓", "FAIL": "✗", "UNDECIDED": "?"}


def gate_line(gate: Gate, width: int) -> Content:
    """``✓ PASS       overall       7.62 >= 7.5``, as wide as it needs to be."""
    room = max(min(width - 32, 18), 8)
    return join(
        (f"{SIGNS[gate.status]} {gate.status:<9} ", STYLES[gate.status]),
        f"{pad(label(gate.name), room)} ",
        (f"{measured(gate):>8}", "bold"),
        (f" {bound(gate)}", "$quiet"),
    )


def gates_content(gates: Sequence[Gate], width: int) -> Content:
    """A line a gate; a note that does not fit beside follows below it, wrapped."""
    told_of = [gate_line(gate, width) for gate in gates]
    widest = max((told.cell_length for told in told_of), default=0)
    found: list[Content] = []
    for gate, told in zip(gates, told_of, strict=True):
        note = line(gate.note, "$quiet")
        beside = widest + note.cell_length + 2 <= width
        found.append(join(told.pad_right(widest - told.cell_length), "  ", note) if gate.note and beside else told)
        if gate.note and not beside:
            found += [join("  ", one) for one in note.wrap(max(width - 2, 8))]
    return lines(found)


def tally(gates: Sequence[Gate]) -> Content:
    """``9 PASS  2 FAIL  1 UNDECIDED``."""
    counts = {status: sum(gate.status == status for gate in gates) for status in STYLES}
    told = [join((f"{count} {status}", STYLES[status])) for status, count in counts.items() if count]
    return Content("  ").join(told)
