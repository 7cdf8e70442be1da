"""The job that has a model follow a recipe for people of the bank: what it is asked, and its run over a workspace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing, closing
from pathlib import Path
from typing import Any

from pydantic import Field

from studio.bank.people import heads, people_source
from studio.bank.person import Person
from studio.embed import Embedder, disk_embedder
from studio.errors import UserError
from studio.generate.recipes.algebra import Algebra
from studio.generate.recipes.answer import answer_schema
from studio.generate.recipes.demonstrations import infer_personas, known_personas
from studio.generate.recipes.load import BUILT_IN, load_recipe
from studio.generate.recipes.made import RUNS, RecipeRun, run_kind
from studio.generate.recipes.make import Maker, Prepared, Twins, item_id
from studio.generate.recipes.prompt import in_order, recipe_request
from studio.generate.recipes.recipe import Shots
from studio.generate.recipes.solve import MOST_SAMPLES, SAMPLES
from studio.inference import CountedCalls, ItemsEvent, ItemsFinished, ItemsParams, run_items
from studio.jobs import JobContext
from studio.llm import ChatModel, Request, author_model, check_budget, drain, learned_at
from studio.spec import LoadedSpec, load
from studio.spec.load import UnreadableError, read_text
from studio.store import Workspace

STAGE, ENTRY = "recipe", "studio.generate.recipes.job:main"
"""The stage and the entry of the job, for :func:`studio.build.items.items_stage`."""
TRIES, LEAST_TRIES = 3, 10
"""Tries for each that is wanted, and besides: a model that only repeats itself, or never agrees, comes to an end."""
MOST_WORLD = 4 << 20
"""Bytes of a world's file."""


class RecipeParams(ItemsParams):
    """``recipe``: the name of a built-in one, or the path of a YAML file. ``count``: how many are wanted in all.
    ``samples``: solutions to each problem; 0 solves none. ``world``: the path of the file that describes the world."""

    recipe: str
    shots: Shots = "persona"
    count: int = Field(default=100, ge=1)
    samples: int = Field(default=SAMPLES, ge=0, le=MOST_SAMPLES)
    world: str | None = None


