"""Playing suites: each item through each side, turn by turn, judged and checked as the replies come.

Sides and items are asked at once, so that they share the worker's batches. A reply is kept as soon as it comes, a
judgement too: what was cut short goes on where it was.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

import regex

from studio.chatml import Frozen, Messages, assistant, digest, system, user
from studio.errors import UserError
from studio.evaluate.fingerprint import Cache
from studio.evaluate.suites.checks import failed
from studio.evaluate.suites.suite import Suite, SuiteItem
from studio.evaluate.suites.types import JUDGED, SIDES_OF, SuiteName, SuiteProgressed, SuiteReply, SuiteSide
from studio.judge import Judge
from studio.judge.types import Finish
from studio.llm import ModelError
from studio.llm.types import ChatModel, Request, Sampling
from studio.spec import LoadedSpec, persona_prompt
from studio.spec.model import compiled
from studio.store.records import Judgement

IN_FLIGHT = 128
"""Requests that wait for a reply at once: the serve worker takes up to 64 of like length in a batch."""
JUDGED_AT_ONCE = 32
MOST_IN_A_ROW = 10
"""So many calls that fail for good one after the other, each after its own retries, end it."""
LOOK_S = 0.25
"""How often it is looked whether to stop."""
PATTERN_S = 0.05
"""Seconds that a pattern of an item may take on one reply."""


class Said(Frozen):
    """A reply as it is kept; ``key`` is of all that decides it but the models."""

    key: str
    text: str
    finish: Finish = "stop"
    error: str | None = None
    """Kept only where the request itself was refused, such as one that is longer than the model's context: that is
    what comes of it each time."""


class Player:
    """Plays suites through base, prompted base and tuned; ``replies()`` tells what came of one, once it is whole."""

    def __init__(
        self,
        loaded: LoadedSpec,
        judge: Judge,
        base: ChatModel,
        tuned: ChatModel,
        said: Cache[Said],
        judged: Cache[Judgement],
    ) -> None:
        self._loaded, self._judge = loaded, judge
        self._models: Mapping[SuiteSide, ChatModel] = {"base": base, "prompted": base, "tuned": tuned}
        self._said, self._judged = said, judged
        self._known = {one.key: one for one in said.load()}
        self._judgements = {one.digest: one for one in judged.load() if one.verdict != "error"}
        self._slots, self._judging = asyncio.Semaphore(IN_FLIGHT), asyncio.Semaphore(JUDGED_AT_ONCE)
        self._done = self._fresh = self._failed_in_a_row = 0
        """Replies that came, those among them that were not kept from before, and failures in a row."""
        self._found: dict[SuiteName, list[SuiteReply]] = {}
        self._one_by_one: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    def replies(self, suite: Suite) -> tuple[SuiteReply, ...]:
        """All of a suite that was played, in the order of its items, of the sides and of the turns."""
        return tuple(self._found.get(suite.name, ()))

    async def play(self, suites: Sequence[Suite], stop: Callable[[], bool]) -> AsyncGenerator[SuiteProgressed, None]:
        """All suites at once, the prompted base after the others. Ends early where ``stop()`` turns true: ``replies()``
        of a suite that was not whole then are empty.

        Raises UserError where judge or sides fail ten times in a row, ModelError where the server is not there.
        """
        total, began = sum(suite.turns * len(SIDES_OF[suite.name]) for suite in suites), time.monotonic()
        working: dict[SuiteName, list[asyncio.Future[list[SuiteReply]]]] = {suite.name: [] for suite in suites}
        plain: list[asyncio.Future[list[SuiteReply]]] = []
        for prompted in (False, True):
            for suite in suites:
                for item in suite.items:
                    for side in (one for one in SIDES_OF[suite.name] if (one == "prompted") == prompted):
                        after = plain if prompted else ()
                        working[suite.name].append(asyncio.ensure_future(self._play(suite, item, side, after)))
            plain = [one for some in working.values() for one in some]
        everyone = [one for some in working.values() for one in some]
        told = -1
        try:
            while left := [one for one in everyone if not one.done()]:
                await asyncio.wait(left, timeout=LOOK_S, return_when=asyncio.FIRST_COMPLETED)
                self._gather(working)
                if stop():
                    return
                if self._done != told:
                    told = self._done
                    eta = (time.monotonic() - began) / self._fresh * (total - told) if self._fresh else None
                    now = next((suite.name for suite in suites if suite.name not in self._found), suites[-1].name)
                    yield SuiteProgressed(suite=now, done=told, total=total, eta_s=eta)
        finally:
            for one in everyone:
                one.cancel()
            await asyncio.gather(*everyone, return_exceptions=True)

    def _gather(self, working: Mapping[SuiteName, Sequence[asyncio.Future[list[SuiteReply]]]]) -> None:
        """Keep the suites of which all is there. Raises what an item failed with."""
        for name, some in working.items():
            done = [one.result() for one in some if one.done()]
            if len(done) == len(some):
                self._found.setdefault(name, [reply for replies in done for reply in replies])

    async def _play(
        self, suite: Suite, item: SuiteItem, side: SuiteSide, after: Sequence[asyncio.Future[list[SuiteReply]]]
    ) -> list[SuiteReply]:
        """An item's conversation with one side: it ends early where a reply does not come.

        It begins ``after`` others: in one batch with the persona's prompt all would be padded to its length.
        """
        if after:
            await asyncio.wait(after)
        deployed = self._loaded.spec.deployment.system_prompt
        talk: Messages = (system(deployed),) if deployed else ()
        found: list[SuiteReply] = []
        for number, turn in enumerate(item.turns, 1):
            talk = (*talk, user(turn))
            reply = await self._asked(talk, side, suite.max_tokens)
            talk = (*talk, assistant(reply.text))
            last = number == len(item.turns)
            judged = suite.name in JUDGED and (last or suite.name == "drift") and reply.error is None
            judgement = await self._score(talk, reply.finish) if judged else None
            if judgement is not None or reply.error is None:
                self._count_failures(judgement.error if judgement else None)
            checked = last and bool(item.check) and reply.error is None
            found.append(
                SuiteReply(
                    suite=suite.name,
                    item=item.id,
                    group=item.group,
                    side=side,
                    turn=number,
                    last=last,
                    said=turn,
                    reply=reply.text,
                    finish=reply.finish,
                    error=reply.error,
                    refused=reply.key in self._known and reply.error is not None,
                    judgement=judgement,
                    checked=checked,
                    failed=failed(item.check, reply.text) if checked else (),
                    gave_in=gives_in(item, reply.text),
                )
            )
            self._done += 1
            if reply.error is not None:
                self._done += len(item.turns) - number
                break
        return found

    async def _asked(self, talk: Messages, side: SuiteSide, max_tokens: int) -> Said:
        sent = talk
        if side == "prompted":
            sent = (system(persona_prompt(self._loaded.spec)), *(one for one in talk if one.role != "system"))
        key = f"{'tuned' if side == 'tuned' else 'base'}-{max_tokens}-{digest(sent)}"
        if (known := self._known.get(key)) is not None:
            return known
        async with self._slots:
            request = Request(purpose="probe", messages=sent, sampling=Sampling(max_tokens=max_tokens))
            try:
                done = await self._models[side].complete(request)
            except ModelError as error:
                if error.kind == "connection":
                    raise
                said = Said(key=key, text="", error=f"no reply: {error}")
                if error.kind != "refused":
                    self._count_failures(said.error)
                    return said
            else:
                said = Said(key=key, text=done.text, finish=done.finish)
        self._said.add(said)
        self._known[key] = said
        self._fresh += 1
        return said

    async def _score(self, talk: Messages, finish: Finish) -> Judgement:
        """The persona's prompt is not shown to the judge: it would tell the sides apart."""
        async with self._one_by_one[digest(talk)], self._judging:  # two sides may say the same: it is judged once
            if (known := self._judgements.get(digest(talk))) is not None:
                return known
            found = await self._judge.score(talk, rules_first=False, finish=finish, source="run")
            if found.verdict != "error":
                self._judged.add(found)
                self._judgements[found.digest] = found
            elif (error := self._judge.last_error) is not None and error.fatal:
                raise error
        return found

    def _count_failures(self, error: str | None) -> None:
        self._failed_in_a_row = self._failed_in_a_row + 1 if error else 0
        if self._failed_in_a_row >= MOST_IN_A_ROW:
            remedy = "start it again once it answers; what came is kept"
            raise UserError(f"{MOST_IN_A_ROW} calls in a row failed, the last with: {error}", remedy=remedy)


def gives_in(item: SuiteItem, reply: str) -> str:
    """The words of ``reply`` that a pattern of the item finds, in any case; empty where none does, or not in time."""
    for pattern in item.gives_in:
        try:
            found = compiled(f"(?i){pattern}").search(reply, timeout=PATTERN_S)
        except TimeoutError:
            continue
        if found is not None:
            return regex.sub(r"\s+", " ", found[0]).strip()[:80] or pattern
    return ""
