"""The recipe of the next run: changed in a form, and remembered over a restart."""

from __future__ import annotations

import json
from dataclasses import replace

from textual import work

from studio.errors import UserError
from studio.train.presets import preset_for, with_recipe
from studio.train.types import Recipe
from studio.tui.dialogs.questions import Form, Values
from studio.tui.live.state import Value
from studio.tui.screens.job_stage import JobStage
from studio.tui.screens.train_parts import recipe_note, recipe_values


class Adjusting(JobStage):
    """Keeps what a person changed of the preset in the session, for the plan."""

    def recipe_changed(self) -> None:
        """Plan anew."""
        raise NotImplementedError

    def recall(self, state: dict[str, Value]) -> None:
        try:
            changes = json.loads(str(state.get("recipe") or "{}"))
            with_recipe(preset_for(self.session.base_model).recipe, changes)
        except (ValueError, TypeError, UserError):
            return
        self._change(changes)

    def remember(self) -> dict[str, Value]:
        return {"recipe": json.dumps(self.session.recipe, sort_keys=True)}

    @work
    async def action_edit(self) -> None:
        """Change the recipe."""
        base, preset = self.session.base_model, preset_for(self.session.base_model).recipe
        now = with_recipe(preset, self.session.recipe)
        form = Form("The recipe", recipe_values(now), lambda values: _recipe(preset, values), recipe_note(base))
        values = await self.app.push_screen_wait(form)
        if values is not None:
            told, given = recipe_values(preset), self.session.recipe
            kept = {name: value for name, value in given.items() if name not in told}
            self._change({**kept, **_typed({name: text for name, text in values.items() if text != told[name]})})
            self.keep_memory()

    def _change(self, changes: dict[str, float | str]) -> None:
        if changes != self.session.recipe:
            self.studio.session = replace(self.session, recipe=changes)
            self.recipe_changed()


def _recipe(preset: Recipe, values: Values) -> Recipe:
    return with_recipe(preset, _typed(values))


def _typed(values: Values) -> dict[str, float | str]:
    found: dict[str, float | str] = {}
    for name, text in values.items():
        try:
            found[name] = text if name == "method" else int(text) if text.isdecimal() else float(text)
        except ValueError:
            raise UserError(f"{text!r} is not a number", where=name) from None
    return found
