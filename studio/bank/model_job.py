"""The job that has a model write people: what it is asked, and its run over a workspace."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing, closing
from itertools import islice
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field

from studio.bank.enrich import EnrichPlan, short_ones
from studio.bank.from_text import WHO, Asked, FromTextPlan
from studio.bank.journal import Journal
from studio.bank.person import Person
from studio.bank.pipeline import Pipeline, Plan
from studio.bank.profiles import ProfilesPlan
from studio.bank.quality import Intake
from studio.bank.relations import MOST_HOPS, RelationsPlan
from studio.bank.texts import Texts
from studio.bank.types import PeopleEvent
from studio.bank.write import WritePlan
from studio.chatml import Frozen
from studio.embed import Embedder, disk_embedder
from studio.errors import UserError
from studio.inference import CountedCalls
from studio.jobs import JobContext
from studio.llm import ChatModel, ModelSettings, author_model, check_budget, drain, learned_at
from studio.spec import LoadedSpec, load
from studio.store import Workspace
from studio.store.records import Method

CONCURRENCY = 32
"""Calls under way at once, where nothing else is asked for; the limits of the endpoint hold besides."""


class WriteTask(Frozen):
    method: Literal["write"] = "write"
    count: int = Field(default=100, ge=1)
    extreme: bool = False


class FromTextTask(Frozen):
    method: Literal["from-text"] = "from-text"
    paths: tuple[str, ...]
    count: int = Field(default=100, ge=1)
    asked: tuple[Asked, ...] = tuple(WHO)
    column: str | None = None


class RelationsTask(Frozen):
    """``roots``: the method whose people are hop 0; empty for everybody who is no relation."""

    method: Literal["relations"] = "relations"
    hops: int = Field(default=2, ge=1, le=MOST_HOPS)
    budget: int = Field(default=50, ge=1)
    roots: Method = ""


class EnrichTask(Frozen):
    method: Literal["enrich"] = "enrich"
    count: int | None = Field(default=None, ge=1)
    """How many short people at most; None for all."""


class ProfilesTask(Frozen):
    method: Literal["profiles"] = "profiles"
    count: int = Field(default=100, ge=1)


Task = Annotated[
    WriteTask | FromTextTask | RelationsTask | EnrichTask | ProfilesTask,
    Field(discriminator="method"),
]


class PeopleParams(Frozen):
    """``workspace`` is the root folder of the workspaces. ``language``: a BCP 47 tag that people are to be in."""

    spec_path: str
    workspace: str
    task: Task
    settings: ModelSettings = ModelSettings()
    seed: int = Field(default=0, ge=0)
    strict: bool = False
    """Take two for one from half of their words or meaning on, instead of nine tenths."""
    language: str | None = "en"
    concurrency: int = Field(default=CONCURRENCY, ge=1)


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry. Started again after a stop or a kill, as the same job or a new one, it goes on."""
    asked = PeopleParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    opened = Workspace.open(Path(asked.workspace), loaded.spec.slug, gives_up=lambda: context.cancel_requested)
    with closing(opened) as workspace:
        events = make_people(
            loaded, workspace, asked, lambda: context.stop_requested, cancel=lambda: context.cancel_requested
        )
        async with aclosing(events):
            async for event in events:
                context.emit(event)


