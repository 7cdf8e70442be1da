"""The shape of a base model, read before anything heavy is loaded: how many parameters, and how large an adapter is.

From the headers of its safetensors files where they are on this machine, else from its config.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from importlib.util import find_spec
from math import prod
from pathlib import Path
from typing import Any

from studio.chatml import Frozen
from studio.train.smollm2 import PARAMETERS, SMOLLM2

FUSED = {"qkv_proj": ("q_proj", "k_proj", "v_proj"), "gate_up_proj": ("gate_proj", "up_proj")}
"""Several projections as one layer, as in Phi-3."""
ADAPTER_BYTES = 2
"""Of a number of an adapter on the disk: it is written in 16 bits."""


class BaseShape(Frozen):
    """``projections`` maps a module's name to the (out, in) sizes of its layers; empty where they are not known."""

    parameters: int
    projections: dict[str, tuple[tuple[int, int], ...]] = {}

    def adapter_mb(self, rank: int, targets: Sequence[str]) -> float | None:
        """Megabytes (10^6 bytes) of a LoRA: rank * (in + out) numbers a layer (arXiv:2106.09685). None: not known."""
        names = [*targets, *(name for name, parts in FUSED.items() if set(targets).issuperset(parts))]
        sizes = sum(out + in_ for name in names for out, in_ in self.projections.get(name, ()))
        return rank * sizes * ADAPTER_BYTES / 1e6 if sizes else None


def shape_of(base: str) -> BaseShape | None:
    """Of a folder, of a hub's model by what is in the local cache, or of ``smollm2``; None where it cannot be told.

    Asks no network and waits for nothing.
    """
    if base == SMOLLM2:
        return BaseShape(parameters=PARAMETERS)
    folder = Path(base).expanduser()
    if not folder.is_dir():
        cached = _cached_config(base)
        if cached is None:
            return None
        folder = cached.parent
    try:
        tensors = [one for path in sorted(folder.glob("*.safetensors")) for one in _header(path)]
        return _by_tensors(tensors) if tensors else _by_config(json.loads((folder / "config.json").read_text()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _cached_config(repo: str) -> Path | None:
    if find_spec("huggingface_hub") is None:
        return None
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(repo, "config.json")
    except HFValidationError:
        return None
    return Path(found) if isinstance(found, str) else None


def _header(path: Path) -> Iterator[tuple[str, list[int]]]:
    """Names and shapes of a safetensors file."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > path.stat().st_size:
            raise ValueError("not a safetensors file")
        header = json.loads(file.read(size))
    for name, tensor in header.items():
        if name != "__metadata__":
            yield name, tensor["shape"]


def _by_tensors(tensors: Iterable[tuple[str, list[int]]]) -> BaseShape:
    parameters, found = 0, defaultdict[str, list[tuple[int, int]]](list)
    for name, shape in tensors:
        parameters += prod(shape)
        *path, module, kind = name.split(".")
        if kind == "weight" and len(shape) == 2 and "layers" in path:
            found[module].append((shape[0], shape[1]))
    return BaseShape(parameters=parameters, projections={name: tuple(sizes) for name, sizes in found.items()})


def _by_config(config: dict[str, Any]) -> BaseShape:
    """By the usual design: grouped-query attention and a gated MLP (Llama, Mistral, Qwen, Gemma)."""
    text = config.get("text_config", config)
    hidden, inner, heads = text["hidden_size"], text["intermediate_size"], text["num_attention_heads"]
    head = text.get("head_dim") or hidden // heads
    queries, keys = heads * head, (text.get("num_key_value_heads") or heads) * head
    sizes = {
        "q_proj": (queries, hidden),
        "k_proj": (keys, hidden),
        "v_proj": (keys, hidden),
        "o_proj": (hidden, queries),
        "gate_proj": (inner, hidden),
        "up_proj": (inner, hidden),
        "down_proj": (hidden, inner),
    }
    layers = text["num_hidden_layers"]
    tied = text.get("tie_word_embeddings", config.get("tie_word_embeddings", False))
    embeddings = text["vocab_size"] * hidden * (1 if tied else 2)
    return BaseShape(
        parameters=embeddings + layers * sum(out * in_ for out, in_ in sizes.values()),
        projections={name: (size,) * layers for name, size in sizes.items()},
    )
