"""The person effect's sample: the same scenarios written for several people and seeds, with one field swapped at a
time; as a job over items, and what is to be compared of it, or of the examples that the store has."""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import aclosing, closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from pydantic import Field

from studio.bank import PeopleSource, people_source, person_text
from studio.chatml import Messages
from studio.embed import Embedder
from studio.errors import UserError
from studio.generate.author import author_request
from studio.generate.effect import Effect, Turn, change, holm
from studio.generate.plan import Attempt, digest_of, open_scenarios
from studio.generate.prompt import Authored
from studio.inference import CountedCalls, Item, ItemsEvent, ItemsParams, Made, Record, run_items
from studio.jobs import JobContext
from studio.llm import ChatModel, author_model, check_budget, learned_at
from studio.llm.concurrency import Concurrency
from studio.spec import LoadedSpec, load
from studio.store import Filter, Person, Workspace

FIELDS = ("name", "age", "traits", "profession", "place", "background", "chatting_style")
"""What is swapped, one at a time, between two people of a scenario."""
PEOPLE, DRAWS = 4, 3
"""People of a scenario, and seeds of each of them."""
LEAST = PEOPLE * DRAWS + len(FIELDS) * DRAWS
"""Turns of one scenario: each of the people and each swapped field, with each seed."""
_SCENARIOS = 2
"""Fewest scenarios of which stored examples say enough."""
_MOST_PEOPLE, _MOST_TURNS = 20, 4
"""Of stored examples so many people of a scenario are compared, and so many turns of each."""
_TRIES = 200


class EffectParams(ItemsParams):
    ask: int = Field(ge=LEAST)
    """Turns to be written, of whole scenarios as far as they reach."""


class EffectTurn(Record):
    """One turn of the sample. ``who`` is the number of the person, or the field that the first took from the second."""

    scenario: str
    who: str
    draw: int
    text: str
    person: str

    @property
    def title(self) -> str:
        return f"{self.scenario} · {self.who} · {self.text}"


