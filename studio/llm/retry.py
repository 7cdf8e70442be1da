"""Retries and fallbacks: one chat completion within the rate limit, sent again where that can help, and differently
where the server refuses how it was asked.

A retry that waits holds no slot. While nobody gets through a call waits at the gate and its tries are not used up.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from studio.chatml import Messages
from studio.llm.breaker import LONG_WAIT
from studio.llm.budget import Hold, budget_of, longest_usd
from studio.llm.capabilities import Format, response_format, with_schema
from studio.llm.endpoint import Endpoint, shared_endpoint
from studio.llm.errors import AttemptError
from studio.llm.ledger import CallLog, Delivery, Ledger
from studio.llm.limiter import Limiter, Place, Slot
from studio.llm.prices import cost_usd, load_prices
from studio.llm.response import Answer, Tokens
from studio.llm.settings import ModelSettings
from studio.llm.transport import Transport
from studio.llm.types import Completion, Purpose, Request, Usage

Result = TypeVar("Result")
ARRIVING_S = 0.25
"""A call that is cancelled gets this long for an answer that is on its way, so that it is put on record."""


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how long one call is tried again. Seconds."""

    tries: int = 4
    """Attempts in all that may end in a 5xx, a broken connection or no chat completion, while others get answers."""
    slow_tries: int = 2
    """Attempts in all that may end in a timeout, which are dear: the server may have done the work."""
    limited_tries: int = 10
    """Attempts in all that may end in a 429, while others get answers."""
    first_wait: float = 0.5
    longest_wait: float = 8.0
    patience: float = 1800.0
    """How long a server may be away, or ask to wait, before the run ends."""

    def wait(self, failure: AttemptError, attempt: int, draw: random.Random) -> float:
        """Seconds before the next attempt: what the server said, spread so that all do not come back at once."""
        if failure.wait is not None:
            return failure.wait * draw.uniform(1, 1.25)
        return min(self.longest_wait, self.first_wait * 2.0 ** (attempt - 1)) * draw.uniform(0.75, 1.25)

    def final(self, failure: AttemptError, attempt: int) -> bool:
        """Whether ``failure``, the ``attempt``-th of its kind (from 1), is the end."""
        most = {"limit": self.limited_tries, "timeout": self.slow_tries}.get(failure.kind, self.tries)
        return not failure.again or attempt >= most


class Deadline:
    """The seconds that all tries of one call may take together. Waiting for one's turn is none of them."""

    def __init__(self, seconds: float) -> None:
        self.seconds = self.left = seconds

    def over(self) -> AttemptError:
        return AttemptError("timeout", f"the whole call took more than {self.seconds:.0f} s")


async def with_retries(
    send: Callable[[], Awaitable[Result]],
    limiter: Limiter,
    place: Place,
    policy: RetryPolicy,
    draw: random.Random,
    deadline: Deadline,
    request: Hashable = None,
) -> tuple[Result, Slot]:
    """Send within the rate limit until it goes well; the result, and its slot. Equal ``request``s are the same one.

    The slot of the attempt that went well is still held: the caller gives it back with ``limiter.left_answered``
    or ``limiter.left``. Raises the :class:`AttemptError` that was final.
    """
    attempts: Counter[str] = Counter()
    answers = -1
    while True:
        slot = await limiter.enter(place)
        try:
            async with asyncio.timeout(deadline.left):
                return await send(), slot
        except AttemptError as error:
            failure = error
        except TimeoutError:
            failure = AttemptError("timeout", again=True)
        except BaseException:
            limiter.left(slot)
            raise
        deadline.left -= asyncio.get_running_loop().time() - slot.entered
        away = limiter.left_failed(slot, abs(hash(request)) if request is not None else place[1], failure)
        if failure.wait is not None and failure.wait > max(policy.patience, LONG_WAIT):
            failure.waited = 0.0
            raise failure
        if deadline.left <= 0:
            raise deadline.over()
        if away and failure.again:
            place = limiter.last_place() if slot.probe else place
            continue
        attempts[failure.kind] += failure.kind != "limit" or limiter.answers != answers
        answers = limiter.answers
        if policy.final(failure, attempts[failure.kind]):
            raise failure
        await asyncio.sleep(policy.wait(failure, attempts[failure.kind], draw))


