"""A comparison of two runs in lines of plain text, for a terminal of any width from 60 columns on."""

from __future__ import annotations

import textwrap
from collections import Counter

from studio.evaluate.compare import RunComparison
from studio.evaluate.curves import plain_chart
from studio.evaluate.gate_text import SHARES, label, measured, percent
from studio.text.inert import inert_line

MOST_CHANGES = 20
SHARE_NAMES = SHARES | {"cut"}
NAMES = {"kept": "required terms kept", "cut": "cut at max_tokens", "win_rate": "wins against base"}


def comparison_lines(found: RunComparison, width: int = 80) -> list[str]:
    """Everything of a comparison."""
    lines = [f"a  {found.first.label}", f"b  {found.second.label}"]
    for told in found.warnings:
        lines += _wrapped(f"!  {told}", width, "   ")
    return [
        *lines,
        *_part(f"difference b - a on {found.paired} {found.which} probes, paired", _deltas(found)),
        *_part("probes that changed side", _changes(found, width)),
        *_part("gates", _gates(found)),
        *_part("settings that differ", _settings(found, width)),
        *_part("training loss", _loss(found, width)),
    ]


def _part(title: str, lines: list[str]) -> list[str]:
    return ["", title, *lines] if lines else []


def _deltas(found: RunComparison) -> list[str]:
    if not found.metrics:
        return []
    level = percent(found.metrics[0].delta.level)
    lines = [f"{'':<24} {'a':>7} {'b':>7} {'b - a':>8}  {level:<17} {'n':>4}"]
    for one in found.metrics:
        share = one.name in SHARE_NAMES
        form, signed = ("{:.0%}", "{:+.1%}") if share else ("{:.2f}", "{:+.2f}")
        apart = one.delta
        between = f"{signed.format(apart.low)} to {signed.format(apart.high)}"
        sure = "*" if apart.low > 0 or apart.high < 0 else ""
        name = NAMES.get(one.name, label(one.name))[:24]
        means = f"{form.format(one.first):>7} {form.format(one.second):>7} {signed.format(apart.value):>8}"
        lines.append(f"{name:<24} {means}  {between:<17} {apart.n:>4} {sure}".rstrip())
    return [*lines, "* the interval excludes 0"]


def _changes(found: RunComparison, width: int) -> list[str]:
    counts = Counter(f"{one.before} -> {one.after}" for one in found.changed)
    lines = [", ".join(f"{count} {what}" for what, count in counts.most_common())] if counts else []
    for one in found.changed[:MOST_CHANGES]:
        if one.scenario:
            told = f"{one.before:<6} -> {one.after:<6} {label(one.category)}: {inert_line(one.scenario)}"
            lines.append(told if len(told) <= width else f"{told[: width - 3]}...")
    if len(found.changed) > MOST_CHANGES and found.which != "locked":
        lines.append(f"and {len(found.changed) - MOST_CHANGES} more: --json lists all")
    if counts and found.which == "locked":
        lines.append("locked probes are counted and not named")
    return lines


def _gates(found: RunComparison) -> list[str]:
    lines = []
    for one in found.gates:
        sides = [f"{gate.status:<9} {measured(gate):>8}" if gate else f"{'-':<18}" for gate in (one.before, one.after)]
        lines.append(f"{label(one.name)[:24]:<24} {sides[0]}  ->  {sides[1]}".rstrip())
    return lines


def _settings(found: RunComparison, width: int) -> list[str]:
    lines = []
    for one in found.settings:
        left, right = (inert_line(text) for text in (one.before, one.after))
        if one.name.endswith(("hash", "_spec")) or one.name == "snapshot":
            left, right = left[:12], right[:12]
        lines += _wrapped(f"{one.name:<24} {left}  ->  {right}", width, " " * 25)
    return lines


def _loss(found: RunComparison, width: int) -> list[str]:
    chart = plain_chart((found.first.curve, found.second.curve), width)
    ends = [f"{side.loss:.3f}" if side.loss is not None else "-" for side in (found.first, found.second)]
    return [*chart, f"last epoch: a {ends[0]}, b {ends[1]}"] if chart else []


def _wrapped(text: str, width: int, indent: str) -> list[str]:
    return textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False)
