"""The plan: what decides a run, and nothing else."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.errors import UserError
from studio.store import Workspace
from studio.train import plan, preset_for, with_recipe
from studio.train.base import POCKET, POCKET_FOLDER, identity, resolve_base
from studio.train.types import Recipe

Export = SimpleNamespace


def loaded(hash_: str = "spec", base: str = POCKET, prompt: str | None = None) -> Any:
    deployment = SimpleNamespace(base_model=base, system_prompt=prompt)
    return SimpleNamespace(hash=hash_, spec=SimpleNamespace(deployment=deployment))


def export(count: int = 200, hash_: str = "data") -> Any:
    return Export(path=Path("exports/data.jsonl"), count=count, hash=hash_, skipped=0)


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace.open(tmp_path, "persona")


@pytest.mark.parametrize(
    ("examples", "recipe", "steps"),
    [
        (200, Recipe(epochs=3, batch_size=8), 75),
        (201, Recipe(epochs=3, batch_size=8), 78),
        (200, Recipe(epochs=0.5, batch_size=8), 13),
        (200, Recipe(epochs=3, batch_size=8, micro_batch_size=3), 75),
        (200, Recipe(epochs=1, batch_size=12), 17),
        (3, Recipe(epochs=1, batch_size=8), 1),
    ],
)
def test_steps_follow_from_examples_epochs_and_batch(examples: int, recipe: Recipe, steps: int) -> None:
    assert recipe.steps(examples) == steps


def test_the_same_inputs_are_the_same_run(workspace: Workspace) -> None:
    one, again = plan(loaded(), workspace, export()), plan(loaded(), workspace, export())
    assert one.fingerprint == again.fingerprint and one.run_id == again.run_id
    assert one.recipe == preset_for(POCKET).recipe and one.base_path == str(POCKET_FOLDER)


def test_everything_that_decides_a_run_changes_its_fingerprint(workspace: Workspace, tmp_path: Path) -> None:
    other_base = tmp_path / "base"
    other_base.mkdir()
    (other_base / "config.json").write_text("{}")
    plans = [
        plan(loaded(), workspace, export()),
        plan(loaded("edited"), workspace, export()),
        plan(loaded(prompt="Be kind."), workspace, export()),
        plan(loaded(), workspace, export(hash_="more")),
        plan(loaded(), workspace, export(), recipe=Recipe(seed=1)),
        plan(loaded(), workspace, export(), base=str(other_base), recipe=preset_for(POCKET).recipe),
    ]
    assert len({one.fingerprint for one in plans}) == len(plans)


def test_a_run_that_takes_less_memory_is_the_same_run(workspace: Workspace) -> None:
    sparing = plan(
        loaded(), workspace, export(), recipe=with_recipe(preset_for(POCKET).recipe, {"micro_batch_size": 2})
    )
    assert sparing.fingerprint == plan(loaded(), workspace, export()).fingerprint


@pytest.mark.parametrize(("batch", "at_most", "at_once"), [(8, 8, 8), (4, 8, 4), (12, 8, 6), (8, 3, 2), (7, 4, 1)])
def test_a_batch_is_computed_in_whole_parts(batch: int, at_most: int, at_once: int) -> None:
    assert Recipe(batch_size=batch, micro_batch_size=at_most).micro_batch == at_once


def test_nothing_to_train_on_is_said_before_anything_starts(workspace: Workspace) -> None:
    with pytest.raises(UserError, match="accept examples in triage"):
        plan(loaded(), workspace, export(count=0))


def test_a_folder_is_the_same_base_wherever_it_lies(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(b"weights")
    here = identity(str(tmp_path / "here"))
    assert here == identity(str(tmp_path / "there")) != identity(str(POCKET_FOLDER))
    (tmp_path / "there" / "model.safetensors").write_bytes(b"WEIGHTS")  # of the same size
    assert identity(str(tmp_path / "there")) != here


def test_a_base_that_cannot_be_had_is_a_users_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UserError, match="no such folder"):
        resolve_base("./nowhere")
    with pytest.raises(UserError, match="holds no model"):
        resolve_base(str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(UserError, match="not in the local cache"):
        resolve_base("nobody/no-model-of-this-name")


def test_a_recipe_is_changed_as_a_whole_and_checked() -> None:
    changed = with_recipe(Recipe(), {"batch_size": 4, "epochs": 2})
    assert (changed.batch_size, changed.micro_batch, changed.epochs) == (4, 4, 2)
    with pytest.raises(UserError, match="recipe: rank"):
        with_recipe(Recipe(), {"rank": 0})
    with pytest.raises(UserError, match="recipe: ranks"):
        with_recipe(Recipe(), {"ranks": 8})


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("rank", 0, "must be greater than or equal to 1"),
        ("rank", 1.5, "must be a whole number"),
        ("rank", "x", "must be a whole number"),
        ("learning_rate", float("inf"), "must be a finite number"),
        ("method", "x", "must be 'lora' or 'qlora'"),
        ("ranks", 8, "there is no such value in a recipe"),
    ],
)
def test_what_a_recipe_cannot_be_is_told_in_words(name: str, value: object, said: str) -> None:
    with pytest.raises(UserError) as raised:
        with_recipe(Recipe(), {name: value})
    assert raised.value.message == said


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("epochs", value) for value in (float("inf"), float("nan"), 1e308, 0)),
        *(("learning_rate", value) for value in (float("inf"), float("nan"), 0)),
        *(("seed", value) for value in (-1, 2**32)),
        ("batch_size", 10**9),
    ],
)
def test_a_number_that_no_training_takes_is_refused_before_anything_starts(name: str, value: float) -> None:
    with pytest.raises(UserError, match=f"recipe: {name}"):
        with_recipe(Recipe(), {name: value})
