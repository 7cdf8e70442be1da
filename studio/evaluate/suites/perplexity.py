"""Perplexity on neutral text: twenty passages of our own, scored as replies by the base and by the tuned model.

Each model is loaded in a process of its own, one after the other, by :mod:`studio.serve.logprobs`; whatever else holds
the accelerator has to have ended before.
"""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from statistics import fmean

from studio.chatml import user
from studio.errors import UserError
from studio.evaluate.suites.types import Perplexity
from studio.serve import ServeParams
from studio.serve.logprobs import Reply, RunQuestion, by_run

ASKED = "Write one paragraph of plain prose."
"""The turn before each passage: the same for all, so that it favours none."""


@cache
def passages() -> tuple[str, ...]:
    """About two thousand words in twenty paragraphs: places, science, letters, notices, stories."""
    text = (files("studio.evaluate.suites") / "neutral.txt").read_text(encoding="utf-8")
    return tuple(" ".join(part.split()) for part in text.split("\n\n") if part.strip())


async def measure(params: ServeParams) -> Perplexity:
    """Of a run's base and adapter. Raises :class:`studio.errors.UserError` where a model cannot be loaded."""
    replies = tuple(Reply(messages=(user(ASKED),), text=passage) for passage in passages())
    tuned = await by_run(RunQuestion(params=params, replies=replies))
    base = await by_run(RunQuestion(params=params.model_copy(update={"adapter_path": None}), replies=replies))
    if [row.taught for row in base.rows] != [row.taught for row in tuned.rows]:
        raise UserError("base and adapter have different tokenizers: their perplexities cannot be compared")
    return Perplexity(
        base=tuple(-fmean(row.logprobs) for row in base.rows), tuned=tuple(-fmean(row.logprobs) for row in tuned.rows)
    )