@dataclass(frozen=True)
class Planned:
    """A turn to be asked for."""

    id: str
    unit: str
    who: str
    draw: int
    attempt: Attempt


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Entry of the job. Started again it goes on."""
    asked = EffectParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    opened = Workspace.open(Path(asked.workspace), loaded.spec.slug, gives_up=lambda: context.cancel_requested)
    with closing(opened) as workspace:
        at_once = Concurrency(asked.concurrency, context.folder)
        events = ask_turns(
            loaded,
            workspace,
            asked,
            lambda: context.stop_requested,
            cancel=lambda: context.cancel_requested,
            concurrency=at_once,
        )
        async with aclosing(events):
            async for event in events:
                context.emit(event)


async def ask_turns(
    loaded: LoadedSpec,
    workspace: Workspace,
    asked: EffectParams,
    stop: Callable[[], bool],
    *,
    cancel: Callable[[], bool] = lambda: False,
    concurrency: Callable[[], int] | None = None,
    model: ChatModel | None = None,
) -> AsyncGenerator[ItemsEvent, None]:
    """Have the author write the sample into ``workspace``; ``model`` stands in for that of ``asked.settings``."""
    await check_budget(asked.settings, author=model is None, judge=False)
    calls = CountedCalls(workspace.examples)
    author = model or author_model(asked.settings, calls)
    planned = await asyncio.to_thread(plan_sample, loaded, workspace, asked.ask, asked.seed)
    items = (Item(one.id, partial(_written, loaded, author, one)) for one in planned)
    kind = sample_kind(loaded, author.name)
    there = set(workspace.documents.ids(kind)) - {one.id for one in planned}  # of another design: they count apart
    try:
        async with learned_at(workspace.folder):
            events = run_items(
                "turns",
                kind,
                items,
                len(planned) + len(there),
                workspace.documents,
                calls,
                model=author.name,
                stop=stop,
                cancel=cancel,
                concurrency=concurrency,
                retry_failed=asked.settings.retry_failed,
            )
            async with aclosing(events):
                async for event in events:
                    yield event
    finally:
        if model is None:
            await author.close()


async def _written(loaded: LoadedSpec, author: ChatModel, one: Planned) -> Made:
    request = author_request(loaded, one.attempt, manner_of=f"draw {one.draw}")
    answer = await author.structured(request, Authored)
    record = EffectTurn(
        id=one.id,
        scenario=one.attempt.scenario,
        who=one.who,
        draw=one.draw,
        text=_first_said(answer.value.turns),
        person=person_text(one.attempt.person),
    )
    return Made(record)


def sample_kind(loaded: LoadedSpec, model: str) -> str:
    """Under which documents the turns of one spec and model are kept."""
    return f"effect {digest_of(loaded.hash, model)}"


def plan_sample(loaded: LoadedSpec, workspace: Workspace, ask: int, seed: int) -> tuple[Planned, ...]:
    """The turns of ``ask // LEAST`` scenarios, each with people of its own; the same for the same bank and seed.

    Every person of a scenario is asked for with the same seeds, examples and manners. Raises :class:`UserError` where
    the people at hand are too few or too little known to swap anything.
    """
    source = people_source(loaded, workspace.examples.people())
    keys = list(open_scenarios(loaded.spec))
    Random(f"effect {seed}").shuffle(keys)
    found: list[Planned] = []
    for number in range(ask // LEAST):
        category, scenario = keys[number % len(keys)]
        rng = Random(f"effect {seed} {number}")
        people = _drawn(source, rng, category, scenario)
        versions = {f"{place}": person for place, person in enumerate(people)}
        versions |= {field: _swapped(people[0], people[1], field) for field in FIELDS}
        unit = f"{number} {scenario}"
        for draw in range(DRAWS):
            number_of_seed = int(digest_of("effect", f"{seed}", f"{number}", f"{draw}"), 16) % 2**31
            for who, person in versions.items():
                if who in FIELDS and getattr(person, who) == getattr(people[0], who):
                    continue
                name = digest_of("effect", f"{number_of_seed}", scenario, who, person_text(person))
                attempt = Attempt(category, scenario, draw, number_of_seed, person, name)
                found.append(Planned(name, unit, who, draw, attempt))
    return tuple(found)


def _drawn(source: PeopleSource, rng: Random, category: str, scenario: str) -> list[Person]:
    people: dict[str, Person] = {}
    for _ in range(_TRIES):
        person = source.draw(rng, category, scenario)
        if person.background and person.chatting_style:
            people.setdefault(person_text(person), person)
        if len(people) == PEOPLE:
            return list(people.values())
    remedy = "make some: studio bank compose; or users: {bank: default} in the spec"
    raise UserError(f"fewer than {PEOPLE} people of whom enough is known", where=scenario, remedy=remedy)


def _swapped(person: Person, other: Person, field: str) -> Person:
    """``person`` with one field of another; a place brings its first language along."""
    taken = {field: getattr(other, field)} | ({"language": other.language} if field == "place" else {})
    return person.model_copy(update=taken)


def _first_said(messages: Messages) -> str:
    return next((one.content for one in messages if one.role == "user"), "")


def asked_effect(
    loaded: LoadedSpec, workspace: Workspace, ask: int, seed: int, model: str, embedder: Embedder
) -> Effect:
    """The effect in the sample that ``model`` wrote, as far as it has come. Raises UserError where that is nothing."""
    kept = {one.id: one for one in workspace.documents.readable(sample_kind(loaded, model), EffectTurn)}
    planned = [one for one in plan_sample(loaded, workspace, ask, seed) if one.id in kept]
    turns = [Turn(one.unit, one.who, one.draw, kept[one.id].text) for one in planned]
    whole = [one for one in turns if one.person not in FIELDS]
    person = change("person", whole, embedder, seed)
    if person is None:
        raise UserError("nothing was written that could be compared", where="effect", remedy="the same command goes on")
    fields = []
    for field in FIELDS:
        pair = [one for one in turns if one.person in ("0", field)]
        if any(one.person == field for one in pair) and (found := change(field, pair, embedder, seed)) is not None:
            fields.append(found)
    return Effect(
        source=f"{len(turns)} turns by {model}",
        scenarios=len({one.unit for one in turns}),
        people=len({(one.unit, one.person) for one in whole}),
        person=person,
        fields=holm(fields),
    )


def stored_effect(loaded: LoadedSpec, workspace: Workspace, embedder: Embedder, seed: int = 0) -> Effect:
    """The effect in the examples that a model generated. Raises :class:`UserError` where too few people asked twice and
    more in the same scenario, which a bank much larger than the scenarios does not make likely."""
    turns = list(_stored(loaded, workspace, seed))
    person = change("person", turns, embedder, seed)
    if person is None or person.units < _SCENARIOS:
        found = 0 if person is None else person.units
        told = f"{found} scenarios have two people who asked twice, {_SCENARIOS} are needed"
        remedy = f"have a sample written: --ask {4 * LEAST}, with --endpoint and --model"
        raise UserError(told, where="the stored examples", remedy=remedy)
    return Effect(
        source=f"{person.turns} stored examples",
        scenarios=person.units,
        people=len({one.person for one in turns}),
        person=person,
        note="no field was swapped: --ask N has the author write such a sample",
    )


def _stored(loaded: LoadedSpec, workspace: Workspace, seed: int) -> Iterator[Turn]:
    """By scenario people with two turns and more, of the author who wrote most."""
    scenarios = set(open_scenarios(loaded.spec))
    rows = [
        row.example
        for row in workspace.examples.each(Filter())
        if row.example.origin == "generated" and (row.example.category, row.example.scenario) in scenarios
    ]
    authors = Counter(one.author for one in rows)
    by: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for one in rows:
        if one.author == authors.most_common(1)[0][0] and (said := _first_said(one.messages)):
            by[one.scenario, one.person_id].append(said)
    people: defaultdict[str, list[str]] = defaultdict(list)
    for (scenario, person), texts in by.items():
        if len(texts) > 1:
            people[scenario].append(person)
    for scenario, some in people.items():
        draw = 0
        for person in _few(some, _MOST_PEOPLE, seed):
            for text in by[scenario, person][:_MOST_TURNS]:
                yield Turn(scenario, person, draw, text)
                draw += 1


def _few(some: Sequence[str], most: int, seed: int) -> Sequence[str]:
    return some if len(some) <= most else Random(f"effect {seed}").sample(list(some), most)
