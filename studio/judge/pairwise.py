"""Comparing two replies in both orders, because judges favour a place."""

from __future__ import annotations

import asyncio

from studio.chatml import Messages
from studio.judge.schema import Preference
from studio.judge.types import CompareBrief, Comparison
from studio.llm import ChatModel, ModelError, Request, Sampling
from studio.spec import Spec, compare_messages

_SAMPLING = Sampling(max_tokens=300)


async def compare(model: ChatModel, spec: Spec, messages: Messages, base: str, tuned: str) -> Comparison:
    """The verdict over (base, tuned) and (tuned, base); where they disagree it is a tie.

    ``messages`` is the conversation up to the user's turn. Equal replies are a tie that nobody is asked about.
    """
    if base.strip() == tuned.strip():
        return Comparison(winner="tie", orders=("tie", "tie"), rationale="Both replies are the same.")
    try:
        forward, backward = await asyncio.gather(
            _prefer(model, spec, messages, base, tuned), _prefer(model, spec, messages, tuned, base)
        )
    except ModelError as error:
        return Comparison(winner="tie", orders=("tie", "tie"), error=str(error))
    if (forward.winner, backward.winner) == ("first", "second"):
        return Comparison(winner="base", orders=("first", "second"), rationale=forward.rationale)
    if (forward.winner, backward.winner) == ("second", "first"):
        return Comparison(winner="tuned", orders=("second", "first"), rationale=forward.rationale)
    return Comparison(winner="tie", orders=(forward.winner, backward.winner), rationale=forward.rationale)


async def _prefer(model: ChatModel, spec: Spec, messages: Messages, first: str, second: str) -> Preference:
    request = Request(
        purpose="compare",
        messages=compare_messages(spec, messages, first, second),
        sampling=_SAMPLING,
        brief=CompareBrief(spec=spec, messages=messages, first=first, second=second),
    )
    return (await model.structured(request, Preference)).value
