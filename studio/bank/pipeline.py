"""The pipeline that has a model write people: attempts asked many at once, each answer filtered, compared and stored.

Where it is killed and started again it asks what was under way in the same words, so that answers on record are used,
and goes on from there.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import AsyncGenerator, Callable, Sequence
from typing import Protocol

from studio.bank.answer import PersonAnswer, person_request
from studio.bank.journal import Attempt, Journal
from studio.bank.person import Person
from studio.bank.quality import Intake, Reason, Removal
from studio.bank.types import (
    HopFinished,
    PeopleEvent,
    PeopleFinished,
    PeopleProgressed,
    PeopleStarted,
    PersonFailed,
    PersonRemoved,
    PersonTaken,
)
from studio.inference import CountedCalls
from studio.llm import ChatModel, ModelError, drain, waiting
from studio.store import ExampleStore
from studio.store.records import Method

MOST_FAILED = 10
"""Calls that fail for good one after the other, each after its own retries, end the run."""
MOST_REMOVED = 100
"""Answers in a row of which nobody was taken end it too: there is nobody new to be had."""
TICK_S, TELL_S = 0.2, 0.5
_WINDOW_S = 30.0


class Plan(Protocol):
    """Whom to ask for next. Called by one task at a time, also in a thread."""

    method: Method
    wanted: int
    """People the run is to come to, at most."""
    schema: type[PersonAnswer]
    note: str
    told: list[HopFinished]
    """What it has to tell; emptied by whoever tells it."""

    def next(self) -> Attempt | None:
        """The next attempt; None where there is none just now, or at all."""

    def began(self, attempt: Attempt) -> None:
        """An attempt of an earlier start is on record. All are told, oldest first, before anything is settled."""

    def settled(self, attempt: Attempt, person: Person | None, removal: Removal | None) -> None:
        """Somebody of an attempt was stored or removed; neither where the call failed. Also told of earlier starts."""

    def end(self) -> None:
        """Nothing more is under way, and nothing will be asked: what is left to tell goes to ``told``."""
        return


class Pipeline:
    """One run of a plan. ``there`` is everybody in the store. ``replaces``: whoever is made takes the place of their
    first parent."""

    def __init__(
        self,
        plan: Plan,
        model: ChatModel,
        store: ExampleStore,
        intake: Intake,
        journal: Journal,
        calls: CountedCalls,
        *,
        concurrency: int = 32,
        there: Sequence[Person] = (),
        replaces: bool = False,
        retry_failed: bool = False,
    ) -> None:
        self._plan, self._model, self._store, self._intake = plan, model, store, intake
        self._journal, self._calls, self._concurrency = journal, calls, concurrency
        self._replaces, self._retry_failed = replaces, retry_failed
        self._pending: deque[Attempt] = deque()
        self._people = {person.id: person for person in there}
        self._reasons: Counter[Reason] = Counter()
        self._done, self._known, self._errors = 0, 0, 0
        self._failed_in_a_row, self._removed_in_a_row = 0, 0
        self._fatal: ModelError | None = None
        self._took: deque[float] = deque()
        self._began = self._told = time.monotonic()

    async def events(
        self, stop: Callable[[], bool], cancel: Callable[[], bool] = lambda: False
    ) -> AsyncGenerator[PeopleEvent, None]:
        """Everything it does, the last event is :class:`PeopleFinished`; after it :class:`studio.llm.ModelError` is
        raised where the model failed for good. An event comes after what it tells is on the disk.

        After ``stop`` nothing new begins and what is under way comes back in its own time; after ``cancel`` it is left.
        """
        await asyncio.to_thread(self._restore)
        plan = self._plan
        yield PeopleStarted(
            method=plan.method, model=self._model.name, wanted=plan.wanted, known=self._known, note=plan.note
        )
        tasks: dict[asyncio.Task[PersonAnswer], Attempt] = {}
        stopping = False
        try:
            while True:
                if not stopping and stop():
                    stopping = True
                    drain()
                while not stopping and not self._ends(len(tasks)) and len(tasks) < self._concurrency:
                    attempt = await self._take()
                    for hop in self._hops():
                        yield hop
                    if attempt is None:
                        break
                    tasks[asyncio.ensure_future(self._ask(attempt))] = attempt
                if not tasks or (stopping and cancel()):
                    break
                done, _ = await asyncio.wait(tasks, timeout=TICK_S, return_when=asyncio.FIRST_COMPLETED)
                for task in done:
                    for event in await self._landed(tasks.pop(task), task):
                        yield event
                if time.monotonic() - self._told >= TELL_S:
                    self._told = time.monotonic()
                    yield self._progress()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.to_thread(self._plan.end)
        for hop in self._hops():
            yield hop
        yield self._progress()
        yield self._finished(stopped=stopping)
        if self._fatal is not None and not stopping:
            raise self._fatal

    # --- before it begins

    def _restore(self) -> None:
        """Tell the plan of what is settled, settle whoever was stored, and line up what was under way."""
        for attempt in self._journal.attempts.values():
            self._plan.began(attempt)
        for id, attempt in self._journal.attempts.items():
            removal = self._journal.settled.get(id)
            if id in self._people and removal is None:
                if id not in self._journal.settled:  # killed between the store and the journal
                    self._journal.settle(id)
                self._done += 1
                self._plan.settled(attempt, self._people[id], None)
            elif id in self._journal.settled:
                if removal is not None:
                    self._reasons[removal.reason] += 1
                self._plan.settled(attempt, None, removal)
            elif id in self._journal.given_up and not self._retry_failed:
                self._plan.settled(attempt, None, None)
            else:
                self._pending.append(attempt)
        self._known = self._done

    # --- asking

    def _ends(self, under_way: int) -> bool:
        return (
            self._fatal is not None
            or self._done + under_way >= self._plan.wanted
            or self._removed_in_a_row >= MOST_REMOVED
        )

    async def _take(self) -> Attempt | None:
        if self._pending:
            return self._pending.popleft()
        attempt = await asyncio.to_thread(self._plan.next)
        if attempt is not None:
            self._journal.begin(attempt)
        return attempt

    async def _ask(self, attempt: Attempt) -> PersonAnswer:
        answer = await self._model.structured(person_request(attempt.prompt, attempt.id), self._plan.schema)
        return answer.value

    # --- answers

    async def _landed(self, attempt: Attempt, task: asyncio.Task[PersonAnswer]) -> list[PeopleEvent]:
        try:
            answer = task.result()
        except ModelError as error:
            if error.kind == "stopped":  # it had not begun
                return []
            return [self._failed(attempt, error)]
        self._failed_in_a_row = 0
        person = answer.person(attempt.drawn).model_copy(update={"model": self._model.name})
        shown = [self._people[id] for id in attempt.references if id in self._people]
        removal = await asyncio.to_thread(self._intake.take, person, shown)
        event: PeopleEvent
        if removal is None:
            self._keep(person)
            self._removed_in_a_row = 0
            event = PersonTaken(id=person.id)
        else:
            self._reasons[removal.reason] += 1
            self._removed_in_a_row += 1
            event = PersonRemoved(**removal.model_dump(exclude={"text"}))
        self._journal.settle(attempt.id, removal)
        self._plan.settled(attempt, person if removal is None else None, removal)
        return [event, *self._hops()]

    def _keep(self, person: Person) -> None:
        if self._replaces and person.parents:
            self._store.replace_person(person.parents[0], person)
        else:
            self._store.add_person(person)
        self._people[person.id] = person
        self._done += 1
        self._took.append(time.monotonic())

    def _failed(self, attempt: Attempt, error: ModelError) -> PersonFailed:
        self._errors += 1
        self._failed_in_a_row += 1
        if error.fatal or self._failed_in_a_row >= MOST_FAILED:
            self._fatal = self._fatal or error
        if error.kind in ("malformed", "refused"):
            self._journal.give_up(attempt.id, str(error))
        self._plan.settled(attempt, None, None)
        return PersonFailed(id=attempt.id, error=str(error))

    def _hops(self) -> Sequence[HopFinished]:
        told, self._plan.told = self._plan.told, []
        return told

    # --- telling

    def _progress(self) -> PeopleProgressed:
        now = time.monotonic()
        while self._took and self._took[0] < now - _WINDOW_S:
            self._took.popleft()
        rate = len(self._took) / max(1e-3, min(_WINDOW_S, now - self._began))
        return PeopleProgressed(
            done=self._done,
            wanted=self._plan.wanted,
            removed=self._reasons.total(),
            errors=self._errors,
            reasons=dict(self._reasons),
            cost_usd=self._calls.cost_usd,
            rate=rate,
            eta_s=(self._plan.wanted - self._done) / rate if rate and len(self._took) > 2 else None,
            waiting=waiting(),
        )

    def _finished(self, *, stopped: bool) -> PeopleFinished:
        complete = self._done >= self._plan.wanted
        return PeopleFinished(
            method=self._plan.method,
            done=self._done,
            wanted=self._plan.wanted,
            known=self._known,
            removed=self._reasons.total(),
            reasons=dict(self._reasons),
            errors=self._errors,
            calls=self._calls.calls,
            cost_usd=self._calls.cost_usd,
            seconds=time.monotonic() - self._began,
            complete=complete,
            note="" if complete else self._ending(stopped),
            journal=str(self._journal.path),
        )

    def _ending(self, stopped: bool) -> str:
        missing = self._plan.wanted - self._done
        if stopped:
            return f"stopped, {missing} are missing; the same command goes on"
        if self._fatal is not None:
            return f"the model failed, {missing} are missing; the same command goes on"
        if self._removed_in_a_row >= MOST_REMOVED:
            most = self._reasons.most_common(1)[0][0]
            return (
                f"nobody new in the last {MOST_REMOVED} answers, most went for {most}; another --seed or model may help"
            )
        return self._plan.note or f"nobody is left to ask for, {missing} are missing"
