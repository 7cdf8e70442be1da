"""Quality gates as lines: told by a word and a sign, and by a colour beside."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from studio.evaluate.types import Gate
from studio.tui.figures import UNKNOWN
from studio.tui.text import clip, join, lines, shown

STYLES = {"PASS": "$success bold", "FAIL": "$error bold", "UNDECIDED": "$warning bold"}
SIGNS = {"PASS": "✓", "FAIL": "✗", "UNDECIDED": "?"}
AT_MOST = ("violations", "train_loss", "adapter_mb", "latency_s")
SHARES = ("violations", "win_rate", "kept")
UNITS = {"adapter_mb": " MB", "latency_s": " s"}


def gate_line(gate: Gate, width: int) -> Content:
    """``✓ PASS       overall       7.62 >= 7.50``, and the note where there is room for it."""
    sign = "<=" if gate.name in AT_MOST else ">="
    name = gate.name.removeprefix("trait:").replace("_", " ")
    room = max(min(width - 30, 18), 8)
    told = join(
        (f"{SIGNS[gate.status]} {gate.status:<9} ", STYLES[gate.status]),
        f"{clip(name, room):<{room}} ",
        (f"{figure(gate.name, gate.value):>7}", "bold"),
        (f" {sign} {figure(gate.name, gate.target)}", "$quiet"),
    )
    left = width - told.cell_length - 3
    return join(told, "  ", (clip(gate.note, left), "$quiet")) if gate.note and left >= 12 else told


def gates_content(gates: Sequence[Gate], width: int, *, notes: bool = False) -> Content:
    """A line a gate; with ``notes`` those that did not fit follow on a line of their own."""
    found: list[Content] = []
    for gate in gates:
        line = gate_line(gate, width)
        found.append(line)
        if notes and gate.note and clip(gate.note, 400) not in line.plain:
            found.append(shown(f"  {gate.note}", "$quiet"))
    return lines(found)


def tally(gates: Sequence[Gate]) -> Content:
    """``9 PASS  2 FAIL  1 UNDECIDED``."""
    counts = {status: sum(gate.status == status for gate in gates) for status in STYLES}
    told = [join((f"{count} {status}", STYLES[status])) for status, count in counts.items() if count]
    return Content("  ").join(told)


def figure(name: str, value: float | None) -> str:
    """A gate's number in its own unit."""
    if value is None:
        return UNKNOWN
    if name in SHARES:
        return f"{value:.0%}"
    if name == "examples":
        return f"{value:.0f}"
    return f"{value:.2f}{UNITS.get(name, '')}"
