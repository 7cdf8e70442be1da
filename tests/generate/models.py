"""Authors and judges that do as a test tells them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path

from pydantic import BaseModel

from studio.generate import GenerateEvent, GenerateParams, generate
from studio.generate.schema import Authored
from studio.generate.types import AuthorBrief
from studio.judge import Judge
from studio.judge.rubric import Answer, TraitMark
from studio.judge.types import JudgeBrief
from studio.llm import Completion, Reply, Request, Structured
from studio.spec import LoadedSpec
from studio.store import Workspace

Act = Callable[[Request], "BaseModel | Awaitable[BaseModel]"]


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
        return Structured(
            value=schema.model_validate_json(text) if not isinstance(value, schema) else value,
            completion=Completion(text=text, model=self._name),
        )

    async def complete(self, request: Request) -> Completion:
        raise NotImplementedError

    async def stream(self, request: Request) -> AsyncIterator[str]:
        raise NotImplementedError
        yield ""

    async def close(self) -> None: ...


_WORDS = "amber birch cedar delta ember fjord grove heron iris jade kelp lotus maple north olive pearl".split()


def unlike(request: Request) -> Authored:
    """A conversation that has little in common with that of another seed."""
    assert isinstance(request.brief, AuthorBrief)
    seed = request.brief.seed
    words = " ".join(f"{_WORDS[(seed >> shift) % 16]}{(seed >> shift) % 1009}" for shift in range(0, 24, 2))
    return Authored(user=f"Where is {words}?", assistant=f"Here is {words}.")


def verdict(score: int = 2) -> Act:
    """A judge that gives every trait ``score``."""

    def act(request: Request) -> BaseModel:
        assert isinstance(request.brief, JudgeBrief)
        mark = {"rationale": "", "quote": "", "score": score}
        spec = request.brief.spec
        traits = dict.fromkeys(spec.trait_names, TraitMark.model_validate(mark))
        return Answer(traits=traits, steps={step.step: True for step in spec.patterns})

    return act


class Studio:
    """One spec, one workspace, and models to generate with."""

    def __init__(self, root: Path, loaded: LoadedSpec, author: Act = unlike, judge: Act | None = None) -> None:
        self.root, self.loaded = root, loaded
        self.workspace = Workspace.open(root, loaded.spec.slug)
        self.author, self.judge = FakeModel(author, "author"), FakeModel(judge or verdict(), "judge")

    def events(self, stop: Callable[[], bool] = lambda: False, **params: object) -> AsyncGenerator[GenerateEvent, None]:
        asked = GenerateParams.model_validate(
            {"spec_path": str(self.loaded.path), "workspace": str(self.root), **params}
        )
        return generate(
            self.loaded,
            self.workspace,
            asked,
            stop,
            author=self.author,
            judge=Judge(self.judge, self.loaded),
            job_id="job",
        )

    async def run(self, stop: Callable[[], bool] = lambda: False, **params: object) -> list[GenerateEvent]:
        return [event async for event in self.events(stop, **params)]
