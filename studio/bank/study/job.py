"""The job of a diversity study: pairs of people, one output each at temperature 0, and what they say of a prompt."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from studio.bank.person import Person, person_text
from studio.bank.study.measure import compare, spreads, trends
from studio.bank.study.pairs import PairFinder, shortage
from studio.bank.study.prompts import DEFAULT, TASKS, messages
from studio.bank.study.record import KIND, Output, Study
from studio.embed import Embedder, disk_embedder
from studio.errors import UserError
from studio.inference import (
    CountedCalls,
    Item,
    ItemsEvent,
    ItemsFinished,
    ItemsParams,
    ItemsProgressed,
    Made,
    run_items,
)
from studio.jobs import JobContext
from studio.llm import ChatModel, ModelSettings, Request, Sampling, author_model, check_budget, learned_at
from studio.llm.concurrency import Concurrency
from studio.spec import load
from studio.store import Workspace

ENTRY = "studio.bank.study.job:main"
BINS, PAIRS, SAMPLE = (0.4, 0.6, 0.8), 20, 5000
MAX_TOKENS = 2048


class StudyParams(ItemsParams):
    """``pairs`` a bin; ``bins`` are centres, +- .05; ``tasks`` names of :data:`studio.bank.study.prompts.TASKS`;
    ``prompts`` more of them, by name; ``other`` a second model; ``sample`` people who are embedded at most."""

    pairs: int = Field(default=PAIRS, ge=3, le=1000)
    bins: tuple[Annotated[float, Field(ge=0.05, le=0.95)], ...] = Field(default=BINS, min_length=1)
    tasks: tuple[str, ...] = DEFAULT
    prompts: dict[str, str] = {}
    other: ModelSettings | None = None
    sample: int = Field(default=SAMPLE, ge=2)


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry. Started again after a stop or a kill it goes on where it was."""
    asked = StudyParams.model_validate(params, extra="ignore")
    slug = load(Path(asked.spec_path)).spec.slug
    opened = Workspace.open(Path(asked.workspace), slug, gives_up=lambda: context.cancel_requested)
    limit = Concurrency(asked.concurrency, context.folder)
    with closing(opened) as workspace:
        events = make_study(
            *(workspace, asked, lambda: context.stop_requested),
            cancel=lambda: context.cancel_requested,
            concurrency=limit,
        )
        async with aclosing(events):
            async for event in events:
                context.emit(event)


async def make_study(
    workspace: Workspace,
    asked: StudyParams,
    stop: Callable[[], bool],
    *,
    cancel: Callable[[], bool] = lambda: False,
    concurrency: Callable[[], int] | None = None,
    embedder: Embedder | None = None,
) -> AsyncGenerator[ItemsEvent, None]:
    """Find the pairs, have each person's outputs written, and keep a :class:`Study` unless it was stopped.

    Until the pairs are found progress counts the people compared; then see :func:`studio.inference.run_items`. Raises
    :class:`studio.errors.UserError` where the bank has no pair as wanted.
    """
    for settings in filter(None, (asked.settings, asked.other)):
        await check_budget(settings, judge=False)
    embedder = embedder or disk_embedder()
    people = await asyncio.to_thread(workspace.examples.people)
    finder = PairFinder(people, embedder, asked.bins, asked.pairs, asked.seed, asked.sample)
    while not finder.done and not stop():
        await asyncio.to_thread(finder.step)
        yield _comparing(finder)
    if stop():
        return
    if not finder.pairs:
        few = shortage(finder, asked.pairs) if people else "nobody is in the bank"
        raise UserError(f"no two people are as alike as wanted; {few}", where="study")
    known = {person.id: person for person in people}
    calls = CountedCalls(workspace.examples)
    models = _models(asked, calls)
    writer = _Writer(models, tasks_of(asked), [known[one] for one in _in_pairs(finder)], asked.seed)
    note = shortage(finder, asked.pairs)
    try:
        async with learned_at(workspace.folder):
            events = run_items(
                *("outputs", f"{KIND} {writer.id}", writer.items(), len(writer.jobs), workspace.documents, calls),
                model=", ".join(models),
                stop=stop,
                cancel=cancel,
                concurrency=concurrency or Concurrency(asked.concurrency),
                retry_failed=asked.settings.retry_failed,
                note=note,
            )
            async with aclosing(events):
                async for event in events:
                    if isinstance(event, ItemsFinished) and not stop():
                        study = await asyncio.to_thread(_study, workspace, asked, finder, writer, embedder, event.note)
                        if study.alike:
                            await asyncio.to_thread(workspace.documents.put, KIND, study.id, study)
                    yield event
    finally:
        for model in models.values():
            await model.close()


