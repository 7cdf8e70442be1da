"""What the labelling screen shows, as content: the reply without its side, the rubric, and how far one is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from textual.content import Content

from studio.chatml import Messages
from studio.spec import Spec
from studio.spec.model import Boundary, Trait
from studio.tui.text import cells, join, line, lines, pad, shown
from studio.tui.widgets.layout import facts
from studio.tui.widgets.row_line import TRAIT_STYLES

DEFAULT_S = 10.0
"""Seconds that a reply takes a person, until their own pace is known."""
MIN_PACE = 5
"""Answers of this sitting from which their own pace is taken."""
_ROLES = {"user": "bold", "system": "$quiet", "assistant": "bold"}


def asked_content(messages: Messages) -> Content:
    """The conversation up to the request that is replied to."""
    return lines(join((f"{one.role}  ", _ROLES[one.role]), shown(one.content)) for one in messages)


def reply_content(reply: str, name: str) -> Content:
    """A reply as plain text, whatever is in it."""
    told = shown(reply) if reply.strip() else shown("(an empty reply)", "$quiet")
    return join((name, "bold $primary"), "\n", told)


def rubric(
    traits: Sequence[Trait], marks: Sequence[int], boundary: Boundary | None, width: int, whole: bool
) -> Content:
    """A line a trait with its mark; below the one to be scored, or below each, what 2, 1 and 0 look like."""
    names = min(max((cells(one.name) for one in traits), default=0), max(width - 8, 4))
    found: list[Content] = []
    for place, trait in enumerate(traits):
        here = place == len(marks)
        mark = (
            (f"{marks[place]}", f"{TRAIT_STYLES[marks[place]]} bold")
            if place < len(marks)
            else ("?" if here else "·", "$quiet")
        )
        style = "bold $primary" if here else ""
        found.append(join(("> " if here else "  ", style), (pad(trait.name, names), style), "  ", mark))
        if here or whole:
            found.append(_indented(facts(anchors(trait), width - 4, name_width=1)))
    if boundary is not None:
        found.append(join(("  violates ", "$error bold"), f"{boundary.id}: {boundary.never}"))
    return lines(found)


def anchors(trait: Trait) -> list[tuple[str, str | Content]]:
    """What a 2, a 1 and a 0 look like; of a trait without anchors what it is, and is not."""
    if trait.anchors:
        return [(str(mark), line(text)) for mark, text in sorted(trait.anchors.items(), reverse=True)]
    return [("2", line(trait.is_)), ("0", line(trait.is_not) if trait.is_not else line("not so"))]


def _indented(content: Content) -> Content:
    return lines(join("    ", one) for one in content.split("\n"))


def boundary_choices(spec: Spec) -> dict[str, str]:
    """A key a boundary; 0 for none of them."""
    keys = [*"123456789", *"abcdefghijklmnopqrstuvwxyz"]
    listed = {key: f"{one.id}: {one.never}" for key, one in zip(keys, spec.boundaries, strict=False)}
    return {**listed, "0": "none of them"}


def progress_told(done: int, wanted: int, pairs: bool, pace_s: float) -> str:
    """``12 of 60, about 8 minutes left``."""
    what = " pairs" if pairs else ""
    left = max(wanted - done, 0) * pace_s
    minutes = max(round(left / 60), 1)
    return f"{done} of {wanted}{what}, about {minutes} minute{'' if minutes == 1 else 's'} left"


def pace(answered_at: Sequence[float]) -> float:
    """Seconds a reply takes, by the moments of this sitting's answers: their median, so that a break counts for one."""
    gaps = sorted(later - before for before, later in pairwise(answered_at))
    return gaps[len(gaps) // 2] if len(gaps) >= MIN_PACE else DEFAULT_S
