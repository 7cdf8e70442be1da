"""Authors: who writes the examples. A model at an endpoint, or the recording beside the spec; nobody imitates one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import UTC, datetime
from random import Random
from typing import Protocol

from studio.bank import PeopleSource, person_text
from studio.chatml import Messages
from studio.errors import UserError
from studio.generate.plan import Attempt, Attempts, Drawn
from studio.generate.prompt import Authored, author_messages
from studio.generate.recorded import RECORDED, Recordings, read_recordings
from studio.generate.screening import Screened
from studio.generate.shots import AcceptedShots, shots
from studio.llm import CallLog, ChatModel, ModelSettings, Request, Sampling, author_model
from studio.spec import LoadedSpec, SpecExample
from studio.store import Example

SAMPLING = Sampling(temperature=1.0, max_tokens=2048)
"""Warm, for variety. The limit leaves room for models that think before they write."""
People = Callable[[], PeopleSource]


@dataclass(frozen=True)
class Draft:
    """A conversation as it was written; ``prompt`` is what its author was sent, if anything was."""

    messages: Messages
    prompt: Messages = ()


class Author(Protocol):
    """Writes one conversation an attempt. Safe for many at once."""

    @property
    def name(self) -> str:
        """What examples record as their author."""

    def attempts(self, people: People, seed: int, known: Container[str]) -> Attempts:
        """The attempts at examples that it can make, without those whose example is ``known`` by its id.

        ``people`` gives those who may ask, and takes half a second for it: called only where somebody is to be drawn.
        """

    async def write(self, attempt: Attempt) -> Draft:
        """The conversation. Raises :class:`studio.llm.ModelError` where none came."""

    async def close(self) -> None: ...


def open_author(
    settings: ModelSettings,
    loaded: LoadedSpec,
    call_log: CallLog | None = None,
    accepted: AcceptedShots | None = None,
) -> Author:
    """The model at the endpoint of ``settings``, which is shown ``accepted`` examples too; without one, the recording
    beside the spec.

    Raises :class:`studio.errors.UserError` where there is neither, where no model is named to write, and where the
    recording cannot be read.
    """
    if not settings.author_offline:
        return ModelAuthor(author_model(settings, call_log), loaded, accepted)
    if loaded.recorded_path is not None:
        return RecordedAuthor(loaded)
    remedy = (
        "name a server, --endpoint URL --model NAME, or set OPENAI_API_KEY; or write examples by hand, "
        f"studio triage new {loaded.path}; or import them, studio triage import {loaded.path} FILE"
    )
    raise UserError("nobody is there to write examples", where="author", remedy=remedy)


class ModelAuthor:
    """A chat model that is asked for each conversation."""

    def __init__(self, model: ChatModel, loaded: LoadedSpec, accepted: AcceptedShots | None = None) -> None:
        self._model, self._loaded, self._accepted = model, loaded, accepted

    @property
    def name(self) -> str:
        return self._model.name

    def attempts(self, people: People, seed: int, known: Container[str]) -> Drawn:
        return Drawn(people(), seed, known)

    async def write(self, attempt: Attempt) -> Draft:
        accepted = await asyncio.to_thread(self._accepted.of, attempt) if self._accepted is not None else ()
        request = author_request(self._loaded, attempt, accepted=accepted)
        answer = await self._model.structured(request, Authored)
        return Draft(answer.value.turns, request.messages)

    async def close(self) -> None:
        await self._model.close()


class RecordedAuthor:
    """Plays back the conversations that were recorded for a spec, each once, with the person who is in it.

    All that stand recorded are played, also beyond a category's target: they cost nothing, and give triage a choice.
    """

    name = RECORDED

    def __init__(self, loaded: LoadedSpec) -> None:
        """Raises :class:`studio.errors.UserError` where the recording cannot be read; nothing of it is used then."""
        self._recordings = read_recordings(loaded)

    def attempts(self, people: People, seed: int, known: Container[str]) -> Recordings:
        return Recordings(self._recordings, known)

    async def write(self, attempt: Attempt) -> Draft:
        return Draft(attempt.messages)

    async def close(self) -> None: ...


def author_request(
    loaded: LoadedSpec, attempt: Attempt, manner_of: str | None = None, accepted: tuple[SpecExample, ...] = ()
) -> Request:
    """What a model is asked for one attempt. Depends on nothing else, so that an answer on record is found again.

    ``manner_of`` as in :func:`studio.generate.prompt.author_messages`.
    """
    messages = author_messages(
        loaded.spec,
        category=attempt.category,
        scenario=attempt.scenario,
        person_text=person_text(attempt.person),
        context=loaded.context_text,
        shots=shots(loaded.spec, attempt.category, attempt.scenario, Random(attempt.seed), accepted),
        accepted=bool(accepted),
        seed=attempt.seed,
        manner_of=manner_of,
        more=attempt.more,
    )
    return Request(purpose="author", messages=messages, sampling=SAMPLING.model_copy(update={"seed": attempt.seed}))


def example_of(
    loaded: LoadedSpec, attempt: Attempt, draft: Draft, author: str, found: Screened, job_id: str = ""
) -> Example:
    """The example that a draft becomes, with where it comes from."""
    return Example(
        id=attempt.example_id,
        spec_hash=loaded.hash,
        category=attempt.category,
        scenario=attempt.scenario,
        person_id=attempt.person.id,
        messages=draft.messages,
        author=author,
        prompt=draft.prompt,
        seed=attempt.seed,
        job_id=job_id,
        neighbour=found.neighbour,
        created=datetime.now(UTC),
    )
