"""The plan: what decides a run, and nothing else."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from studio.errors import UserError
from studio.files import file_hash
from studio.machine.gpu import Gpu
from studio.train import plan, preset_for, resolve_base, with_recipe
from studio.train.base import BaseShape, adapter_hash, identity, shape_of
from studio.train.lengths import over_length
from studio.train.memory import memory_fit
from studio.train.planning import SMALL, STARTING, Preset
from studio.train.types import ALL_LINEAR, TARGET_MODULES, Recipe
from tests.tiny_model import tiny_base, write_tiny_base

Export = SimpleNamespace


def loaded(
    hash_: str = "spec", base: str | None = None, prompt: str | None = None, adapter_mb: float | None = 50
) -> Any:
    deployment = SimpleNamespace(base_model=base or tiny_base(), system_prompt=prompt)
    success = SimpleNamespace(adapter_mb=adapter_mb)
    return SimpleNamespace(hash=hash_, spec=SimpleNamespace(deployment=deployment, success=success, scenarios={}))


def export(count: int = 200, hash_: str = "data") -> Any:
    sides = {"snapshot": "data-1", "validation_path": Path("exports/validation.jsonl"), "validation_count": 5}
    return Export(path=Path("exports/data.jsonl"), count=count, hash=hash_, skipped=0, **sides)


def changed(**values: Any) -> Any:
    return Export(**{**vars(export()), **values})


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


def test_the_same_inputs_are_the_same_run() -> None:
    one, again = plan(loaded(), export()), plan(loaded(), export())
    assert one.fingerprint == again.fingerprint and one.run_id == again.run_id
    assert one.recipe == SMALL.recipe and one.base_path == tiny_base()


def test_a_plan_names_its_snapshot_and_the_side_that_it_does_not_train_on() -> None:
    made = plan(loaded(), export())
    assert (made.snapshot, made.validation_path, made.validation_examples, made.examples) == (
        "data-1",
        "exports/validation.jsonl",
        5,
        200,
    )


def test_everything_that_decides_a_run_changes_its_fingerprint(tmp_path: Path) -> None:
    other_base = tmp_path / "base"
    other_base.mkdir()
    (other_base / "config.json").write_text("{}")
    plans = [
        plan(loaded(), export()),
        plan(loaded("edited"), export()),
        plan(loaded(prompt="Be kind."), export()),
        plan(loaded(), export(hash_="more")),
        plan(loaded(), export(), recipe=Recipe(seed=1)),
        plan(loaded(), export(), base=str(other_base), recipe=SMALL.recipe),
    ]
    assert len({one.fingerprint for one in plans}) == len(plans)


def test_a_run_that_takes_less_memory_is_the_same_run() -> None:
    sparing = plan(loaded(), export(), recipe=with_recipe(SMALL.recipe, {"micro_batch_size": 2}))
    assert sparing.fingerprint == plan(loaded(), export()).fingerprint


@pytest.mark.parametrize(("batch", "at_most", "at_once"), [(8, 8, 8), (4, 8, 4), (12, 8, 6), (8, 3, 2), (7, 4, 1)])
def test_a_batch_is_computed_in_whole_parts(batch: int, at_most: int, at_once: int) -> None:
    assert Recipe(batch_size=batch, micro_batch_size=at_most).micro_batch == at_once


def test_nothing_to_train_on_is_said_before_anything_starts() -> None:
    with pytest.raises(UserError, match="accept examples in triage"):
        plan(loaded(), export(count=0))


def test_a_folder_is_the_same_base_wherever_it_lies_and_another_one_where_any_byte_differs(tmp_path: Path) -> None:
    for name in ("here", "there"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "config.json").write_text("{}")
        (tmp_path / name / "model.safetensors").write_bytes(bytes(3 << 20))
    here = identity(str(tmp_path / "here"))
    assert here == identity(str(tmp_path / "there"))
    with (tmp_path / "there" / "model.safetensors").open("r+b") as file:
        file.seek(2 << 20)
        file.write(b"x")
    assert identity(str(tmp_path / "there")) != here, "of the same size, and alike in the first two MiB"
    (tmp_path / "here" / "chat_template.jinja").write_text("{{ messages }}")
    assert identity(str(tmp_path / "here")) != here


def test_the_hash_of_a_file_is_kept_until_the_file_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    weights, read = tmp_path / "model.safetensors", hashlib.file_digest
    weights.write_bytes(b"weights")
    os.utime(weights, (1, 1))
    first = file_hash(weights)
    monkeypatch.setattr(hashlib, "file_digest", lambda *_: pytest.fail("read again"))
    assert file_hash(weights) == first
    monkeypatch.setattr(hashlib, "file_digest", read)
    weights.write_bytes(b"WEIGHTS")
    os.utime(weights, (2, 2))
    assert file_hash(weights) != first
    (tmp_path / "cache" / "persona-studio" / "hashes").chmod(0o500)
    weights.write_bytes(b"others!")
    assert file_hash(weights) != first, "a cache that cannot be written is done without"
    (tmp_path / "cache" / "persona-studio" / "hashes").chmod(0o700)


def test_a_half_trained_adapter_is_not_the_finished_one(tmp_path: Path) -> None:
    (tmp_path / "adapter_config.json").write_text("{}")
    with pytest.raises(OSError, match="adapter_model"):
        adapter_hash(tmp_path)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"half")
    half = adapter_hash(tmp_path)
    (tmp_path / "adapter_model.safetensors").write_bytes(b"done")
    assert adapter_hash(tmp_path) != half


LLAMA_8B = {
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
    "vocab_size": 128256,
    "tie_word_embeddings": False,
}


def test_an_adapter_that_would_be_too_large_is_told_with_the_rank_that_fits(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA_8B))
    base = str(tmp_path)
    large = plan(loaded(base=base), export())
    assert large.recipe == STARTING.recipe, "the course's, at 8 billion parameters"
    assert large.adapter_mb == pytest.approx(83.9, abs=0.05)
    assert large.note == "rank 16 makes an adapter of 83.9 MB, over the spec's limit of 50 MB: rank 8 fits (41.9 MB)"
    fits = plan(loaded(base=base), export(), recipe=Recipe(rank=8))
    assert fits.note == "" and fits.adapter_mb == pytest.approx(41.9, abs=0.05)
    assert plan(loaded(base=base, adapter_mb=None), export()).note == ""


def test_a_rank_within_the_limit_is_suggested_and_memory_that_is_missing_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "config.json").write_text(json.dumps(LLAMA_8B))
    data = tmp_path / "data.jsonl"
    data.write_text("x" * 9000 + "\n")
    monkeypatch.setattr("studio.train.memory._free_memory", lambda: 24.0)
    made = plan(loaded(base=str(tmp_path)), changed(path=data))
    fit = made.memory
    assert made.suggested_rank == 8 and fit and (fit.device, fit.free, fit.fits) == ("CPU", 24.0, False)
    assert fit.weights == pytest.approx(8.03e9 * 4 / 2**30 + 0.8, rel=0.01)
    assert fit.adapter == pytest.approx(41.9e6 * 16 / 2**30, rel=0.01)
    [told] = made.warnings
    assert told.startswith(f"about {fit.needed:.1f} GiB needed and 24.0 free on the CPU: micro_batch_size below 8")
    assert "method qlora" in told and "max_length below 2048" in told

    h200 = Gpu(name="H200", memory_gib=139, free_gib=138.0)
    monkeypatch.setattr("studio.train.memory.torch_has_cuda", lambda: True)
    monkeypatch.setattr("studio.train.memory.find_gpus", lambda visible: (h200,))
    shape = shape_of(str(tmp_path))
    assert shape
    on_gpu = memory_fit(str(tmp_path), shape, Recipe(), 83.9, 9000)
    four = memory_fit(str(tmp_path), shape, Recipe(method="qlora"), 83.9, 9000)
    assert on_gpu and four and on_gpu.fits and on_gpu.device == "GPU" and four.weights < on_gpu.weights / 2
    longer = memory_fit(str(tmp_path), shape, Recipe(), 83.9, 90_000)
    fewer = memory_fit(str(tmp_path), shape, Recipe(micro_batch_size=1), 83.9, 9000)
    assert longer and fewer and fewer.activations < on_gpu.activations
    assert longer.activations == on_gpu.activations, "max_length bounds it"


def test_conversations_over_the_length_are_counted_by_the_base_models_tokenizer(tmp_path: Path) -> None:
    data = tmp_path / "data.jsonl"
    turns = [("milk " * 200, "Yes."), ("milk " * 5, "Yes."), ("\u00e9" * 40, "Yes.")]
    rows = [
        {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]}
        for asked, said in turns
    ]
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert over_length(data, tiny_base(), 64) == 2, "of the last one every letter is two tokens"
    assert over_length(data, tiny_base(), 1000) == 0
    assert over_length(tmp_path / "gone.jsonl", tiny_base(), 64) == over_length(data, "nobody/none", 64) == 0
    made = plan(loaded(), changed(path=data), recipe=Recipe(max_length=64))
    assert made.over_length == 2
    assert "2 conversations are over 64 tokens: replies that end beyond are not learned" in made.warnings


def test_all_linear_layers_are_counted_as_what_they_are() -> None:
    shape = shape_of(tiny_base())
    assert shape and shape.adapter_mb(8, ALL_LINEAR) == shape.adapter_mb(8, TARGET_MODULES)


def test_what_does_not_decide_a_run_leaves_it_the_same_and_validation_decides(tmp_path: Path) -> None:
    first = plan(loaded(), export()).fingerprint
    for name, value, same in (("samples", 2, True), ("patience", 2, False), ("validations", 2, False)):
        other = plan(loaded(), export(), recipe=with_recipe(SMALL.recipe, {name: value})).fingerprint
        assert (other == first) is same, name
    moved = changed(snapshot="data-2")
    assert plan(loaded(), moved).fingerprint != first, "another validation side may keep another adapter"


def test_the_shape_of_a_base_is_read_from_its_weights_or_its_config(tmp_path: Path) -> None:
    folder = write_tiny_base(tmp_path / "base")
    by_weights = shape_of(str(folder))
    (folder / "model.safetensors").unlink()
    by_config = shape_of(str(folder))
    assert by_weights and by_config and by_weights.projections == by_config.projections
    assert by_weights.parameters == pytest.approx(by_config.parameters, rel=0.01)
    (folder / "config.json").write_text('{"n_embd": 768}')
    assert shape_of(str(folder)) is None and shape_of("nobody/none") is None and shape_of("./no such") is None
    fused = BaseShape(parameters=1, projections={"qkv_proj": ((96, 32),), "o_proj": ((32, 32),)})
    assert fused.adapter_mb(10, TARGET_MODULES) == 10 * (96 + 32 + 32 + 32) * 2 / 1e6


@pytest.mark.parametrize(("parameters", "preset"), [(499_999_999, SMALL), (500_000_000, STARTING)])
def test_the_preset_follows_from_the_size_of_the_base(
    monkeypatch: pytest.MonkeyPatch, parameters: int, preset: Preset
) -> None:
    monkeypatch.setattr("studio.train.planning.shape_of", lambda base: BaseShape(parameters=parameters))
    assert preset_for("some/model") is preset


def test_a_base_whose_size_is_not_known_gets_the_usual_preset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.train.planning.shape_of", lambda base: None)
    assert preset_for("some/model") is STARTING
    monkeypatch.undo()
    assert preset_for("smollm2") is SMALL, "known before it is prepared"


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
