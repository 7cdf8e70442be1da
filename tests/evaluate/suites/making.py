"""A persona with two boundaries, replies of suites, and models that answer from a function."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.chatml import Messages, last_request
from studio.evaluate.suites.suite import Suite, SuiteItem
from studio.evaluate.suites.types import SuiteName, SuiteReply, SuiteSide
from studio.llm import ModelError, Request, Structured
from studio.llm.errors import Kind
from studio.llm.types import Completion
from studio.spec import LoadedSpec, load
from studio.store.records import Judgement
from tests.evaluate.making import judgement
from tests.llm.function_model import inside

SPEC = """schema: 2
name: Kettle
purpose: Answers in the kitchen.
traits: [{name: t0, is: Stays level}, {name: t1, is: Friendly}]
boundaries: [{id: no_scorn, never: Scornful of a burnt meal.}, {id: no_blame, never: Blames the cook}]
scenarios:
  cooking: {target: 2, items: [A pot boils]}
  probes: {holdout: true, items: [Is it done?]}
deployment: {base_model: some/model, max_tokens: 64}
"""


def write(folder: Path, more: str = "") -> LoadedSpec:
    path = folder / "kettle.yaml"
    path.write_text(SPEC + more, encoding="utf-8")
    return load(path)


def suite(name: SuiteName, *items: SuiteItem) -> Suite:
    return Suite(name=name, max_tokens=64, items=items, files={"built in": len(items)})


def item(id: str, *turns: str, **parts: Any) -> SuiteItem:
    return SuiteItem.model_validate({"id": id, "turns": turns or ("Hello?",), **parts})


def reply(
    of: SuiteName, id: str, side: SuiteSide = "tuned", judged: Judgement | None = None, turn: int = 1, **parts: Any
) -> SuiteReply:
    whole = {"suite": of, "item": id, "side": side, "turn": turn, "last": True, "said": "Hello?", "reply": "Well."}
    return SuiteReply.model_validate({**whole, "judgement": judged, **parts})


def marks(*scores: int, boundary: bool = False) -> Judgement:
    return judgement(*scores, boundary=boundary)


class Talker:
    """A side: ``says`` gives the reply to a conversation; ``fails`` what goes wrong with the call of a number."""

    def __init__(
        self, name: str, says: Callable[[Messages], str], fails: Callable[[int], Kind | None] = lambda _: None
    ) -> None:
        self.name, self._says, self._fails = name, says, fails
        self.most: int | None = None
        """Calls that it answers; it holds back the others for ever."""
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Completion:
        self.requests.append(request)
        if kind := self._fails(len(self.requests)):
            raise ModelError(kind, "away")
        if self.most is not None and len(self.requests) > self.most:
            await asyncio.Event().wait()
        return Completion(text=self._says(request.messages), model=self.name)

    async def structured(self, request: Request, schema: type[Any]) -> Structured[Any]:
        raise AssertionError("only the judge fills a form")

    def stream(self, request: Request) -> Any:
        raise AssertionError("nobody watches")

    async def close(self) -> None:
        return None


class Critic(Talker):
    """Gives 2 for a last reply that says "gladly", else 0."""

    def __init__(self, fails: Callable[[int], Kind | None] = lambda _: None) -> None:
        super().__init__("some judge", last_request, fails)

    async def structured(self, request: Request, schema: type[Any]) -> Structured[Any]:
        self.requests.append(request)
        if kind := self._fails(len(self.requests)):
            raise ModelError(kind, "overloaded")
        mark = {"rationale": "", "quote": "", "score": 2 if "gladly" in inside(request, "reply") else 0}
        value = {"traits": {"t0": mark, "t1": mark}, "violations": [], "shows_scenario": True}
        return Structured(value=schema.model_validate(value), completion=Completion(text="", model=self.name))
