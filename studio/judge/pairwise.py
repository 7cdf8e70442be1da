"""Pairwise comparison of two replies: by a model in both orders, because judges favour a place; or by two totals."""

from __future__ import annotations

import asyncio

from studio.chatml import Messages
from studio.judge.prompt import compare_messages
from studio.judge.rubric import Preference
from studio.judge.types import Comparison
from studio.llm import ChatModel, ModelError, Request, Sampling
from studio.spec import LoadedSpec
from studio.store.records import Judgement

MARGIN = 0.5
"""Totals, 0..10, that differ by no more than this are a tie: half of what one mark of one trait in five is worth."""
_SAMPLING = Sampling(max_tokens=300)


async def compare(model: ChatModel, loaded: LoadedSpec, messages: Messages, base: str, tuned: str) -> Comparison:
    """The verdict over (base, tuned) and (tuned, base); where they disagree it is a tie.

    ``messages`` is the conversation up to the user's turn. Equal replies are a tie that nobody is asked about.
    """
    if base.strip() == tuned.strip():
        return tie(model.name, rationale="Both replies are the same.")
    try:
        forward, backward = await asyncio.gather(
            _prefer(model, loaded, messages, base, tuned), _prefer(model, loaded, messages, tuned, base)
        )
    except ModelError as error:
        return tie(model.name, error=str(error))
    orders, why = (forward.winner, backward.winner), forward.rationale
    if orders == ("first", "second"):
        return Comparison(judge=model.name, winner="base", orders=orders, rationale=why)
    if orders == ("second", "first"):
        return Comparison(judge=model.name, winner="tuned", orders=orders, rationale=why)
    return Comparison(judge=model.name, winner="tie", orders=orders, rationale=why)


def compare_totals(base: Judgement, tuned: Judgement, margin: float = MARGIN) -> Comparison:
    """The reply with the higher total wins, by more than ``margin``; one that crosses a boundary loses to one that does
    not. Both orders are the same. Where a total is missing it is an error, and no tie that counts."""
    error = base.error or tuned.error
    if error or base.total is None or tuned.total is None:
        return tie(tuned.judge, error=error or "not every trait could be scored")
    crossed = [any(one.kind == "boundary" for one in side.violations) for side in (base, tuned)]
    difference = tuned.total - base.total
    rationale = f"totals {base.total:.1f} and {tuned.total:.1f}"
    if crossed[0] != crossed[1]:
        difference, rationale = 10.0 if crossed[0] else -10.0, "one of the two crosses a boundary"
    if abs(difference) <= margin:
        return tie(tuned.judge, rationale=rationale)
    if difference > 0:
        return Comparison(judge=tuned.judge, winner="tuned", orders=("second", "first"), rationale=rationale)
    return Comparison(judge=tuned.judge, winner="base", orders=("first", "second"), rationale=rationale)


def tie(judge: str, *, rationale: str = "", error: str | None = None) -> Comparison:
    """A tie, or a comparison that could not be made (``error``), which counts for nothing."""
    return Comparison(judge=judge, winner="tie", orders=("tie", "tie"), rationale=rationale, error=error)


async def _prefer(model: ChatModel, loaded: LoadedSpec, messages: Messages, first: str, second: str) -> Preference:
    request = Request(
        purpose="compare",
        messages=compare_messages(loaded, messages, first, second),
        sampling=_SAMPLING,
    )
    return (await model.structured(request, Preference)).value
