"""A tiny random Llama that chats: 78,000 parameters, a byte-level tokenizer and a chat template, made in a moment.

For whatever needs a base model and not a good one. ``tiny_base()`` is its folder, one a test process, the same bytes in
each; nothing heavy is imported. What it says is noise, mostly of whole words: tests of sense take SmolLM2.
"""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from studio.train.smollm2 import CHATML_TEMPLATE

END, PAD = "<|im_end|>", "<|pad|>"
END_ID, PAD_ID = 2, 3
CONTEXT = 1024
SIZES: dict[str, Any] = {
    "vocab_size": 320,
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
    "max_position_embeddings": CONTEXT,
    "pad_token_id": PAD_ID,
    "eos_token_id": END_ID,
}
"""Of its config; other architectures are made in the same sizes, with its tokenizer."""
_TEXT = "Add a task to my list for tomorrow, please. Nice work! I added water the plants, buy milk and call Ben to it."


@cache
def tiny_base() -> str:
    """The folder of the model, which goes when the process ends."""
    folder = Path(tempfile.mkdtemp(prefix="tiny-base-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    write_tiny_base(folder)
    return str(folder)


def write_tiny_base(folder: Path, seed: int = 26) -> Path:
    """The model with weights drawn by ``seed``. By the usual one, "Add water the plants to my list." gets a short reply
    that ends, and most others one without end."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = write_tokenizer(folder)
    config = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "tie_word_embeddings": True, **SIZES}
    (folder / "config.json").write_text(json.dumps({**config, "bos_token_id": None, "rms_norm_eps": 1e-5}))
    ends = {"bos_token_id": None, "eos_token_id": END_ID, "pad_token_id": PAD_ID}
    (folder / "generation_config.json").write_text(json.dumps(ends))
    save_file(_weights(tokenizer, seed), folder / "model.safetensors", metadata={"format": "pt"})
    return folder


def write_tokenizer(folder: Path) -> Tokenizer:
    """Byte-level BPE that was learnt from two sentences: every text can be written in it."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=SIZES["vocab_size"],
        special_tokens=["<|endoftext|>", "<|im_start|>", END, PAD],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator([_TEXT] * 2, trainer)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "bos_token": None,
        "eos_token": END,
        "pad_token": PAD,
        "model_max_length": CONTEXT,
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))
    (folder / "chat_template.jinja").write_text(CHATML_TEMPLATE)
    return tokenizer


def _weights(tokenizer: Tokenizer, seed: int) -> dict[str, np.ndarray[Any, np.dtype[np.float32]]]:
    rng, hidden, inner = np.random.default_rng(seed), SIZES["hidden_size"], SIZES["intermediate_size"]

    def drawn(*shape: int) -> np.ndarray[Any, np.dtype[np.float32]]:
        return rng.normal(0, shape[-1] ** -0.5, shape).astype(np.float32)

    embeddings = drawn(SIZES["vocab_size"], hidden)
    embeddings[[len(tokenizer.id_to_token(index) or "") < 2 for index in range(len(embeddings))]] *= 0.3
    weights = {"model.embed_tokens.weight": embeddings, "model.norm.weight": _ones(hidden)}
    for layer in range(SIZES["num_hidden_layers"]):
        place = f"model.layers.{layer}"
        for name in ("q_proj", "k_proj", "v_proj", "o_proj"):
            weights[f"{place}.self_attn.{name}.weight"] = drawn(hidden, hidden)
        weights[f"{place}.mlp.gate_proj.weight"] = drawn(inner, hidden)
        weights[f"{place}.mlp.up_proj.weight"] = drawn(inner, hidden)
        weights[f"{place}.mlp.down_proj.weight"] = drawn(hidden, inner)
        for name in ("input_layernorm", "post_attention_layernorm"):
            weights[f"{place}.{name}.weight"] = _ones(hidden)
    return weights


def _ones(size: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    return np.ones(size, dtype=np.float32)
