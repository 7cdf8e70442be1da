"""Convert the GGUF file of a small Llama to a folder that transformers loads, trains and saves.

transformers reads GGUF files, but neither trains nor saves what it read from one. The numbers are dequantised by the
``gguf`` package and written in bfloat16; no torch is needed, and the 135M parameters of SmolLM2 take about six seconds.

A process of its own: it prints nothing when it succeeds, and one line to stderr when it cannot.

Example: python -m studio.train.worker.convert_gguf SmolLM2-135M-Instruct.Q4_1.gguf FOLDER
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGUFReader, dequantize
from numpy.typing import NDArray
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

_TENSORS = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}
"""GGUF's names of a Llama's tensors, without their block, and transformers' names."""
_CONTROL = 3
"""GGUF's type of a token that is never text."""


def convert(source: Path, folder: Path) -> None:
    """Write ``config.json``, ``model.safetensors`` and ``tokenizer.json`` to ``folder``, which is made.

    Raises :class:`ValueError` where the file is not a Llama with a byte-level BPE of SmolLM's kind.
    """
    reader = GGUFReader(source)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    kind = (fields["general.architecture"], fields["tokenizer.ggml.model"], fields["tokenizer.ggml.pre"])
    if kind != ("llama", "gpt2", "smollm"):
        raise ValueError(f"not a model of SmolLM's kind: {', '.join(map(str, kind))}")
    config = llama_config(fields, tied=all(tensor.name != "output.weight" for tensor in reader.tensors))
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    bpe_tokenizer(fields).save(str(folder / "tokenizer.json"))
    write_safetensors(folder / "model.safetensors", dict(_tensors(reader, config)))


def llama_config(fields: dict[str, Any], *, tied: bool) -> dict[str, Any]:
    """transformers' config of the network; what turns and padding are marked with is not the network's to say."""
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "hidden_act": "silu",
        "vocab_size": fields["llama.vocab_size"],
        "hidden_size": fields["llama.embedding_length"],
        "intermediate_size": fields["llama.feed_forward_length"],
        "num_hidden_layers": fields["llama.block_count"],
        "num_attention_heads": fields["llama.attention.head_count"],
        "num_key_value_heads": fields["llama.attention.head_count_kv"],
        "max_position_embeddings": fields["llama.context_length"],
        "rms_norm_eps": round(fields["llama.attention.layer_norm_rms_epsilon"], 9),
        "rope_theta": fields["llama.rope.freq_base"],
        "tie_word_embeddings": tied,
        "bos_token_id": None,
        "torch_dtype": "bfloat16",
    }


def bpe_tokenizer(fields: dict[str, Any]) -> Tokenizer:
    """Byte-level BPE that takes digits one by one, as SmolLM's does."""
    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    merges = [(first, second) for first, second in (pair.split(" ") for pair in fields["tokenizer.ggml.merges"])]
    tokenizer = Tokenizer(models.BPE(vocab={token: index for index, token in enumerate(tokens)}, merges=merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = zip(tokens, fields["tokenizer.ggml.token_type"], strict=True)
    tokenizer.add_special_tokens(
        [AddedToken(token, normalized=False, special=True) for token, kind in kinds if kind == _CONTROL]
    )
    return tokenizer


def write_safetensors(path: Path, tensors: dict[str, NDArray[np.uint16]]) -> None:
    """The safetensors format (https://github.com/huggingface/safetensors), which numpy has no bfloat16 for."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    offset = 0
    for name, tensor in tensors.items():
        header[name] = {"dtype": "BF16", "shape": tensor.shape, "data_offsets": [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with path.open("wb") as file:
        file.write(len(head).to_bytes(8, "little") + head)
        for tensor in tensors.values():
            file.write(tensor.tobytes())


def _tensors(reader: GGUFReader, config: dict[str, Any]) -> Iterator[tuple[str, NDArray[np.uint16]]]:
    """Names and shapes as transformers has them; each number in bfloat16, the upper half of its bits."""
    heads = {"attn_q": config["num_attention_heads"], "attn_k": config["num_key_value_heads"]}
    for tensor in reader.tensors:
        *block, part, _ = tensor.name.split(".")
        values = dequantize(tensor.data, tensor.tensor_type)
        if part in heads:  # rows of a rotary projection: a head's halves after each other, where GGUF has pairs
            rows, columns = values.shape
            pairs = values.reshape(heads[part], rows // heads[part] // 2, 2, columns)
            values = pairs.swapaxes(1, 2).reshape(rows, columns)
        place = f"model.layers.{block[1]}." if block else ""
        bits = np.ascontiguousarray(values, dtype=np.float32).view(np.uint32)
        rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16  # to the nearest, ties to even
        yield f"{place}{_TENSORS[part]}.weight", rounded.astype(np.uint16)


def main(arguments: Sequence[str]) -> int:
    source, folder = map(Path, arguments)
    try:
        convert(source, folder)
    except (OSError, ValueError, LookupError) as error:
        print(f"{source.name} could not be converted: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
