"""Demonstrations: the person that each would come from, inferred by the model once where the recipe names none."""

from __future__ import annotations

import asyncio

from studio.generate.recipes.made import PERSONAS, InferredPersona, RecipeRun
from studio.generate.recipes.prompt import Persona, demonstration_id, persona_request
from studio.llm import ChatModel, Request
from studio.store import Documents

MISSING = "(to be inferred)"
"""What a prompt that is only shown says where nobody is known yet."""


async def infer_personas(run: RecipeRun, model: ChatModel, documents: Documents) -> list[str]:
    """The people of a recipe's demonstrations, in their order; those that are missing are asked for once, and kept.

    None where the prompts show no people. Raises :class:`studio.llm.ModelError`.
    """
    if run.shots != "persona":
        return []
    found = []
    for one in run.recipe.demonstrations:
        id = demonstration_id(run.recipe, one)
        known = one.persona or await asyncio.to_thread(_known, documents, id)
        if not known:
            known = (await model.structured(persona_request(run.recipe, one), Persona)).value.persona
            kept = InferredPersona(id=id, persona=known, model=model.name)
            await asyncio.to_thread(documents.put, PERSONAS, id, kept)
        found.append(known)
    return found


def known_personas(run: RecipeRun, documents: Documents) -> tuple[list[str], list[Request]]:
    """The same without asking anybody: :data:`MISSING` for those who are to be inferred, and what will be asked."""
    found, requests = [], []
    for one in run.recipe.demonstrations if run.shots == "persona" else ():
        known = one.persona or _known(documents, demonstration_id(run.recipe, one))
        found.append(known or MISSING)
        if not known:
            requests.append(persona_request(run.recipe, one))
    return found, requests


def _known(documents: Documents, id: str) -> str:
    found = documents.get(PERSONAS, id, InferredPersona)
    return found.persona if found else ""