async def make_people(
    loaded: LoadedSpec,
    workspace: Workspace,
    asked: PeopleParams,
    stop: Callable[[], bool],
    *,
    cancel: Callable[[], bool] = lambda: False,
    model: ChatModel | None = None,
    embedder: Embedder | None = None,
) -> AsyncGenerator[PeopleEvent, None]:
    """Have a model write people into ``workspace``; see :class:`studio.bank.pipeline.Pipeline` for the events.

    ``model`` and ``embedder`` stand in for those of ``asked.settings`` and of this machine. Raises
    :class:`studio.errors.UserError` where there is no model, or nothing to make people of.
    """
    store = workspace.examples
    check_model(asked.settings, asked.task.method, given=model is not None)
    await check_budget(asked.settings, author=model is None, judge=False)
    embedder = embedder or disk_embedder()
    there = await asyncio.to_thread(store.people)
    plan = await asyncio.to_thread(plan_of, asked, loaded, there, embedder)
    made_whole = {person.id for person in short_ones(there)} if isinstance(asked.task, EnrichTask) else set()
    compared = [person for person in there if person.id not in made_whole]
    intake = await asyncio.to_thread(Intake, embedder, strict=asked.strict, language=asked.language, there=compared)
    calls = CountedCalls(store)
    author = model or author_model(asked.settings, calls)
    journal = Journal(journal_path(workspace.folder, asked))
    pipeline = Pipeline(
        plan,
        author,
        store,
        intake,
        journal,
        calls,
        concurrency=asked.concurrency,
        there=there,
        replaces=isinstance(asked.task, EnrichTask),
        retry_failed=asked.settings.retry_failed,
    )
    try:
        drain(False)
        async with learned_at(workspace.folder), aclosing(pipeline.events(stop, cancel)) as events:
            async for event in events:
                yield event
    finally:
        journal.close()
        if model is None:
            await author.close()


def check_model(settings: ModelSettings, method: str, *, given: bool = False) -> None:
    """Raises :class:`UserError` where ``method`` has no model to ask, with what to do."""
    if given or not settings.author_offline:
        if settings.author_local is None and settings.model is None and not given:
            raise UserError("no model is named", where=method, remedy="name one with --model or STUDIO_MODEL")
        return
    remedy = "name a server, --endpoint URL --model NAME, or set OPENAI_API_KEY; without a model: studio bank compose"
    raise UserError("needs a model to write people", where=method, remedy=remedy)


def journal_path(workspace: Path, asked: PeopleParams) -> Path:
    """The journal of a run: one a method, seed and what else makes its attempts others. A run that is asked for more
    people, or with another model, goes on with the same one."""
    task = asked.task.model_dump_json(exclude={"count", "budget", "hops"})
    mark = hashlib.sha256(task.encode()).hexdigest()[:8]
    return workspace / "people" / f"{asked.task.method}-{asked.seed}-{mark}.jsonl"


def plan_of(asked: PeopleParams, loaded: LoadedSpec, there: Sequence[Person], embedder: Embedder) -> Plan:
    """Whom the task wants. Raises :class:`UserError` where there is nothing to make people of."""
    task, seed = asked.task, asked.seed
    match task:
        case WriteTask():
            return WritePlan(task.count, seed, extreme=task.extreme, known=tuple(there))
        case FromTextTask():
            texts = Texts([Path(path) for path in task.paths], task.column)
            passages = list(islice(texts, task.count))
            if not passages:
                bad = f": {texts.bad[0]}" if texts.bad else ""
                raise UserError(f"no text says enough to make anybody of{bad}", where=", ".join(task.paths))
            plan = FromTextPlan(passages, task.count, seed, task.asked)
            if texts.bad:
                plan.note = f"{len(texts.bad)} texts were passed over, the first: {texts.bad[0]}"
            return plan
        case RelationsTask():
            roots = [one for one in there if one.method != "relations" and task.roots in ("", one.method)]
            if not roots:
                whose = f" by {task.roots}" if task.roots else ""
                raise UserError(
                    f"nobody made{whose} is there to begin with",
                    where="relations",
                    remedy="make some first: studio bank compose, write or import",
                )
            return RelationsPlan(roots, task.hops, task.budget, seed, embedder)
        case EnrichTask():
            short = short_ones(there)
            if not short and not any(one.method == "enrich" for one in there):
                raise UserError("nobody is short of anything", where="enrich", remedy="import some: studio bank import")
            return EnrichPlan(short[: task.count] if task.count else short, seed)
        case ProfilesTask():
            if not any(topic.example_types for topic in loaded.topics):
                remedy = "add a file of topics and user types to the spec: beside: {profiles: customers.yaml}"
                raise UserError("the spec names no profiles", where=str(loaded.path), remedy=remedy)
            return ProfilesPlan(loaded.topics, task.count, seed)
