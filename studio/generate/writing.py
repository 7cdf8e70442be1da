"""Writing: one chain from an attempt to an example, that is the author's answer, screened, and judged as it comes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from typing import Any, Literal

from studio.generate.again import Again
from studio.generate.author import Author, example_of
from studio.generate.collapse import CollapseMonitor
from studio.generate.plan import Attempt
from studio.generate.rejudge import Rejudge
from studio.generate.screening import Screening, fitted, rejection
from studio.generate.types import GenerateParams
from studio.judge import Judge
from studio.llm import ModelError
from studio.spec import LoadedSpec
from studio.store import Example, ExampleStore, Judgement

Outcome = Literal["accepted", "rejected", "pending", "none"]
OUTCOMES: dict[str, Outcome] = {"passed": "accepted", "failed": "rejected", "unscored": "pending", "error": "pending"}
"""By verdict."""


@dataclass(frozen=True)
class Written:
    """What became of an attempt: an example and its judgement, or the error for which one of them is not there."""

    attempt: Attempt
    example: Example | None = None
    judgement: Judgement | None = None
    error: ModelError | None = None
    stored: bool = False
    """Whether the example is in the store already, since it was written before, and could not be judged."""


class Writing:
    """Writes the attempts of one run, as ``author``; what the server failed is tried again, by ``rejudge`` where only
    the judgement is missing. After ``lost``, since nobody could keep it, nothing more is judged."""

    def __init__(
        self,
        loaded: LoadedSpec,
        store: ExampleStore,
        params: GenerateParams,
        author: Author,
        judge: Judge,
        *,
        screening: Screening,
        rejudge: Rejudge,
        collapse: CollapseMonitor,
        lost: Callable[[], bool],
        job_id: str,
    ) -> None:
        self._loaded, self._store, self._params, self._job_id = loaded, store, params, job_id
        self._author, self._judge, self._screening, self._rejudge = author, judge, screening, rejudge
        self._collapse, self._lost = collapse, lost
        self._desk = asyncio.Lock()
        self._again = Again[Written]()

    def take(
        self, following: Callable[[], Attempt | None], under_way: int, stop: Callable[[], bool]
    ) -> Coroutine[Any, Any, Written] | None:
        """The next chain to begin: what failed, or the attempt that is ``following``, as
        :meth:`studio.generate.again.Again.take`."""

        def new() -> Coroutine[Any, Any, Written] | None:
            return self.write(attempt) if (attempt := following()) is not None else None

        return self._again.take(new, self._tried_again, under_way, stop)

    async def write(self, attempt: Attempt) -> Written:
        """One chain: the author's answer, and its judgement as soon as it is there."""
        if (avoid := self._collapse.avoid(attempt.example_id)) and not attempt.messages:
            attempt = replace(attempt, more=(avoid,))
        try:
            draft = await self._author.write(attempt)
        except ModelError as error:
            return Written(attempt, error=error)
        async with self._desk:  # milliseconds each: between two of them the loop puts other answers on record
            await asyncio.sleep(0)
            found = self._screening.screen(attempt.example_id, draft.messages)
            if not attempt.messages:  # of a recording nothing can be written otherwise
                await self._collapse.add(draft.messages)
        example = example_of(self._loaded, attempt, draft, self._author.name, found, self._job_id)
        if found.reason is not None:
            return Written(attempt, example, rejection(self._loaded, draft.messages, found))
        if self._lost():  # nobody could keep a judgement; the draft is on record
            return Written(attempt, error=ModelError("stopped", "not judged: the store is lost"))
        judgement = await self._judge.score(draft.messages, attempt.scenario)
        if self._params.check_fit:
            judgement = await fitted(self._judge, judgement, draft.messages, attempt.person)
        failed = self._judge.last_error
        self._screening.judged(attempt.example_id, judgement)
        return Written(attempt, example, judgement, failed)

    def landed(self, written: Written) -> Outcome | None:
        """Store what was written: what became of it, None as long as it is set aside to be tried again. Raises OSError
        where the store is lost."""
        attempt, judgement = written.attempt, written.judgement
        if written.example is None or judgement is None:
            return None if self._again.failed(attempt.example_id, written, written.error) else "none"
        if written.stored:
            self._store.add_judgement(attempt.example_id, judgement)
        else:
            self._store.add_person(attempt.person)
            self._store.add_example(written.example, judgement)
            self._collapse.end(attempt.example_id)
        if judgement.verdict != "error":
            self._again.answered()
        elif self._again.failed(attempt.example_id, written, written.error):
            return None
        return OUTCOMES[judgement.verdict]

    def leave(self) -> list[tuple[Attempt, Outcome]]:
        """What is still set aside, and what became of it; none of it is tried again."""
        return [(one.attempt, "pending" if one.example else "none") for one in self._again.leave()]

    async def _tried_again(self, failed: Written) -> Written:
        """What an earlier try had come to is there: only what the server failed is asked of it again."""
        row = self._store.row(failed.attempt.example_id) if failed.example is not None else None
        if row is None:
            return await self.write(failed.attempt)
        judged = await self._rejudge.judge(row)
        return Written(failed.attempt, row.example, judged.judgement, judged.error, stored=True)
