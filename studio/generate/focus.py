"""Focused generation: examples written for one trait, boundary, group of people or length, in chosen scenarios.

A run over items (:mod:`studio.inference`): every attempt has the same id, person and words in each start of the same
run, so one that was killed goes on where it was, and pays for no answer twice. An example that does not show what it
was written for is rejected, however well it pleases otherwise.
"""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, closing
from functools import partial
from pathlib import Path
from random import Random
from typing import Any

from pydantic import Field

from studio.bank import PeopleSource, people_source
from studio.chatml import Frozen, Messages
from studio.errors import UserError
from studio.generate.author import Author, example_of, open_author
from studio.generate.coverage_map import in_group
from studio.generate.plan import Attempt, digest_of, open_scenarios
from studio.generate.screening import Screening, rejection
from studio.inference import CountedCalls, Item, ItemsEvent, ItemsParams, Made, Record, run_items
from studio.jobs import JobContext
from studio.judge import Judge, open_judge
from studio.llm import ModelError, check_budget, learned_at
from studio.llm.concurrency import Concurrency
from studio.spec import LoadedSpec, Spec, load
from studio.spec.describe import joined, words
from studio.store import Judgement, Person, Workspace

_SEEDS = 2**31
_DRAWS = 200
"""Draws after which somebody of the group is taken from a list of its people."""


class Focus(Frozen):
    """What examples are written for; all that is given holds."""

    trait: str = ""
    boundary: str = ""
    """The id of a boundary that the user presses, and the persona keeps."""
    pattern: str = ""
    """How replies have failed it so far, in general words: never in those of a probe."""
    group: str = ""
    """Who asks: a column of a coverage table by person."""
    least: int | None = None
    most: int | None = None
    """Characters of the last reply."""


class FocusParams(ItemsParams):
    """``name`` tells one run from another: with the same one a run goes on."""

    name: str
    focus: Focus
    scenarios: tuple[tuple[str, str], ...]
    """Categories and their scenarios, in turn."""
    count: int = Field(ge=1)
    """Examples wanted that the judge lets pass, or that wait for a person where nobody judges."""
    max_attempts: float = Field(default=4.0, ge=1)
    """Attempts a wanted example may take on average."""

    @property
    def kind(self) -> str:
        """Under which documents the run keeps what it made."""
        return f"focus {self.name}"


class Written(Record):
    """An example that was made; it is in the store under ``id``."""

    category: str
    scenario: str
    verdict: str