def latest_study(workspace: Workspace) -> Study | None:
    """The newest one that is kept."""
    return max(workspace.documents.readable(KIND, Study), key=lambda study: study.at, default=None)


def tasks_of(asked: StudyParams) -> dict[str, str]:
    """The prompts by name. Raises :class:`UserError` for a name that is none."""
    unknown = [name for name in asked.tasks if name not in TASKS]
    if unknown:
        raise UserError(f"no such prompt: {unknown[0]}", where="study", remedy=f"one of {', '.join(TASKS)}")
    found = {name: TASKS[name] for name in asked.tasks} | asked.prompts
    if not found:
        raise UserError("no prompt is named", where="study", remedy=f"--task {DEFAULT[0]}, or --prompt FILE")
    return found


@dataclass(frozen=True)
class _Job:
    """One output to be had: whoever says the same to a model is asked for once."""

    id: str
    model: str
    task: str
    person: Person


class _Writer:
    def __init__(
        self, models: dict[str, ChatModel], tasks: dict[str, str], people: Sequence[Person], seed: int
    ) -> None:
        self.models, self.tasks, self._seed = models, tasks, seed
        found = [
            _Job(_digest(model, task, prompt, person_text(person), str(seed)), model, task, person)
            for task, prompt in tasks.items()
            for model in models
            for person in people
        ]
        self.jobs = list({job.id: job for job in found}.values())
        self.id = _digest(*sorted(job.id for job in self.jobs))

    def items(self) -> Iterator[Item]:
        for job in self.jobs:
            yield Item(job.id, partial(self._make, job))

    async def _make(self, job: _Job) -> Made:
        request = Request(
            purpose="people",
            messages=messages(self.tasks[job.task], job.person),
            sampling=Sampling(temperature=0.0, max_tokens=MAX_TOKENS, seed=self._seed),
        )
        text = (await self.models[job.model].complete(request)).text.strip()
        return Made(Output(id=job.id, task=job.task, model=job.model, person=job.person.id, text=text))


def _study(
    workspace: Workspace, asked: StudyParams, finder: PairFinder, writer: _Writer, embedder: Embedder, note: str
) -> Study:
    texts = {one.id: one.text for one in workspace.documents.readable(f"{KIND} {writer.id}", Output)}
    outputs = {(job.task, job.model, job.person.id): texts[job.id] for job in writer.jobs if job.id in texts}
    runs = [(task, model) for task in writer.tasks for model in writer.models]
    alike = compare(finder.pairs, outputs, runs, embedder)
    return Study(
        id=writer.id,
        at=datetime.now(UTC),
        seed=asked.seed,
        compared=finder.compared,
        tasks=writer.tasks,
        models=tuple(writer.models),
        bins=finder.bins,
        pairs=finder.pairs,
        alike=alike,
        spreads=spreads(finder.pairs, alike, runs),
        trends=trends(finder.pairs, alike, runs),
        note=note,
    )


def _models(asked: StudyParams, calls: CountedCalls) -> dict[str, ChatModel]:
    """One model or two by the name that a person tells them apart by."""
    first: ChatModel = author_model(asked.settings, calls)
    if asked.other is None:
        return {first.name: first}
    second: ChatModel = author_model(asked.other, calls)
    if second.name != first.name:
        return {first.name: first, second.name: second}
    if asked.other.place == asked.settings.place:
        raise UserError(f"both models are {first.name}", where="study", remedy="name another with --other-model")
    return {f"{first.name} at {asked.settings.place}": first, f"{second.name} at {asked.other.place}": second}


def _in_pairs(finder: PairFinder) -> list[str]:
    return list(dict.fromkeys(id for pair in finder.pairs for id in (pair.first, pair.second)))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()[:16]


def _comparing(finder: PairFinder) -> ItemsProgressed:
    return ItemsProgressed(
        task="people compared",
        done=finder.compared,
        wanted=finder.most,
        removed=0,
        errors=0,
        reasons={},
        cost_usd=0.0,
        rate=0.0,
        eta_s=None,
    )
