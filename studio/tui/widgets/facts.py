"""Names and values in two columns, the values wrapped under themselves."""

from __future__ import annotations

from collections.abc import Iterable

from textual.content import Content

from studio.tui.text import Part, join, lines


def facts(pairs: Iterable[tuple[str, Part]], width: int, *, name_width: int = 11) -> Content:
    """A line or more a pair, ``width`` cells wide. Pairs with an empty value are left out."""
    found: list[Content] = []
    for name, value in pairs:
        content = join(value)
        if not content.plain.strip():
            continue
        wrapped = content.wrap(max(width - name_width - 1, 8))
        found.append(join((f"{name:<{name_width}}", "$quiet"), " ", wrapped[0]))
        found += [join(" " * (name_width + 1), one) for one in wrapped[1:]]
    return lines(found)