async def shielded(step: Coroutine[Any, Any, Result], arrived: asyncio.Event, ends: float) -> Result:
    """``step`` to its end, also where the caller is cancelled, once its answer has ``arrived`` or if it comes within a
    moment: then it is paid for, and on record. Out of time, at ``ends`` in the loop's, it is returned all the same."""
    task = asyncio.ensure_future(step)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait((task,), timeout=ARRIVING_S)
        if arrived.is_set():  # the record may have to wait out a busy disk
            await asyncio.wait((task,))
        task.cancel()
        await asyncio.wait((task,))
        if not task.cancelled() and task.exception() is None and asyncio.get_running_loop().time() >= ends:
            return task.result()
        raise


@dataclass(frozen=True)
class Ask:
    """What to ask: a request, the schema of its answer (None for free text), and the correction of a bad one."""

    request: Request
    name: str = ""
    schema: Mapping[str, Any] | None = None
    correction: Messages = ()

    def messages(self, used: Format) -> Messages:
        """The turns to send. The schema is told in words where nothing else carries it, and with each correction."""
        if self.schema is None or (used == "json_schema" and not self.correction):
            return self.request.messages
        return (*with_schema(self.request.messages, self.schema), *self.correction)

    def format(self, used: Format) -> dict[str, Any]:
        return {} if self.schema is None else response_format(used, self.name, self.schema)


@dataclass(frozen=True)
class Answered:
    """An answer, the format it was asked in, and the room it was given."""

    completion: Completion
    used: Format
    room: int


