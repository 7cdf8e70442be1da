"""The budget: no call is sent that could cost more than is left of it, what is under way reserved.

A call is reserved at the price of its longest answer, and counts by what is on record once it is there. What was spent
is read from the record, and what is reserved is kept beside it (``reservations.py``): so the limit holds over restarts,
and for all processes of a workspace together.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakKeyDictionary

from studio.errors import UserError
from studio.llm.errors import AttemptError
from studio.llm.ledger import CallLog
from studio.llm.prices import cost_usd, dollars, load_prices
from studio.llm.reservations import Reservations, reservations_at
from studio.llm.response import Tokens
from studio.llm.settings import JUDGE_PRICE_VARIABLE, PRICE_VARIABLE, ModelSettings
from studio.llm.types import Purpose

_CHARACTERS_A_TOKEN = 2
"""Of ASCII; English has four. Of other text every byte is counted, which no tokenizer exceeds."""
_TOKENS_A_MESSAGE = 8
_SOON_S, _LOOK_S = 0.002, 0.2
"""When to look again: while another process decides, and while others have reserved what is left."""
_FIRST: tuple[Purpose, ...] = ("judge", "compare")
"""They complete what was paid for already."""


def longest_usd(settings: ModelSettings, model: str, body: Mapping[str, Any]) -> float | None:
    """US dollars of the longest answer that a chat completion with this ``body`` can have; None where no price is
    known."""
    room = body.get("max_completion_tokens") or body.get("max_tokens") or 0
    return cost_usd(settings, model, Tokens(prompt_tokens=prompt_tokens(body), completion_tokens=room))


def prompt_tokens(body: Mapping[str, Any]) -> int:
    """The tokens of a prompt, estimated generously: a schema that is sent along is one part of it."""
    messages = body.get("messages", ())
    said = "".join(str(message.get("content")) for message in messages)
    if (schema := body.get("response_format")) is not None:
        said += json.dumps(schema)
    size = len(said.encode(errors="replace"))
    wide = size - sum(map(str.isascii, said)) if not said.isascii() else 0
    return wide + (size - wide) // _CHARACTERS_A_TOKEN + _TOKENS_A_MESSAGE * (len(messages) + 1)


async def check_priced(settings: ModelSettings, model: str, variable: str = PRICE_VARIABLE) -> None:
    """Raises :class:`UserError` where the budget cannot hold, because nobody knows what ``model`` costs."""
    if settings.max_cost_usd is None:
        return
    await load_prices(settings)
    if cost_usd(settings, model, Tokens()) is None:
        remedy = f"set {variable} to its dollars a million tokens, as 0.25/2, or leave --max-cost out"
        raise UserError(f"no price is known of {model} at {settings.place}", where="--max-cost", remedy=remedy)


async def check_budget(settings: ModelSettings, *, author: bool = True, judge: bool = True) -> None:
    """The same for those of the settings who are asked at an endpoint."""
    if author and settings.author_local is None and not settings.offline and settings.model is not None:
        await check_priced(settings, settings.model)
    judging = settings.judging
    if judge and not judging.offline and judging.model is not None:
        same = judging.model == settings.model and settings.judge_endpoint is None
        await check_priced(judging, judging.model, PRICE_VARIABLE if same else JUDGE_PRICE_VARIABLE)


class Hold:
    """The part of a budget that one call keeps while it is under way: the price of its longest answer."""

    def __init__(self, budget: Budget, usd: float, limit: float, log: CallLog, *, first: bool) -> None:
        self._budget, self.usd, self.limit, self.log, self._first = budget, usd, limit, log, first
        self._kept = self._sent = False

    async def before_try(self) -> None:
        """To be awaited before each try: one that came to nothing may have cost as much, and is on record."""
        if self._sent:
            self.give_back()
            await self.take()
        self._sent = True

    async def take(self) -> None:
        """Wait until it fits, where only others under way leave too little. Raises :class:`AttemptError` ``budget``
        where it does not fit into what is left."""
        granted = self._budget.ask(self, self._first)
        try:
            await granted
        except asyncio.CancelledError:
            self._budget.forget(self)
            self._kept = granted.done() and not granted.cancelled() and granted.exception() is None
            self.give_back()
            raise
        self._kept = True

    def give_back(self) -> None:
        if self._kept:
            self._kept = False
            self._budget.give_back(self.usd)


class Budget:
    """The calls of one event loop that go on one record, and wait for a part of its budget."""

    def __init__(self, reservations: Reservations) -> None:
        self._reservations = reservations
        self._waiting: tuple[dict[Hold, asyncio.Future[None]], dict[Hold, asyncio.Future[None]]] = ({}, {})
        """Judgements, which go first, and all others."""
        self._timer: asyncio.TimerHandle | None = None

    @asynccontextmanager
    async def reserved(self, usd: float, limit: float, log: CallLog, purpose: Purpose) -> AsyncIterator[Hold]:
        """Hold ``usd`` of ``limit`` while a call is under way; raises as :meth:`Hold.take`."""
        hold = Hold(self, usd, limit, log, first=purpose in _FIRST)
        await hold.take()
        try:
            yield hold
        finally:
            hold.give_back()

    def ask(self, hold: Hold, first: bool) -> asyncio.Future[None]:
        granted = asyncio.get_running_loop().create_future()
        self._waiting[not first][hold] = granted
        self._look()
        return granted

    def forget(self, hold: Hold) -> None:
        for queue in self._waiting:
            queue.pop(hold, None)
        self._look()

    def give_back(self, usd: float) -> None:
        self._reservations.give_back(usd)
        self._look()

    def _look(self) -> None:
        """Let in who fits, in order; nobody overtakes one that waits for others, or it might wait for ever."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not any(self._waiting):
            return
        with self._reservations.deciding() as reserved:
            waits = reserved is None or self._let_in(reserved)
        if waits and self._reservations.shared:  # nobody tells of what another process gives back
            again = _SOON_S if reserved is None else _LOOK_S
            self._timer = asyncio.get_running_loop().call_later(again, self._look)

    def _let_in(self, reserved: float) -> bool:
        """Whether somebody waits on for what is ``reserved``."""
        for queue in self._waiting:
            while queue:
                hold = next(iter(queue))
                spent = hold.log.spent().cost_usd
                fits = not hold.usd or spent + reserved + hold.usd <= hold.limit
                if not fits and reserved:
                    return True
                granted = queue.pop(hold)
                if granted.done():  # cancelled meanwhile
                    continue
                if fits:
                    reserved += hold.usd
                    self._reservations.add(hold.usd)
                    granted.set_result(None)
                else:
                    granted.set_exception(AttemptError("budget", _used_up(hold, spent)))
        return False


def _used_up(hold: Hold, spent: float) -> str:
    return (
        f"the budget of {dollars(hold.limit)} is used up: {dollars(spent)} spent, and the next answer may cost "
        f"{dollars(hold.usd)}: raise --max-cost; what is done is kept"
    )


_Loop = asyncio.AbstractEventLoop
_BUDGETS: WeakKeyDictionary[_Loop, WeakKeyDictionary[CallLog, Budget]] = WeakKeyDictionary()


def budget_of(log: CallLog) -> Budget:
    """The one of all calls on this record in the running loop: an author and a judge share it, and nobody overtakes."""
    here = _BUDGETS.setdefault(asyncio.get_running_loop(), WeakKeyDictionary())
    found = here.get(log)
    if found is None:
        found = here[log] = Budget(reservations_at(log.path.parent if log.path is not None else None))
    return found
