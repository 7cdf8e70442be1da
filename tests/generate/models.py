"""Authors and judges that do as a test tells them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel

from studio.chatml import Messages, digest
from studio.generate import Author, Authored, ExampleScored, GenerateEvent, GenerateParams, ModelAuthor, generate
from studio.judge import NOBODY, Judge, Kind
from studio.judge.types import Finish, Source
from studio.llm import Completion, ModelError, Reply, Request, Structured
from studio.spec import LoadedSpec
from studio.store import Fit, Judgement, Row, TraitScore, Workspace

Act = Callable[[Request], "BaseModel | Awaitable[BaseModel]"]
Verdict = Callable[[Messages], "int | Awaitable[int]"]


class FakeModel:
    """Answers by ``act``; ``requests`` are all that it was asked, ``most_at_once`` the peak under way."""

    def __init__(self, act: Act, name: str = "fake") -> None:
        self._act, self._name = act, name
        self.requests: list[Request] = []
        self.most_at_once = self._at_once = 0

    @property
    def name(self) -> str:
        return self._name

    async def structured(self, request: Request, schema: type[Reply]) -> Structured[Reply]:
        self.requests.append(request)
        self._at_once += 1
        self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            await asyncio.sleep(0)
            acted = self._act(request)
            value = await acted if isinstance(acted, Awaitable) else acted
        finally:
            self._at_once -= 1
        text = value.model_dump_json()
        return Structured(value=schema.model_validate_json(text), completion=Completion(text=text, model=self._name))

    async def complete(self, request: Request) -> Completion:
        raise NotImplementedError

    async def stream(self, request: Request) -> AsyncIterator[str]:
        raise NotImplementedError
        yield ""

    async def close(self) -> None: ...


class FakeJudge(Judge):
    """Gives every trait the score of ``verdict``, and passes 1 and 2; where that raises, the judging failed.

    Without ``verdict`` nobody judges. ``asked`` are the conversations that it was shown.
    """

    def __init__(self, loaded: LoadedSpec, verdict: Verdict | None, version: str = "") -> None:
        self._of, self._verdict, self._version = loaded, verdict, version
        self.asked: list[Messages] = []

    @property
    def kind(self) -> Kind:
        return "model" if self._verdict else "nobody"

    @property
    def name(self) -> str:
        return "judge" if self._verdict else NOBODY

    @property
    def version(self) -> str:
        return self._version

    async def score(
        self,
        messages: Messages,
        scenario: str = "",
        *,
        rules_first: bool = True,
        finish: Finish = "stop",
        source: Source = "author",
    ) -> Judgement:
        self.asked.append(messages)
        told = Judgement(
            judge=self.name,
            judge_version=self.version,
            spec_hash=self._of.hash,
            digest=digest(messages),
            verdict="unscored",
            at=datetime.now(UTC),
        )
        if self._verdict is None:
            return told
        try:
            given = self._verdict(messages)
            score = await given if isinstance(given, Awaitable) else given
        except ModelError as error:
            self.last_error = error
            return told.model_copy(update={"verdict": "error", "error": str(error)})
        traits = {name: TraitScore.model_validate({"score": score}) for name in self._of.spec.trait_names}
        passed = {"verdict": "passed" if score else "failed", "reasons": () if score else ("score",)}
        return told.model_copy(update={"traits": traits, "total": 5.0 * score, **passed})

    async def fit(self, messages: Messages, person: str) -> Fit | None:
        return None

    async def close(self) -> None: ...


_WORDS = "amber birch cedar delta ember fjord grove heron iris jade kelp lotus maple north olive pearl".split()


def unlike(request: Request) -> Authored:
    """A conversation that has little in common with that of another seed."""
    return different(request.sampling.seed)


def different(number: int) -> Authored:
    words = " ".join(f"{_WORDS[(number >> shift) % 16]}{(number >> shift) % 1009}" for shift in range(0, 24, 2))
    return said(f"Where is {words}?", f"Here is {words}.")


def said(question: str, answer: str) -> Authored:
    return Authored.model_validate({"user": question, "assistant": answer})


def asks_for(request: Request, scenario: str) -> bool:
    """Whether an author is asked for an example of ``scenario``."""
    return f"\n{scenario}\n</situation" in request.messages[-1].content


def verdict(score: int = 2) -> Verdict:
    """A judge that gives every trait ``score``."""
    return lambda _: score


def pleased(messages: Messages) -> int:
    return 2


class Studio:
    """One spec, one workspace, and models to generate with. Without ``author`` the settings decide who writes."""

    def __init__(
        self, root: Path, loaded: LoadedSpec, author: Act | None = unlike, judge: Verdict | None = pleased
    ) -> None:
        self.root, self.loaded = root, loaded
        self.workspace = Workspace.open(root, loaded.spec.slug)
        self.author = FakeModel(author or unlike, "author")
        self.writes: Author | None = ModelAuthor(self.author, loaded) if author else None
        self.judge = FakeJudge(loaded, judge)

    def events(self, stop: Callable[[], bool] = lambda: False, **params: object) -> AsyncGenerator[GenerateEvent, None]:
        asked = GenerateParams.model_validate(
            {"spec_path": str(self.loaded.path), "workspace": str(self.root), **params}
        )
        return generate(self.loaded, self.workspace, asked, stop, author=self.writes, judge=self.judge, job_id="job")

    def row(self, scored: ExampleScored) -> Row:
        """The example that an event tells of, as the store has it."""
        row = self.workspace.examples.row(scored.example_id)
        assert row is not None and row.judgement is not None, "what was told is stored"
        assert (row.judgement.verdict, row.judgement.reasons) == (scored.verdict, scored.reasons)
        return row

    async def run(self, stop: Callable[[], bool] = lambda: False, **params: object) -> list[GenerateEvent]:
        return [event async for event in self.events(stop, **params)]
