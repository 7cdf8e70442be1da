"""Loading a base model and putting an adapter on it, with PEFT alone or with unsloth."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, NoMatchingPeftModuleError, PeftModel, get_peft_model, prepare_model_for_kbit_training
from transformers import AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, GenerationConfig

from studio.errors import UserError
from studio.train.base import FUSED
from studio.train.types import ALL_LINEAR, Method, Recipe
from studio.train.unsloth import import_unsloth
from studio.train.worker.placement import Placement

TRAINED, REFERENCE = "default", "ref"
"""Adapters on a base model, by PEFT's and TRL's names: what is trained, and what it is held to."""


@dataclass(frozen=True)
class Loaded:
    """A model that is ready to be trained: its adapter is on, everything else is frozen."""

    model: Any
    tokenizer: Any
    backend: str

    @property
    def parameters(self) -> tuple[int, int]:
        """Trainable and total; 4-bit weights are counted as the weights that they stand for."""
        trainable, total = self.model.get_nb_trainable_parameters()
        return int(trainable), int(total)

    def missing(self, recipe: Recipe) -> list[str]:
        """The recipe's target modules that the base model has under no name that is known."""
        if recipe.target_modules == ALL_LINEAR:
            return []
        tuner = self.model.base_model
        paths = (*tuner.targeted_module_names, *tuner.targeted_parameter_names)
        adapted = {path.rpartition(".")[2] for path in paths}
        adapted.update(part for name in adapted & set(FUSED) for part in FUSED[name])
        return [name for name in recipe.target_modules if name not in adapted]


def load(
    base_path: str, recipe: Recipe, placement: Placement, backend: str = "peft", start: Path | None = None
) -> Loaded:
    """The base model with a fresh adapter, or with the one in the folder ``start``, which is trained on.

    Seed before: a fresh adapter's first weights are drawn here.
    """
    if start is not None:
        model, tokenizer = _load_adapter(base_path, recipe, placement, start)
    elif backend == "unsloth":
        model, tokenizer = _load_with_unsloth(base_path, recipe)
    else:
        model, tokenizer = _load_with_peft(base_path, recipe, placement)
    if tokenizer.chat_template is None:
        remedy = "choose an instruction-tuned base model: their names often end in -Instruct or -it"
        raise UserError("the base model has no chat template", where=base_path, remedy=remedy)
    if tokenizer.pad_token is None:
        tokenizer.pad_token = tokenizer.eos_token
    return Loaded(model, tokenizer, backend)


def greedy(model: Any, tokenizer: Any) -> GenerationConfig:
    """Greedy and nothing else, with every token that ends a reply.

    What a base model suggests beyond its end tokens (penalties, minimal lengths, banned words) would be mixed into
    every reply, as generate() fills what it was not given from there.
    """
    given = model.generation_config.eos_token_id
    listed = given if isinstance(given, list) else [given]
    ends = sorted({one for one in (*listed, tokenizer.eos_token_id) if one is not None})
    return GenerationConfig(do_sample=False, eos_token_id=ends or None, pad_token_id=tokenizer.pad_token_id)


def load_weights(base_path: str, method: Method, placement: Placement) -> Any:
    """The base model alone; in four bits for ``qlora``."""
    options: dict[str, Any] = {"dtype": placement.dtype, "device_map": {"": placement.device}}
    if method == "qlora":
        options["quantization_config"] = four_bits(placement)
    return AutoModelForCausalLM.from_pretrained(base_path, **options)


def _prepared(base_path: str, recipe: Recipe, placement: Placement) -> Any:
    model = load_weights(base_path, recipe.method, placement)
    # with a cache, transformers would not keep padding-free sequences apart
    model.config.get_text_config().use_cache = False
    if recipe.method == "qlora":
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=not placement.on_cpu)
    return model


def _load_adapter(base_path: str, recipe: Recipe, placement: Placement, start: Path) -> tuple[Any, Any]:
    """With the tokenizer that lies beside the adapter."""
    model = _prepared(base_path, recipe, placement)
    try:
        model = PeftModel.from_pretrained(model, str(start), is_trainable=True)  # without it nothing would be trained
    except (OSError, ValueError, RuntimeError) as error:
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise UserError(f"the adapter to go on from cannot be loaded: {reason}", where=str(start)) from error
    return model, AutoTokenizer.from_pretrained(str(start))


def _load_with_peft(base_path: str, recipe: Recipe, placement: Placement) -> tuple[Any, Any]:
    model = _prepared(base_path, recipe, placement)
    # With the layers that stand for several of the target modules, where the model has such.
    layers, wanted = {name.rpartition(".")[2] for name, _ in model.named_modules()}, set(recipe.target_modules)
    fused = [name for name, parts in FUSED.items() if name in layers and wanted.issuperset(parts)]
    everything = recipe.target_modules == ALL_LINEAR
    config = LoraConfig(
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules="all-linear" if everything else [*recipe.target_modules, *fused],
        task_type="CAUSAL_LM",
    )
    try:
        model = get_peft_model(model, config)
    except NoMatchingPeftModuleError:
        remedy = f"choose another base model: its layers have none of the names {', '.join(recipe.target_modules)}"
        raise UserError("the base model has no layer to put the adapter on", where=base_path, remedy=remedy) from None
    return model, AutoTokenizer.from_pretrained(base_path)


def _load_with_unsloth(base_path: str, recipe: Recipe) -> tuple[Any, Any]:
    """unsloth replaces parts of transformers by faster ones when it is imported; see :mod:`studio.train.unsloth`."""
    fast = import_unsloth().FastLanguageModel
    model, tokenizer = fast.from_pretrained(
        model_name=base_path, max_seq_length=recipe.max_length, load_in_4bit=recipe.method == "qlora"
    )
    model = fast.get_peft_model(
        model,
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules="all-linear" if recipe.target_modules == ALL_LINEAR else list(recipe.target_modules),
        bias="none",
        use_gradient_checkpointing="unsloth",
        random_state=recipe.seed,
    )
    return model, tokenizer


def four_bits(placement: Placement) -> BitsAndBytesConfig:
    """NF4 with double quantisation (QLoRA, arXiv:2305.14314)."""
    if find_spec("bitsandbytes") is None:
        raise UserError("method qlora needs bitsandbytes", remedy="pip install '.[gpu]', or method lora")
    compute = torch.bfloat16 if placement.on_cpu else placement.dtype
    return BitsAndBytesConfig(
        load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_use_double_quant=True, bnb_4bit_compute_dtype=compute
    )


def weights_hash(model: Any, adapter: str = TRAINED) -> str:
    """SHA-256 of an adapter's numbers in 16 bits, as they are saved: what too small a change leaves the same."""
    digest = hashlib.sha256()
    mark = f".{adapter}."
    for name, tensor in sorted(model.named_parameters(), key=lambda one: str(one[0])):
        if mark not in name:
            continue
        digest.update(name.replace(mark, ".").encode())
        digest.update(tensor.detach().to("cpu", torch.bfloat16).contiguous().view(torch.int16).numpy().tobytes())
    return digest.hexdigest()