def prepared(asked: RecipeParams) -> Prepared:
    """The recipe that is asked for, and its world. Raises :class:`UserError` where one of them is missing or wrong."""
    recipe = load_recipe(asked.recipe)
    if asked.samples == 1:
        raise UserError("one solution agrees with nothing", where="--samples", remedy="2 to 9, or 0 to solve none")
    world = ""
    if recipe.world:
        if asked.world is None:
            raise UserError("needs a file that describes the world", where=recipe.name, remedy="name it: --world FILE")
        try:
            world = read_text(Path(asked.world), MOST_WORLD).strip()
        except UnreadableError as error:
            raise UserError(str(error), where=f"{asked.world}:{error.line}") from None
        if not world:
            raise UserError("expected some text, found an empty file", where=asked.world)
    elif asked.world is not None:
        raise UserError("has no use for a world", where=recipe.name, remedy="leave --world out")
    run = RecipeRun(
        kind=run_kind(recipe, asked.shots, world, built_in=asked.recipe in BUILT_IN),
        recipe=recipe,
        shots=asked.shots,
        world=Path(asked.world).name if asked.world else "",
    )
    return Prepared(run, world, answer_schema(recipe, world))


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry. Started again after a stop or a kill, as the same job or a new one, it goes on."""
    asked = RecipeParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    opened = Workspace.open(Path(asked.workspace), loaded.spec.slug, gives_up=lambda: context.cancel_requested)
    with closing(opened) as workspace:
        events = follow_recipe(
            loaded, workspace, asked, lambda: context.stop_requested, cancel=lambda: context.cancel_requested
        )
        async with aclosing(events):
            async for event in events:
                context.emit(event)


async def follow_recipe(
    loaded: LoadedSpec,
    workspace: Workspace,
    asked: RecipeParams,
    stop: Callable[[], bool],
    *,
    cancel: Callable[[], bool] = lambda: False,
    model: ChatModel | None = None,
    embedder: Embedder | None = None,
) -> AsyncGenerator[ItemsEvent, None]:
    """Make what the recipe says for people of the workspace's bank; see :func:`studio.inference.run_items` for the
    events.

    ``model`` and ``embedder`` stand in for those of ``asked.settings`` and of this machine. Raises :class:`UserError`
    where something is missing, and :class:`studio.llm.ModelError` where the model failed for good.
    """
    ready, fixed = prepared(asked), asked.concurrency
    store, documents = workspace.examples, workspace.documents
    await check_budget(asked.settings, author=model is None, judge=False)
    people, note = await asyncio.to_thread(who, loaded, workspace)
    await asyncio.to_thread(documents.put, RUNS, ready.run.kind, ready.run)
    calls = CountedCalls(store)
    author = model or author_model(asked.settings, calls)
    algebra = Algebra()
    twins = Twins(embedder or disk_embedder())
    try:
        async with learned_at(workspace.folder):
            drain(False)
            personas = await infer_personas(ready.run, author, documents)
            await asyncio.to_thread(twins.restore, documents, ready.run)
            maker = Maker(ready, author, twins, algebra, personas, asked.samples)
            items = run_items(
                ready.run.recipe.name,
                ready.run.kind,
                maker.items(people, asked.seed, TRIES * asked.count + LEAST_TRIES),
                asked.count,
                documents,
                calls,
                model=author.name,
                stop=stop,
                cancel=cancel,
                concurrency=None if fixed is None else lambda: fixed,
                retry_failed=asked.settings.retry_failed,
                note=note,
            )
            async with aclosing(items) as events:
                async for event in events:
                    yield _told(event, stopped=stop())
    finally:
        await asyncio.to_thread(algebra.close)
        if model is None:
            await author.close()


def next_prompts(loaded: LoadedSpec, workspace: Workspace, asked: RecipeParams) -> tuple[Person, list[Request]]:
    """Whose turn it is, and what is going to be asked: first whose the demonstrations are, where that is not known yet
    (their place in the last prompt then says so). Asks nobody and keeps nothing."""
    ready = prepared(asked)
    documents, run = workspace.documents, ready.run
    settled = {*documents.ids(run.kind), *documents.ids(f"{run.kind} removed"), *documents.ids(f"{run.kind} given up")}
    people, _ = who(loaded, workspace)
    order = ((one, number, item_id(run, one, number)) for one, number in in_order(people, asked.seed))
    person, number, id = next(one for one in order if one[2] not in settled)
    personas, requests = known_personas(run, documents)
    asking = recipe_request(run.recipe, run.shots, person, id=id, number=number, personas=personas, world=ready.world)
    return person, [*requests, asking]


def who(loaded: LoadedSpec, workspace: Workspace) -> tuple[tuple[Person, ...], str]:
    """The people for whom something is made, and a note where the bank is the built-in one."""
    stored = workspace.examples.people()
    people = people_source(loaded, stored).people
    if not people:
        remedy = "set users.bank in the spec, and make some: studio bank compose"
        raise UserError("nobody is there to make something for", where=str(loaded.path), remedy=remedy)
    built_in = loaded.bank_path is None and loaded.spec.users.bank is not None and not heads(stored).built
    return people, f"for {len(people)} people, the built-in ones: the bank is empty" if built_in else ""


def _told(event: ItemsEvent, *, stopped: bool) -> ItemsEvent:
    """The end of a run whose tries are used up says so."""
    if not isinstance(event, ItemsFinished) or event.complete or stopped or "the model failed" in event.note:
        return event
    tries, missing = event.done + event.removed + event.errors, event.wanted - event.done
    return event.model_copy(update={"note": f"of {tries} tries too few counted, {missing} are missing"})
