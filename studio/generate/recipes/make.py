"""Making one thing of a recipe: written for a person, compared with what is there, solved where it is a problem."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice

from studio.bank.person import Person, person_id, person_text
from studio.dedup import TwoStage
from studio.embed import Embedder
from studio.generate.recipes.agreement import Equality
from studio.generate.recipes.answer import Answer, shown, text_of
from studio.generate.recipes.made import DISAGREEMENT, DUPLICATE, RecipeMade, RecipeRun, made_by, removed_of
from studio.generate.recipes.prompt import in_order, recipe_request
from studio.generate.recipes.recipe import Recipe
from studio.generate.recipes.solve import solved
from studio.inference import Item, Made
from studio.llm import ChatModel
from studio.llm.prices import total
from studio.store import Documents


@dataclass(frozen=True)
class Prepared:
    """A recipe with all that its prompts need but the people."""

    run: RecipeRun
    world: str
    schema: type[Answer]


def item_id(run: RecipeRun, person: Person, number: int) -> str:
    """The id of what a run makes for a person: the same in every start."""
    return person_id(run.recipe.name, run.kind, person.id, str(number))


@dataclass
class Twins:
    """The index of what was made, for one task at a time."""

    embedder: Embedder
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self._index = TwoStage(self.embedder)

    def restore(self, documents: Documents, run: RecipeRun) -> None:
        """Take what was made before, with what nobody agreed on."""
        there = [*made_by(documents, run), *(one.made for one in removed_of(documents, run) if one.reason != DUPLICATE)]
        self._index.add([(one.id, one.text) for one in there])

    async def mark(self, made: RecipeMade) -> RecipeMade:
        """With its twin, where it has one; else it is taken."""
        async with self.lock:
            twin = await asyncio.to_thread(self._index.take, made.id, made.text)
        if twin is None:
            return made
        return made.model_copy(
            update={"twin": twin.id, "similarity": round(twin.similarity, 4), "alike_in": twin.stage}
        )


class Maker:
    """Makes a run's items. ``personas`` are those of the demonstrations, ``samples`` the solutions to each problem."""

    def __init__(
        self,
        prepared: Prepared,
        model: ChatModel,
        twins: Twins,
        algebra: Equality,
        personas: Sequence[str],
        samples: int,
    ) -> None:
        self._run, self._world, self._schema = prepared.run, prepared.world, prepared.schema
        self._model, self._samples = model, samples
        self._twins, self._algebra, self._personas = twins, algebra, personas

    def items(self, people: Sequence[Person], seed: int, most: int) -> Iterator[Item]:
        """One for each person in the order of the seed, then a second one, and so on, ``most`` in all."""
        for person, number in islice(in_order(people, seed), most):
            id = item_id(self._run, person, number)
            yield Item(id, lambda id=id, person=person, number=number: self._make(id, person, number))  # type: ignore[misc]

    async def _make(self, id: str, person: Person, number: int) -> Made:
        recipe, shots = self._run.recipe, self._run.shots
        request = recipe_request(
            recipe, shots, person, id=id, number=number, personas=self._personas, world=self._world
        )
        answered = await self._model.structured(request, self._schema)
        values = answered.value.model_dump(mode="json")
        made = RecipeMade(
            id=id,
            recipe=recipe.name,
            shots=shots,
            person_id=person.id,
            name=person.name,
            persona=person_text(person),
            number=number,
            answer=values,
            text=text_of(recipe, values),
            model=answered.completion.model,
            requests=1,
            usage=answered.completion.usage,
        )
        made = await self._twins.mark(made)
        if made.twin:
            return Made(made, DUPLICATE)
        if recipe.solve is None or not self._samples:
            return Made(made)
        return await self._solved(made, recipe)

    async def _solved(self, made: RecipeMade, recipe: Recipe) -> Made:
        assert recipe.solve is not None
        problem = shown(made.answer[recipe.solve.of])
        found = await solved(self._model, recipe.solve, problem, made.id, self._samples, self._algebra)
        whole = made.model_copy(
            update={
                "samples": self._samples,
                "finals": found.finals,
                "agree": found.agree,
                "solution": found.solution,
                "final": found.final,
                "requests": made.requests + len(found.usages),
                "usage": total((made.usage, *found.usages)),
            }
        )
        return Made(whole, "" if found.final else DISAGREEMENT)
