"""Names and values in two columns, the values wrapped under themselves."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from studio.tui.text import Part, cells, join, lines


def facts(pairs: Iterable[tuple[str, Part]], width: int, *, name_width: int = 11) -> Content:
    """A line or more a pair, ``width`` cells wide. Pairs with an empty value are left out. ``name_width`` is the least
    that the names take; longer ones take up to a third of the line."""
    there = [(name, content) for name, value in pairs if (content := join(value)).plain.strip()]
    name_width = max(name_width, min(max((cells(name) for name, _ in there), default=0), width // 3))
    found: list[Content] = []
    for name, content in there:
        wrapped = content.wrap(max(width - name_width - 1, 8))
        found.append(join((name + " " * (name_width - cells(name)), "$quiet"), " ", wrapped[0]))
        found += [join(" " * (name_width + 1), one) for one in wrapped[1:]]
    return lines(found)
