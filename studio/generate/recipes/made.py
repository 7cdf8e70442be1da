"""What a recipe made: one for a person, with what it took, and the run that it belongs to, as the store keeps them."""

from __future__ import annotations

import hashlib
from typing import Any

from studio.chatml import Frozen, Unicode
from studio.generate.recipes.answer import filled, shown
from studio.generate.recipes.recipe import Recipe, Shots
from studio.inference import Record
from studio.llm import Usage
from studio.store import Documents

RUNS, PERSONAS = "recipes", "recipe personas"
"""Kinds of documents: every run by its kind, and the people inferred of demonstrations."""
DISAGREEMENT, DUPLICATE = "disagreement", "duplicate"
LINE = 120


class RecipeMade(Record):
    """One answer. ``persona`` is the person as the model was told of them."""

    recipe: str
    shots: Shots
    person_id: str
    name: Unicode = ""
    persona: Unicode
    number: int = 1
    """The first, second ... for the same person."""
    answer: dict[str, Any]
    text: Unicode
    samples: int = 0
    """Solutions that were asked for."""
    finals: tuple[Unicode, ...] = ()
    """The final answer of each solution that came."""
    agree: int = 0
    """How many of them agree."""
    solution: Unicode = ""
    final: Unicode = ""
    """The solution that stands for those who agree, and its final answer; empty where too few do."""
    twin: str = ""
    """Of a duplicate: the id of the one that was there before, how alike they are (0..1) and in what."""
    similarity: float = 0.0
    alike_in: str = ""
    model: str = ""
    requests: int = 0
    """Questions that were answered for it."""
    usage: Usage = Usage()

    @property
    def title(self) -> str:
        line = " ".join(self.text.split())
        return line if len(line) <= LINE else f"{line[: LINE - 1]}…"

    @property
    def page(self) -> dict[str, str]:
        told = {"Recipe": f"{self.recipe}, {self.shots}", "Person": self.persona}
        told |= {name.replace("_", " ").capitalize(): shown(value) for name, value in self.answer.items()}
        if self.samples:
            told["Agreement"] = f"{self.agree} of {self.samples}: {'; '.join(self.finals)}"
            told |= {"Solution": self.solution, "Answer": self.final}
        if self.twin:
            told["Twin"] = f"{self.twin}, {self.similarity:.2f} alike in {self.alike_in}"
        return {label: text for label, text in told.items() if text}

    @property
    def values(self) -> dict[str, Any]:
        """What a template may name."""
        return {**self.answer, "solution": self.solution, "final": self.final}


class RecipeRun(Frozen):
    """Everything that was made under one kind of documents: by one recipe, in one way, for one world."""

    kind: str
    recipe: Recipe
    shots: Shots
    world: str = ""
    """The name of the world's file."""

    @property
    def title(self) -> str:
        return f"{self.recipe.name}, {self.shots}" + (f", {self.world}" if self.world else "")

    def turns(self, made: RecipeMade) -> tuple[str, str] | None:
        """What a user says and the assistant answers; None for a recipe without templates."""
        templates = self.recipe.messages
        if templates is None:
            return None
        return filled(templates.user, made.values), filled(templates.assistant, made.values)


class Gone(Frozen):
    """One that does not count, why, and what it was."""

    reason: str
    made: RecipeMade


class InferredPersona(Record):
    """The person that a demonstration would come from, as a model inferred them."""

    persona: Unicode
    model: str = ""


def run_kind(recipe: Recipe, shots: Shots, world: str, *, built_in: bool) -> str:
    """The kind of documents: ``recipe math persona``. An own recipe's content and a world's text have a mark in it, so
    that what an edited one makes is never counted with what the one before it made."""
    marks = "" if built_in else recipe.mark
    if world:
        marks += hashlib.sha256(world.encode()).hexdigest()[:6]
    return f"recipe {recipe.name} {shots}" + (f" {marks}" if marks else "")


def recipe_runs(documents: Documents, name: str | None = None, shots: Shots | None = None) -> list[RecipeRun]:
    """The runs of a workspace in the order in which they began, of one recipe and in one way where those are named."""
    found = documents.readable(RUNS, RecipeRun)
    return [one for one in found if name in (None, one.recipe.name) and shots in (None, one.shots)]


def made_by(documents: Documents, run: RecipeRun) -> list[RecipeMade]:
    """What counts of a run, in the order in which it came."""
    return documents.readable(run.kind, RecipeMade)


def removed_of(documents: Documents, run: RecipeRun) -> list[Gone]:
    """What does not count of a run, with the reason."""
    found = documents.readable(f"{run.kind} removed", _Removed)
    return [Gone(reason=one.reason, made=RecipeMade.model_validate_json(one.body)) for one in found]


class _Removed(Record):
    """As :func:`studio.inference.run_items` keeps it."""

    reason: str
    body: str
