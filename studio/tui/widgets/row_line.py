"""One example on one line, and the marks that a judge gave its traits."""

from __future__ import annotations

from textual.content import Content

from studio.chatml import last_reply, last_request
from studio.store.records import Judgement, Row, Status, TraitScore
from studio.tui.text import cells, clip, join, line, pad, score
from studio.tui.widgets.layout import facts

SIGNS: dict[Status, tuple[str, str]] = {
    "accepted": ("✓", "$success"),
    "rejected": ("✗", "$error"),
    "pending": ("?", "$warning"),
}
SIGNS_TOLD = (
    ("✓ ✗ ?", "accepted, rejected, pending"),
    ("=  ~", "a person decided; a person edited. Else it is the judge's word"),
    ("*  …", "marked; being saved"),
    ("unscored", "nobody could score its traits; error: the judge's call failed"),
)

WIDE, NAME = 100, 20
"""From how many cells on the category is shown, and in how many."""
SCORE = 8


def row_heading(width: int) -> str:
    """The names of the columns, for the border above a list: its title begins a cell from the left."""
    name = f"{'category':<{NAME}}  " if width >= WIDE else ""
    return f"    {'score':>{SCORE}}  {name}request and reply "


def row_line(row: Row, width: int, deciding: Status | None = None, *, marked: bool = False) -> Content:
    """Sign, score, category, and as much of the request and the reply as there is room for.

    ``deciding`` is shown in place of the row's status, while a decision is on its way to the disk.
    The second sign tells where the status comes from: a person's decision (``=``), their edit (``~``), the judge.
    No score is shown of another text than the row's: that of before an edit.
    """
    sign, style = SIGNS[deciding or row.status]
    edited = row.messages != row.example.messages
    by = "…" if deciding else "~" if edited else "=" if row.decision else " "
    told, told_style = score_of(row)
    name = pad(row.example.category, NAME) if width >= WIDE else ""
    room = max(width - SCORE - 6 - (NAME + 2 if name else 0), 8)
    asked = clip(last_request(row.messages), max(room * 2 // 5, 4))
    replied = clip(last_reply(row.messages), max(room - cells(asked) - 2, 0))
    return join(
        ("*" if marked else " ", "$warning bold"),
        (sign, style),
        (by, "$quiet"),
        (f" {told:>{SCORE}}  ", told_style),
        (f"{name}  " if name else "", "$quiet"),
        asked,
        "  ",
        (replied, "$quiet"),
    )


def score_of(row: Row) -> tuple[str, str]:
    """The score and its style; or what there is in its place: nobody could score it, or the judge's call failed."""
    if row.judgement is not None and row.judgement.verdict == "error":
        return "error", "$error"
    if row.judgement is None or row.judgement.verdict == "unscored":
        return "unscored", "$warning" if row.status == "pending" else "$quiet"
    return score(row.judgement.total if row.judged else None), ""


TRAIT_STYLES = {2: "$success", 1: "$warning", 0: "$error"}
TRAIT_NAME = 17
"""Cells that the names take at least."""


def trait_marks(judgement: Judgement, width: int) -> Content:
    """A trait a line: its mark, a regression's estimate beside it, the reason, and the words that show it."""
    return facts(((name, _mark(score)) for name, score in judgement.traits.items()), width, name_width=TRAIT_NAME)


def _mark(score: TraitScore) -> Content:
    quote = line(f'"{score.quote}"' if score.quote else "", "$quiet")
    expected = "" if score.estimate is None else f"{score.estimate:.2f} expected  "
    return join(
        (f"{score.score}  ", f"{TRAIT_STYLES[score.score]} bold"),
        (expected, "$quiet"),
        line(score.rationale),
        "  ",
        quote,
    )