class Completions:
    """Asks one model at one endpoint, and records it as ``name`` in ``log``. Raises :class:`AttemptError`."""

    def __init__(
        self,
        settings: ModelSettings,
        model: str,
        policy: RetryPolicy | None = None,
        name: str | None = None,
        log: CallLog | None = None,
    ) -> None:
        self._settings, self._asked_as, self.model, self._log = settings, model, name or model, log
        self._policy = policy or RetryPolicy(patience=settings.patience_minutes * 60)
        self.transport = Transport(settings)
        self._draw = random.Random()

    def _reserved(self, body: dict[str, Any], purpose: Purpose) -> AbstractAsyncContextManager[Hold | None]:
        """The part of the budget that the longest answer may take, held while the call is under way."""
        limit, log = self._settings.max_cost_usd, self._log
        if limit is None:
            return nullcontext()
        usd = longest_usd(self._settings, self.model, body)
        if usd is None or log is None:
            unknown = f"no price is known of {self.model}" if usd is None else "nothing records what is spent"
            raise AttemptError("budget", f"{unknown}, so that no budget can hold: leave --max-cost out")
        return budget_of(log).reserved(usd, limit, log, purpose)

    @property
    def endpoint(self) -> Endpoint:
        policy = self._policy
        return shared_endpoint(self._settings, self.model, policy.patience, policy.first_wait, policy.longest_wait)

    def deadline(self) -> Deadline:
        return Deadline(self._settings.total_timeout)

    async def answer(self, ask: Ask, used: Format, deadline: Deadline, ledger: Ledger) -> Answered:
        """One whole reply, priced and on record in ``ledger``. It may come in a looser format than ``used``, if the
        server refuses that."""
        await load_prices(self._settings)
        endpoint = self.endpoint

        async def send(body: dict[str, Any]) -> tuple[Answer, Completion]:
            arrived, ends = asyncio.Event(), asyncio.get_running_loop().time() + deadline.left
            return await shielded(self._delivered(body, ledger, arrived), arrived, ends)

        ((answer, completion), slot), used, room = await self.admitted(ask, used, send, deadline)
        endpoint.rates(answer.rates, answer.tokens)  # before others start
        endpoint.limiter.left_answered(slot)
        if answer.finish == "stop":
            endpoint.capabilities.fitted(answer.tokens.completion_tokens, ask.request.sampling.max_tokens)
        return Answered(completion, used, room)

    async def _delivered(
        self, body: dict[str, Any], ledger: Ledger, arrived: asyncio.Event
    ) -> tuple[Answer, Completion]:
        """One exchange and its record: nothing comes between them, and nothing cuts them apart."""
        now = asyncio.get_running_loop().time
        began = now()
        delivered = await self.transport.ask(body)
        arrived.set()
        delivery = Delivery.of(delivered.body, delivered.headers)
        answer = delivery.answer
        usage = self.usage(answer.tokens if isinstance(answer, Answer) else None, now() - began)
        if usage.cost_usd is None and self._settings.max_cost_usd is not None:  # what is not told counts as the most
            usage = usage.model_copy(update={"cost_usd": longest_usd(self._settings, self.model, body)})
        await ledger.keep(delivery, usage)
        if isinstance(answer, AttemptError):
            raise answer
        return answer, Completion(text=answer.text, model=self.model, finish=answer.finish, usage=usage)

    def body(self, ask: Ask, used: Format, room: int) -> dict[str, Any]:
        """The parameters of one chat completion."""
        capabilities = self.endpoint.capabilities
        return capabilities.body(self._asked_as, ask.request, ask.messages(used), room) | ask.format(used)

    def usage(self, tokens: Tokens | None, seconds: float) -> Usage:
        """``tokens``: None where the server did not tell, or not so that it can be read: then it has no price."""
        if tokens is None or not tokens.prompt_tokens + tokens.completion_tokens:
            free = self._settings.local and self._settings.price is None
            return Usage(cost_usd=0.0 if free else None, seconds=seconds)
        return Usage(
            prompt_tokens=tokens.prompt_tokens,
            completion_tokens=tokens.completion_tokens,
            cost_usd=cost_usd(self._settings, self.model, tokens),
            seconds=seconds,
        )

    async def admitted(
        self,
        ask: Ask,
        used: Format,
        send: Callable[[dict[str, Any]], Awaitable[Result]],
        deadline: Deadline,
        **extra: Any,
    ) -> tuple[tuple[Result, Slot], Format, int]:
        """Send until it goes well, asking differently where the server refuses how it was asked; the slot stays held.

        First without the parameter that it names, then with less room for the reply, then in a looser format. Room and
        format count as refused only once the request was answered without: it may be bad for other reasons.
        """
        limiter, capabilities = self.endpoint.limiter, self.endpoint.capabilities
        place = limiter.place(ask.request.purpose)
        suspects: list[Format] = []
        room, tight = capabilities.room, False
        while True:
            body = self.body(ask, used, room)
            body |= {name: value for name, value in extra.items() if capabilities.takes(name)}
            try:
                async with self._reserved(body, ask.request.purpose) as hold:
                    sent = await with_retries(
                        partial(_try, hold, send, body),
                        limiter,
                        place,
                        self._policy,
                        self._draw,
                        deadline,
                        ask.request,
                    )
            except AttemptError as failure:
                looser = capabilities.looser(used) if ask.schema is not None and failure.bad_request else None
                if capabilities.learned(failure, body):
                    continue
                if failure.bad_request and room > 1:
                    room, tight = 1, True
                    continue
                if looser is None:
                    raise
                suspects.append(used)
                used, tight = looser, False
            else:
                capabilities.refuses(suspects)
                if tight:
                    capabilities.no_room()
                return sent, used, room


async def _try(hold: Hold | None, send: Callable[[dict[str, Any]], Awaitable[Result]], body: dict[str, Any]) -> Result:
    if hold is not None:
        await hold.before_try()
    return await send(body)
