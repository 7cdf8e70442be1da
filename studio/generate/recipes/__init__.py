"""Recipes: what people of the bank would ask, know, be or need, made by a model (Persona Hub, Ge et al., 2024).

A job of the stage :data:`STAGE` follows a recipe: ``items_stage(tell, session, STAGE, ENTRY, RecipeParams(...))``. What
was made is read by :func:`recipe_runs` and :func:`made_by`; :class:`Review` puts a sample before a person.
"""

from studio.generate.recipes.export import export_recipes
from studio.generate.recipes.job import ENTRY, STAGE, RecipeParams, follow_recipe, next_prompts, prepared
from studio.generate.recipes.load import BUILT_IN, load_recipe, recipe_text
from studio.generate.recipes.made import RecipeMade, RecipeRun, made_by, recipe_runs, removed_of
from studio.generate.recipes.recipe import Recipe, Shots
from studio.generate.recipes.report import RunReport, report
from studio.generate.recipes.review import Review, Validity, Verdict

__all__ = [
    "BUILT_IN",
    "ENTRY",
    "STAGE",
    "Recipe",
    "RecipeMade",
    "RecipeParams",
    "RecipeRun",
    "Review",
    "RunReport",
    "Shots",
    "Validity",
    "Verdict",
    "export_recipes",
    "follow_recipe",
    "load_recipe",
    "made_by",
    "next_prompts",
    "prepared",
    "recipe_runs",
    "recipe_text",
    "removed_of",
    "report",
]
