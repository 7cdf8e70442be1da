"""Loading through unsloth, which replaces parts of transformers by faster ones when it is imported.

It is optional, and under licences of its own (AGPL in part): it is used from here and nowhere else.
"""

from __future__ import annotations

from typing import Any

from studio.train.types import Recipe
from studio.train.unsloth import import_unsloth


def load_with_unsloth(base_path: str, recipe: Recipe) -> tuple[Any, Any]:
    """The base model with a fresh adapter, and its tokenizer."""
    fast = import_unsloth().FastLanguageModel
    model, tokenizer = fast.from_pretrained(
        model_name=base_path, max_seq_length=recipe.max_length, load_in_4bit=recipe.method == "qlora"
    )
    model = fast.get_peft_model(
        model,
        r=recipe.rank,
        lora_alpha=recipe.alpha,
        lora_dropout=recipe.dropout,
        target_modules=list(recipe.target_modules),
        bias="none",
        use_gradient_checkpointing="unsloth",
        random_state=recipe.seed,
    )
    return model, tokenizer
