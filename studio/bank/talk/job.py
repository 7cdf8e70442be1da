"""The job that has people of the bank talk with each other: two at a time, asked in turn, until code ends it."""

from __future__ import annotations

import asyncio
import hashlib
import random
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import aclosing, closing
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import Field

from studio.bank.person import Person
from studio.bank.talk.draw import Pairs
from studio.bank.talk.quality import Others, problem
from studio.bank.talk.record import KIND, Draw, Talk
from studio.bank.talk.relations import emotions, seed_topics
from studio.bank.talk.scene import (
    Scene,
    Subject,
    TurnAnswer,
    WholeAnswer,
    subject_messages,
    turn_messages,
    whole_messages,
)
from studio.bank.talk.transcript import Transcript
from studio.chatml import Messages
from studio.embed import Embedder, disk_embedder
from studio.errors import UserError
from studio.inference import CountedCalls, Item, ItemsEvent, ItemsParams, Made, run_items
from studio.jobs import JobContext
from studio.llm import ChatModel, Request, Sampling, author_model, check_budget, learned_at
from studio.llm.concurrency import Concurrency
from studio.spec import LoadedSpec, load
from studio.store import Documents, Workspace

ENTRY = "studio.bank.talk.job:main"
LEAST_CAP, CAP, MOST_CAP = 4, 12, 60
RECENT, SHOWN = 20, 2
"""Of so many of the last topics so many are shown as not to come again."""
MAX_TOKENS = 2048
"""Room for models that think before they write; a whole conversation has four times that."""


class TalkParams(ItemsParams):
    """``count``: conversations wanted in the workspace in all. ``turns``: the most of one. ``one_call``: each whole in
    one answer, which costs less and sounds more alike. ``language``: a BCP 47 tag, or ``any``; empty for the spec's."""

    count: int = Field(default=50, ge=1)
    turns: int = Field(default=CAP, ge=LEAST_CAP, le=MOST_CAP)
    one_call: bool = False
    language: str = ""


async def main(params: dict[str, Any], context: JobContext) -> None:
    """Job entry. Started again after a stop or a kill it goes on where it was."""
    asked = TalkParams.model_validate(params, extra="ignore")
    loaded = load(Path(asked.spec_path))
    opened = Workspace.open(Path(asked.workspace), loaded.spec.slug, gives_up=lambda: context.cancel_requested)
    limit = Concurrency(asked.concurrency, context.folder)
    with closing(opened) as workspace:
        events = make_talks(
            *(loaded, workspace, asked, lambda: context.stop_requested),
            cancel=lambda: context.cancel_requested,
            concurrency=limit,
        )
        async with aclosing(events):
            async for event in events:
                context.emit(event)


async def make_talks(
    loaded: LoadedSpec,
    workspace: Workspace,
    asked: TalkParams,
    stop: Callable[[], bool],
    *,
    cancel: Callable[[], bool] = lambda: False,
    concurrency: Callable[[], int] | None = None,
    embedder: Embedder | None = None,
) -> AsyncGenerator[ItemsEvent, None]:
    """Make conversations into ``workspace``; see :func:`studio.inference.run_items` for the events.

    Raises :class:`studio.errors.UserError` where fewer than two people of the bank have a name and an age.
    """
    await check_budget(asked.settings, judge=False)
    people = await asyncio.to_thread(workspace.examples.people)
    plan = await asyncio.to_thread(Plan, people, workspace.documents, asked.seed)
    calls = CountedCalls(workspace.examples)
    author = author_model(asked.settings, calls)
    others = await asyncio.to_thread(Others, embedder or disk_embedder(), plan.there)
    language = asked.language or loaded.spec.language
    maker = _Maker(author, asked.turns, language, others, plan, one_call=asked.one_call)
    try:
        async with learned_at(workspace.folder):
            events = run_items(
                *("talk", KIND, maker.items(), asked.count, workspace.documents, calls),
                model=author.name,
                stop=stop,
                cancel=cancel,
                concurrency=concurrency or Concurrency(asked.concurrency),
                retry_failed=asked.settings.retry_failed,
                note=plan.note,
            )
            async with aclosing(events):
                async for event in events:
                    yield event
    finally:
        await author.close()


