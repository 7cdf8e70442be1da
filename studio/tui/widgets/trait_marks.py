"""The marks that a judge gave a reply, one a trait: a regression's estimate beside it, its reason, the words that show
it."""

from __future__ import annotations

from textual.content import Content

from studio.store.records import Judgement, TraitScore
from studio.tui.text import join, line
from studio.tui.widgets.facts import facts

STYLES = {2: "$success", 1: "$warning", 0: "$error"}
NAME = 17
"""Cells that the names take at least."""


def trait_marks(judgement: Judgement, width: int) -> Content:
    return facts(((name, _mark(score)) for name, score in judgement.traits.items()), width, name_width=NAME)


def _mark(score: TraitScore) -> Content:
    quote = line(f'"{score.quote}"' if score.quote else "", "$quiet")
    expected = "" if score.estimate is None else f"{score.estimate:.2f} expected  "
    return join(
        (f"{score.score}  ", f"{STYLES[score.score]} bold"), (expected, "$quiet"), line(score.rationale), "  ", quote
    )
