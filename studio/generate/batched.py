"""Generating in batches, at half the price: what the plan wants next is submitted and left; called again it is
collected, judged by a batch of its own, and followed by what is still missing.

Each step sees how it stands from the store and the ledger alone, so that it may be killed anywhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from studio.bank import people_source
from studio.chatml import Frozen
from studio.errors import UserError
from studio.generate.author import ModelAuthor, example_of
from studio.generate.ledger import Ledger
from studio.generate.plan import Attempt
from studio.generate.rejudge import Rejudge, stale_ids
from studio.generate.screening import Screening, fitted, rejection
from studio.generate.shots import AcceptedShots
from studio.generate.submissions import FOLDER, ROLES, BatchStands, Models, Role, Submissions, Tell
from studio.generate.types import GenerateParams
from studio.generate.writing import OUTCOMES
from studio.jobs import active
from studio.judge import Judge, open_judge
from studio.llm import BatchModel, ModelError, ModelSettings, check_budget, dollars, learned_at
from studio.llm.batch import Wanted, fitting
from studio.llm.reservations import reservations_at
from studio.machine.lock import exclusive
from studio.spec import LoadedSpec
from studio.store import Judgement, Workspace


class BatchStep(Frozen):
    """What one step came to. ``batches`` are under way now; where there are none and it is not ``complete``, ``note``
    says why."""

    batches: tuple[BatchStands, ...] = ()
    collected: int = 0
    stored: int = 0
    complete: bool = False
    note: str = ""


async def generate_in_batches(
    loaded: LoadedSpec, workspace: Workspace, params: GenerateParams, tell: Tell = lambda _: None
) -> BatchStep:
    """Collect what has come, store what is whole, and submit what is wanted next.

    Raises :class:`UserError` where no model writes at an endpoint, examples are being made already, or another command
    does this; :class:`studio.llm.ModelError` where the server refuses, or nothing more fits into the budget.
    """
    async with _alone(loaded, workspace, params) as models:
        return await Step(loaded, workspace, params, models, tell).run()


async def cancel_batches(
    loaded: LoadedSpec, workspace: Workspace, params: GenerateParams, tell: Tell = lambda _: None
) -> tuple[BatchStands, ...]:
    """Have the server end its batches, record what it has answered by then, and forget the rest. Those that it is
    still about to end are returned: called again, they are looked at again. Raises as :func:`generate_in_batches`."""
    async with _alone(loaded, workspace, params) as models:
        submissions = Submissions(workspace, params.settings, models, tell)
        return tuple([stands for role in ROLES if (stands := await submissions.cancel(role)) is not None])


@asynccontextmanager
async def _alone(loaded: LoadedSpec, workspace: Workspace, params: GenerateParams) -> AsyncIterator[Models]:
    """Who is asked in batches, while nobody else makes examples."""
    settings = params.settings
    if settings.offline or settings.author_local is not None or settings.model is None:
        remedy = "name one that has the Batch API, such as OpenAI's: OPENAI_API_KEY, or --endpoint URL and --model NAME"
        raise UserError("a batch needs a model at an endpoint to write", where="--batch", remedy=remedy)
    if settings.judges or settings.judge_samples > 1:
        raise UserError("a batch has one judge, asked once", where="--batch", remedy="leave --judges out, or --batch")
    if (running := active(workspace.jobs_dir, "generate")) is not None:
        remedy = f"wait for it, or: studio jobs stop {running.id}"
        raise UserError("examples are being made already, one by one", where=running.id, remedy=remedy)
    await check_budget(settings)
    folder = workspace.folder / FOLDER
    folder.mkdir(exist_ok=True)
    with exclusive(folder / "lock", patience_s=1.0):
        async with learned_at(workspace.folder), _models(settings, loaded, workspace) as models:
            yield models


@asynccontextmanager
async def _models(settings: ModelSettings, loaded: LoadedSpec, workspace: Workspace) -> AsyncIterator[Models]:
    assert settings.model is not None, "it was checked"
    log, asked = workspace.examples, settings.judging
    judge = open_judge(settings, loaded, log)
    judging = None
    if judge.kind == "model" and asked.model is not None:
        judging = BatchModel(asked, asked.model, log)
        judge = Judge(judging, loaded)
    writing = BatchModel(settings, settings.model, log)
    try:
        yield Models(writing=writing, judging=judging, judge=judge)
    finally:
        await writing.close()
        await judge.close()


class Step:
    """One step. Use :func:`generate_in_batches`."""

    def __init__(
        self, loaded: LoadedSpec, workspace: Workspace, params: GenerateParams, models: Models, tell: Tell
    ) -> None:
        self._loaded, self._workspace, self._store = loaded, workspace, workspace.examples
        self._params, self._models, self._tell = params, models, tell
        self._submissions = Submissions(workspace, params.settings, models, tell)
        self._reservations = reservations_at(workspace.folder)
        self._stored = 0
        self._failed: dict[str, int] = {}
        self._used_up = ""
        """What is told where nothing more fits into the budget."""

    async def run(self) -> BatchStep:
        batches = [stands for role in ROLES if (stands := await self._submissions.look(role)) is not None]
        if batches:
            return self._ended(batches)
        ledger = await self._write()
        batches = [stands for role in ROLES if (stands := await self._submit_wanted(role)) is not None]
        if self._used_up and not batches:
            raise ModelError("budget", self._used_up)
        short = ledger.short()
        note = ""
        if short and not batches:
            missing = ", ".join(f"{name} {accepted} of {target}" for name, accepted, target in short)
            why = max(self._failed, key=self._failed.__getitem__, default="look at what was rejected in triage")
            note = f"{ledger.waiting} examples wait for your decision (4)" if ledger.waiting else f"{missing}; {why}"
        return self._ended(batches, complete=not short, note=note)

    def _ended(self, batches: list[BatchStands], *, complete: bool = False, note: str = "") -> BatchStep:
        return BatchStep(
            batches=tuple(batches),
            collected=self._submissions.collected,
            stored=self._stored,
            complete=complete,
            note=note,
        )

    # --- what is on record by now

    async def _write(self) -> Ledger:
        """Store whatever is whole by now; what lacks an answer is in the queues afterwards."""
        loaded, store, judge = self._loaded, self._store, self._models.judge
        screening = Screening(store, loaded.spec)
        rejudge = Rejudge(loaded, store, judge, screening, check_fit=self._params.check_fit)
        for row in rejudge.rows(stale_ids(loaded, store, judge, check_fit=self._params.check_fit)):
            judgement = (await rejudge.judge(row)).judgement
            if not self._waits(judgement):
                store.add_judgement(row.example.id, judgement)
                self._stored += 1
        ledger = Ledger(
            loaded,
            self._workspace,
            self._params.examples,
            max_attempts=self._params.max_attempts,
            judged=judge.kind == "model",
        )
        if self._models.judging is not None and self._models.judging.queue:
            return ledger  # what is judged again may count: only then is it known what is missing
        author = ModelAuthor(self._models.writing, loaded, AcceptedShots(loaded, self._workspace))
        known = {name for _, name in store.ids()}
        attempts = author.attempts(lambda: people_source(loaded, store.people()), self._params.seed, known)
        while (wanted := ledger.next()) is not None:
            await self._attempt(author, attempts.next(*wanted), screening, ledger)
        return ledger

    async def _attempt(self, author: ModelAuthor, attempt: Attempt, screening: Screening, ledger: Ledger) -> None:
        """One example, as far as it has come; while it waits for an answer it is under way."""
        try:
            draft = await author.write(attempt)
        except ModelError as error:
            if error.kind != "queued":
                self._fails(error)
                ledger.landed(attempt.category, attempt.scenario, "none")
            return
        found = screening.screen(attempt.example_id, draft.messages)
        if found.reason is not None:
            judgement = rejection(self._loaded, draft.messages, found)
        else:
            judgement = await self._models.judge.score(draft.messages, attempt.scenario)
            if self._params.check_fit:
                judgement = await fitted(self._models.judge, judgement, draft.messages, attempt.person)
            if self._waits(judgement):
                return
            screening.judged(attempt.example_id, judgement)
        example = example_of(self._loaded, attempt, draft, author.name, found)
        self._store.add_person(attempt.person)
        self._store.add_example(example, judgement)
        self._stored += 1
        ledger.landed(attempt.category, attempt.scenario, OUTCOMES[judgement.verdict])

    def _waits(self, judgement: Judgement) -> bool:
        """Whether it is none yet, because its answer comes with a batch."""
        error = self._models.judge.last_error if judgement.verdict == "error" else None
        if error is not None and error.kind != "queued":
            self._fails(error)
        return error is not None and error.kind == "queued"

    def _fails(self, error: ModelError) -> None:
        self._failed[str(error)] = self._failed.get(str(error), 0) + 1
        if error.fatal:
            raise error

    # --- what is wanted next

    async def _submit_wanted(self, role: Role) -> BatchStands | None:
        model = self._models.of(role)
        if model is None or not model.queue:
            return None
        wanted = await self._affordable(role, list(model.queue.values()))
        return await self._submissions.submit(role, wanted) if wanted else None

    async def _affordable(self, role: Role, wanted: list[Wanted]) -> list[Wanted]:
        """As many as the budget allows, those of the other batch, and calls under way elsewhere, counted as their
        longest answers."""
        limit = self._params.settings.max_cost_usd
        left = None
        while limit is not None and left is None:
            with self._reservations.deciding() as reserved:
                if reserved is not None:
                    left = limit - self._store.spent().cost_usd - reserved
            await asyncio.sleep(0)
        chosen = fitting(wanted, left)
        if not chosen:
            told = f"the budget of {dollars(limit or 0.0)} is used up: {dollars(self._store.spent().cost_usd)} spent"
            self._used_up = f"{told}: raise --max-cost; what is done is kept"
        elif len(chosen) < len(wanted):
            self._tell(f"{role}: {len(chosen)} of {len(wanted)} requests fit into one batch, or into the budget")
        return chosen
