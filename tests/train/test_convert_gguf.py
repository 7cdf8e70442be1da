"""A GGUF file comes out as the model that it was made from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file
from safetensors.torch import load_file as load_torch
from tokenizers import Tokenizer

from studio.train.worker.convert_gguf import _TENSORS, main
from tests.tiny_model import SIZES, tiny_base

NAMES = {theirs: ours for ours, theirs in _TENSORS.items()}


def as_pairs(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """A rotary projection as llama.cpp's own converter lays it out (convert_hf_to_gguf.py, ``permute``)."""
    heads = SIZES["num_attention_heads"]
    return values.reshape(heads, 2, values.shape[0] // heads // 2, values.shape[1]).swapaxes(1, 2).reshape(values.shape)


def gguf_name(name: str) -> str:
    parts = name.removesuffix(".weight").split(".")
    if parts[1] != "layers":
        return f"{NAMES['.'.join(parts)]}.weight"
    return f"blk.{parts[2]}.{NAMES['.'.join(parts[3:])]}.weight"


def write_gguf(path: Path, pre: str = "smollm") -> Path:
    """The tiny base model as llama.cpp would keep it, in 8 bits where numbers are many."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_vocab_size(SIZES["vocab_size"])
    writer.add_embedding_length(SIZES["hidden_size"])
    writer.add_feed_forward_length(SIZES["intermediate_size"])
    writer.add_block_count(SIZES["num_hidden_layers"])
    writer.add_head_count(SIZES["num_attention_heads"])
    writer.add_head_count_kv(SIZES["num_key_value_heads"])
    writer.add_context_length(SIZES["max_position_embeddings"])
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_freq_base(10000.0)
    kept: dict[str, Any] = json.loads((Path(tiny_base()) / "tokenizer.json").read_text())
    vocabulary = sorted(kept["model"]["vocab"], key=kept["model"]["vocab"].get)
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(pre)
    writer.add_token_list(vocabulary)
    writer.add_token_types([3 if index < 4 else 1 for index in range(len(vocabulary))])
    writer.add_token_merges([" ".join(pair) for pair in kept["model"]["merges"]])
    for name, values in load_file(Path(tiny_base()) / "model.safetensors").items():
        laid = as_pairs(values) if "q_proj" in name or "k_proj" in name else values
        kind = gguf.GGMLQuantizationType.Q8_0 if laid.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(gguf_name(name), gguf.quantize(laid, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def test_weights_shape_and_tokenizer_come_out_as_they_went_in(tmp_path: Path) -> None:
    assert main([str(write_gguf(tmp_path / "tiny.gguf")), str(tmp_path / "out")]) == 0
    before, after = (
        load_torch(Path(tiny_base()) / "model.safetensors"),
        load_torch(tmp_path / "out" / "model.safetensors"),
    )
    assert before.keys() == after.keys() and {one.dtype for one in after.values()} == {torch.bfloat16}
    for name, values in before.items():
        assert torch.allclose(after[name].float(), values, atol=0.02), name
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert {name: config[name] for name in SIZES if name in config} == {
        name: value for name, value in SIZES.items() if name in config
    }
    mine, theirs = (
        Tokenizer.from_file(str(Path(folder) / "tokenizer.json")) for folder in (tmp_path / "out", tiny_base())
    )
    text = "<|im_start|>user\nAdd water the plants, é 日本 🎉<|im_end|>"
    assert mine.encode(text).ids == theirs.encode(text).ids
    assert mine.encode("a 12").tokens == ["a", "Ġ", "1", "2"], "digits are taken one by one"


@pytest.mark.parametrize("content", [b"", b"GGUF", b"no model at all"])
def test_what_is_no_such_file_is_said_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes
) -> None:
    (tmp_path / "broken.gguf").write_bytes(content)
    assert main([str(tmp_path / "broken.gguf"), str(tmp_path / "out")]) == 1
    told = capsys.readouterr().err
    assert told.startswith("broken.gguf could not be converted: ") and told.count("\n") == 1


def test_a_model_of_another_kind_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(write_gguf(tmp_path / "other.gguf", pre="llama-bpe")), str(tmp_path / "out")]) == 1
    assert "not a model of SmolLM's kind: llama, gpt2, llama-bpe" in capsys.readouterr().err