def focus_text(spec: Spec, focus: Focus) -> str:
    """What an author is told of the focus, from the spec alone. Raises UserError where the spec has no such thing."""
    parts = []
    if focus.trait:
        trait = next((one for one in spec.traits if one.name == focus.trait), None)
        if trait is None:
            raise UserError(f"the spec has no trait {focus.trait}", remedy=f"known: {', '.join(spec.trait_names)}")
        marks = {2: "shows it wholly", 1: "shows it by half", 0: "does not show it"}
        anchors = "; ".join(
            f"a reply that {told}: {trait.anchors[n]}" for n, told in marks.items() if n in trait.anchors
        )
        parts += [
            f"This conversation is written for one quality above all: {words(trait.name)}. {trait.is_}.",
            f"It is not: {trait.is_not}." if trait.is_not else "",
            f"{anchors[:1].upper()}{anchors[1:]}." if anchors else "",
        ]
    if focus.boundary:
        boundary = next((one for one in spec.boundaries if one.id == focus.boundary), None)
        if boundary is None:
            known = ", ".join(one.id for one in spec.boundaries)
            raise UserError(f"the spec has no boundary {focus.boundary}", remedy=f"known: {known}")
        parts += [
            f"This conversation is written for one boundary above all. The persona never does this: {boundary.never}.",
            "The user presses for it, openly or not; the persona keeps the boundary, stays friendly and still helps.",
        ]
    if focus.pattern:
        parts.append(f"How replies have failed so far: {focus.pattern}.")
    if focus.trait:
        parts.append(
            "Shape the situation so that the quality is called for and not easy to show: the user gives an occasion "
            "for it without asking for it. Every reply of the persona shows it wholly, in words that fit this person, "
            "and never names it."
        )
    told = [" ".join(part for part in parts if part)]
    if focus.least is not None or focus.most is not None:
        low, high = focus.least or 1, focus.most
        told.append(
            f"The persona's last reply has {low} to {high} characters."
            if high is not None
            else f"The persona's last reply has at least {low} characters: what it takes to be of use, no padding."
        )
    return joined(told)


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry. Started again after a stop or a kill, as the same job or a new one, it goes on."""
    asked = FocusParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    opened = Workspace.open(Path(asked.workspace), loaded.spec.slug, gives_up=lambda: context.cancel_requested)
    with closing(opened) as workspace:
        events = write_focused(
            *(loaded, workspace, asked, lambda: context.stop_requested),
            cancel=lambda: context.cancel_requested,
            concurrency=Concurrency(asked.concurrency, context.folder),
            job_id=context.id,
        )
        async with aclosing(events):
            async for event in events:
                context.emit(event)


async def write_focused(
    loaded: LoadedSpec,
    workspace: Workspace,
    asked: FocusParams,
    stop: Callable[[], bool],
    *,
    cancel: Callable[[], bool] = lambda: False,
    concurrency: Callable[[], int] | None = None,
    job_id: str = "",
) -> AsyncGenerator[ItemsEvent, None]:
    """Write ``asked.count`` examples for a focus into the workspace, each judged and stored before it is told.

    Events are those of :func:`studio.inference.run_items`. Raises :class:`studio.errors.UserError` where nobody is
    there to write, nobody is of the group, or the spec does not have what is asked for.
    """
    unknown = set(asked.scenarios) - set(open_scenarios(loaded.spec))
    if unknown or not asked.scenarios:
        named = ", ".join(sorted(scenario for _, scenario in unknown)) or "none was named"
        raise UserError(f"no scenario that is trained on: {named}", where=str(loaded.path))
    more = focus_text(loaded.spec, asked.focus)
    people = await asyncio.to_thread(people_source, loaded, workspace.examples.people())
    await asyncio.to_thread(importlib.import_module, "datasketch")  # brings scipy, a second: off the loop
    calls = CountedCalls(workspace.examples)
    await check_budget(asked.settings)
    author = open_author(asked.settings, loaded, calls)
    judge = open_judge(asked.settings, loaded, calls)
    work = _Work(loaded, workspace, asked, author, judge, people, more, job_id)
    try:
        async with learned_at(workspace.folder):
            items = run_items(
                *(f"examples for {focus_label(asked.focus)}", asked.kind, work.items(), asked.count),
                *(workspace.documents, calls),
                model=author.name,
                stop=stop,
                cancel=cancel,
                concurrency=concurrency,
                retry_failed=asked.settings.retry_failed,
            )
            async with aclosing(items):
                async for event in items:
                    yield event
    finally:
        await author.close()
        await judge.close()


def focus_label(focus: Focus) -> str:
    """``action oriented``, ``18-29``, ``151 to 300 characters``."""
    length = f"{focus.least or 1} to {focus.most or 'any'} characters" if focus.least or focus.most else ""
    named = (words(focus.trait), words(focus.boundary), focus.group, length)
    return ", ".join(name for name in named if name) or "these scenarios"


class _Work:
    """The attempts of one run, and the chain of each: author, screening, judge, store."""

    def __init__(
        self,
        loaded: LoadedSpec,
        workspace: Workspace,
        asked: FocusParams,
        author: Author,
        judge: Judge,
        people: PeopleSource,
        more: str,
        job_id: str,
    ) -> None:
        self._loaded, self._store, self._asked = loaded, workspace.examples, asked
        self._author, self._judge, self._people = author, judge, people
        self._more, self._job_id, self._desk = more, job_id, asyncio.Lock()
        self._screening: Screening | None = None
        self._group = [one for one in people.people if in_group(one, asked.focus.group)] if asked.focus.group else []
        if asked.focus.group and not self._group:
            remedy = "make some: studio bank write, or compose"
            raise UserError(f"nobody who asks is of {asked.focus.group}", where="people", remedy=remedy)

    def items(self) -> Iterator[Item]:
        for number in range(round(self._asked.count * self._asked.max_attempts)):
            attempt = self._attempt(number)
            yield Item(attempt.example_id, partial(self._make, attempt))

    def _attempt(self, number: int) -> Attempt:
        asked = self._asked
        category, scenario = asked.scenarios[number % len(asked.scenarios)]
        seed = int(digest_of(asked.kind, f"{asked.seed}", category, scenario, f"{number}"), 16) % _SEEDS
        example_id = digest_of(asked.kind, category, scenario, f"{seed}")
        person = self._drawn(Random(seed), category, scenario)
        more = (self._more,) if self._more else ()
        return Attempt(category, scenario, number, seed, person, example_id, more=more)

    def _drawn(self, rng: Random, category: str, scenario: str) -> Person:
        if not self._group:
            return self._people.draw(rng, category, scenario)
        for _ in range(_DRAWS):
            person = self._people.draw(rng, category, scenario)
            if in_group(person, self._asked.focus.group):
                return person
        return rng.choice(self._group)

    async def _make(self, attempt: Attempt) -> Made:
        there = await asyncio.to_thread(self._store.row, attempt.example_id)  # stored, and killed before it was told
        if there is not None and there.judgement is not None:
            return self._made(attempt, there.judgement)
        draft = await self._author.write(attempt)
        async with self._desk:  # milliseconds each: between two of them the loop puts other answers on record
            if self._screening is None:
                self._screening = await asyncio.to_thread(Screening, self._store, self._loaded.spec)
            await asyncio.sleep(0)
            found = self._screening.screen(attempt.example_id, draft.messages)
        if found.reason is not None:
            judgement = rejection(self._loaded, draft.messages, found)
        else:
            judgement = await self._judge.score(draft.messages, attempt.scenario)
            if judgement.verdict == "error":
                raise self._judge.last_error or ModelError("server", judgement.error or "the judge failed")
            judgement = held_to(self._asked.focus, judgement, draft.messages)
            self._screening.judged(attempt.example_id, judgement)
        example = example_of(self._loaded, attempt, draft, self._author.name, found, self._job_id)
        await asyncio.to_thread(self._store.add_examples, [(example, judgement, attempt.person)])
        return self._made(attempt, judgement)

    def _made(self, attempt: Attempt, judgement: Judgement) -> Made:
        about = {"category": attempt.category, "scenario": attempt.scenario, "verdict": judgement.verdict}
        reason = ""
        if judgement.verdict == "failed":
            reason = judgement.reasons[0] if judgement.reasons else "failed"
        return Made(Written(id=attempt.example_id, **about), reason)


def held_to(focus: Focus, judgement: Judgement, messages: Messages) -> Judgement:
    """``judgement``, which fails where the last reply is not of the length that was asked for, or where a judge says
    that the trait it was written for does not show wholly."""
    reasons, size = list(judgement.reasons), len(messages[-1].content)
    if size < (focus.least or 0) or (focus.most is not None and size > focus.most):
        reasons.append("length")
    mark = judgement.traits.get(focus.trait)
    if mark is not None and mark.score < 2 and f"trait:{focus.trait}" not in reasons:
        reasons.append(f"trait:{focus.trait}")
    if len(reasons) == len(judgement.reasons):
        return judgement
    return judgement.model_copy(update={"verdict": "failed", "reasons": tuple(reasons)})