class Plan:
    """Who talks with whom, in the same order in every run: draws are kept before they are used."""

    def __init__(self, people: list[Person], documents: Documents, seed: int) -> None:
        self._documents, self._seed = documents, seed
        self._pairs = Pairs(people, seed)
        self.there = documents.readable(KIND, Talk)
        self.topics = [talk.subject.topic for talk in self.there]
        without = len(people) - len(self._pairs.people)
        if len(self._pairs.people) < 2:
            raise UserError(
                f"{len(self._pairs.people)} people of the bank have a name and an age, two are needed",
                where="talk",
                remedy="studio bank compose or write makes some, studio bank enrich completes short ones",
            )
        self.note = f"{without} people without a name or an age take no part" if without else ""

    def scenes(self) -> Iterator[tuple[Draw, Scene]]:
        """Those drawn before whose people are still there, then new ones until no pair is left."""
        known = {person.id: person for person in self._pairs.people}
        before = sorted(self._documents.readable(f"{KIND} drawn", Draw), key=lambda draw: draw.number)
        there = [draw for draw in before if self._pairs.add(draw.first, draw.second)]
        for draw in there:
            yield draw, _scene(draw, known)
        number = max((draw.number for draw in before), default=0)
        while True:
            number += 1
            drawn = self._draw(number)
            if drawn is None:
                return
            self._documents.put(f"{KIND} drawn", drawn.id, drawn)
            yield drawn, _scene(drawn, known)

    def _draw(self, number: int) -> Draw | None:
        rng = random.Random(f"talk {self._seed} {number}")
        pair = self._pairs.draw(rng)
        if pair is None:
            return None
        relation, first, second = pair
        recent = self.topics[-RECENT:]
        return Draw(
            id=f"talk-{number}",
            number=number,
            seed=self._seed,
            kind=relation.kind,
            first=first.id,
            second=second.id,
            familiarity=rng.choice(relation.familiarity),
            emotion=rng.choice(emotions()),
            formality=rng.choice(relation.formality),
            medium=relation.draw_medium(rng, first, second),
            not_like=tuple(rng.sample(recent if len(recent) >= SHOWN else seed_topics(), SHOWN)),
        )


class _Maker:
    def __init__(
        self, author: ChatModel, cap: int, language: str, others: Others, plan: Plan, *, one_call: bool
    ) -> None:
        self._author, self._cap, self._language = author, cap, language
        self._others, self._plan, self._one_call = others, plan, one_call

    def items(self) -> Iterator[Item]:
        for draw, scene in self._plan.scenes():
            yield Item(draw.id, partial(self._make, draw, scene))

    async def _make(self, draw: Draw, scene: Scene) -> Made:
        transcript = Transcript(scene.first, scene.second, self._cap)
        make = self._whole if self._one_call else self._in_turns
        subject = await make(draw, scene, transcript)
        talk = Talk(
            id=draw.id,
            scene=scene,
            subject=subject,
            turns=tuple(transcript.turns),
            ended=transcript.ended,
            fault=transcript.fault,
            model=self._author.name,
            one_call=self._one_call,
            seed=draw.seed,
        )
        reason = problem(talk, self._language)
        if not reason and await self._others.has_twin_of(talk):
            reason = "duplicate"
        if not reason:
            self._plan.topics.append(subject.topic)
        return Made(talk, reason)

    async def _in_turns(self, draw: Draw, scene: Scene, transcript: Transcript) -> Subject:
        messages = subject_messages(scene, draw.not_like, self._language)
        subject = (await self._author.structured(_request(draw, "topic", messages), Subject)).value
        while not transcript.ended:
            side, number = transcript.next_side, len(transcript.turns)
            messages = turn_messages(scene, subject, side, transcript.turns, self._language)
            turn = (await self._author.structured(_request(draw, str(number), messages), TurnAnswer)).value
            transcript.add(turn.text, turn.finished)
        return subject

    async def _whole(self, draw: Draw, scene: Scene, transcript: Transcript) -> Subject:
        messages = whole_messages(scene, draw.not_like, self._cap, self._language)
        request = _request(draw, "whole", messages, MAX_TOKENS * 4)
        answer = (await self._author.structured(request, WholeAnswer)).value
        transcript.add_all((turn.speaker, turn.text) for turn in answer.turns)
        return Subject.model_validate(answer.model_dump(include=set(Subject.model_fields)))


def _scene(draw: Draw, known: dict[str, Person]) -> Scene:
    slots = draw.model_dump(include={"kind", "familiarity", "emotion", "formality", "medium"})
    return Scene(first=known[draw.first], second=known[draw.second], **slots)


def _request(draw: Draw, what: str, messages: Messages, max_tokens: int = MAX_TOKENS) -> Request:
    """The same in every run, so that an answer on record is found again."""
    seed = int.from_bytes(hashlib.sha256(f"{draw.seed} {draw.id} {what}".encode()).digest()[:4], "big") >> 1
    return Request(
        purpose="people", messages=messages, sampling=Sampling(temperature=0.9, max_tokens=max_tokens, seed=seed)
    )
