"""Solutions: the same problem solved several times at temperature, and the final answer on which they agree."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field, field_validator

from studio.chatml import system, user
from studio.generate.recipes.agreement import Equality, agreeing, unwrapped, wanted
from studio.generate.recipes.prompt import seed_of
from studio.generate.recipes.recipe import Solve
from studio.llm import ChatModel, ModelError, Request, Sampling, Usage
from studio.spec.describe import bullets, joined, section
from studio.text.inert import unfit

SAMPLES, MOST_SAMPLES = 3, 9
TEMPERATURE, MAX_TOKENS = 0.8, 8192
FINAL = 400
"""Characters of a final answer."""


class Solution(BaseModel):
    """A solution with its final answer."""

    model_config = ConfigDict(extra="forbid")

    reasoning: str = Field(description="The steps of the solution, each with its result")
    answer: str = Field(description="The final answer alone")

    @field_validator("reasoning", "answer")
    @classmethod
    def _said(cls, text: str) -> str:
        if not text.strip():
            raise ValueError("expected some words")
        if bad := unfit(text):
            raise ValueError(f"the control character {bad} has no place in it")
        return text.strip()

    @field_validator("answer")
    @classmethod
    def _short(cls, text: str) -> str:
        if len(text) > FINAL:
            raise ValueError(f"{len(text)} characters, expected the final answer alone, at most {FINAL}")
        return text


@dataclass(frozen=True)
class Solved:
    """``solution`` and ``final`` are empty where too few agree; ``finals`` are those of all solutions that came."""

    finals: tuple[str, ...]
    agree: int
    solution: str
    final: str
    usages: tuple[Usage, ...]


def solution_request(solve: Solve, problem: str, id: str, number: int) -> Request:
    """What is asked for one of the solutions, ``number`` from 1."""
    rules = section("Rules", bullets([*solve.rules, "Answer with the JSON object alone."]))
    return Request(
        purpose="author",
        messages=(system(joined([solve.system, rules])), user(problem)),
        sampling=Sampling(temperature=TEMPERATURE, max_tokens=MAX_TOKENS, seed=seed_of(f"{id} {number}")),
    )


async def solved(model: ChatModel, solve: Solve, problem: str, id: str, samples: int, algebra: Equality) -> Solved:
    """Sample solutions and look for agreement. One that is refused, or malformed each time, is a solution that did not
    come; every other :class:`studio.llm.ModelError` is raised."""
    found: list[Solution] = []
    usages: list[Usage] = []
    for number in range(1, samples + 1):
        try:
            answered = await model.structured(solution_request(solve, problem, id, number), Solution)
        except ModelError as error:
            if error.kind not in ("refused", "malformed"):
                raise
            continue
        found.append(answered.value)
        usages.append(answered.completion.usage)
    finals = tuple(one.answer for one in found)
    agree = await asyncio.to_thread(agreeing, finals, algebra)
    good = found[agree[0]] if len(agree) >= wanted(samples) else None
    return Solved(
        finals=finals,
        agree=len(agree) if len(agree) > 1 else 0,
        solution=good.reasoning if good else "",
        final=unwrapped(good.answer) if good else "",
        usages=tuple(usages),
    )
