"""Memory of a run, estimated before it starts: weights, adapter with its optimiser, activations; against what is free.

By the shape of the base model and the longest conversation, with nothing loaded. The estimate leans to the high side:
it is there to warn before a download or a night is lost, and what really happens is seen to by the worker, which halves
the micro batch once where memory runs out.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from studio.machine.gpu import VISIBLE, find_gpus, torch_has_cuda
from studio.train.base import BaseShape, config_of
from studio.train.types import MemoryFit, Recipe

GIB = 2**30
_FOUR_BITS = 0.55
"""Bytes of a number in NF4 with its quantisation constants (arXiv:2305.14314)."""
_TRAINED = 16
"""Bytes of a number that is trained: itself, its gradient and Adam's two moments, in 32 bits."""
_HIDDEN, _INNER = 12, 5
"""Numbers that a layer keeps of a token for its gradients, in units of the hidden and of the MLP's inner size."""
_LOGITS = 3
"""Logits, their logarithms and their gradient, in 32 bits; of a GPU they are made in chunks."""
_CHUNKED = 0.3
_PROCESS = 0.8
"""Of the libraries, or of a CUDA context with its kernels; GiB."""
_BYTES_A_TOKEN = 3
"""Fewer than English has: more tokens are expected than there will be."""


def memory_fit(
    base: str, shape: BaseShape, recipe: Recipe, adapter_mb: float, longest_bytes: int, *, pairs: bool = False
) -> MemoryFit | None:
    """What a run with conversations of at most ``longest_bytes`` takes; ``pairs``: with two replies and a reference.

    None where the base model's config cannot be read.
    """
    config = config_of(base)
    try:
        text: dict[str, Any] = (config or {}).get("text_config", config or {})
        hidden, layers, vocabulary = text["hidden_size"], text["num_hidden_layers"], text["vocab_size"]
        inner = text.get("intermediate_size", 4 * hidden)
    except (KeyError, TypeError):
        return None
    gpus = find_gpus(os.environ.get(VISIBLE)) if torch_has_cuda() else ()
    number = 2 if gpus else 4
    layered = sum(out * in_ for sizes in shape.projections.values() for out, in_ in sizes)
    weights = shape.parameters * number
    if recipe.method == "qlora":
        weights = int(layered * _FOUR_BITS) + (shape.parameters - layered) * number
    tokens = recipe.micro_batch * min(recipe.max_length, longest_bytes // _BYTES_A_TOKEN + 32) * (2 if pairs else 1)
    of_a_layer = tokens * (_HIDDEN * hidden + _INNER * inner) * number
    kept = tokens * hidden * layers * number + of_a_layer if gpus else of_a_layer * layers
    logits = _CHUNKED * GIB if gpus and not pairs else tokens * vocabulary * 4 * _LOGITS
    return MemoryFit(
        device="GPU" if gpus else "CPU",
        weights=weights / GIB + _PROCESS,
        adapter=adapter_mb * 1e6 / 2 * _TRAINED / GIB,
        activations=(kept + logits) / GIB,
        free=gpus[0].free_gib if gpus else _free_memory(),
    )


def warning(fit: MemoryFit, recipe: Recipe) -> str:
    """What to change where it does not fit; empty where it does."""
    if fit.fits:
        return ""
    told = f"about {fit.needed:.1f} GiB needed and {fit.free:.1f} free on the {fit.device}"
    return f"{told}: {', or '.join(ways_to_save(recipe))}"


def ways_to_save(recipe: Recipe) -> Iterator[str]:
    """First what costs memory and does not change the result, then what does."""
    if recipe.micro_batch > 1:
        yield f"micro_batch_size below {recipe.micro_batch} (the batch stays {recipe.batch_size})"
    if recipe.method == "lora":
        yield "method qlora"
    yield f"max_length below {recipe.max_length}"


def longest_line(path: Path) -> int:
    """Bytes of the longest line of a file; 0 where there is none."""
    try:
        with path.open("rb") as file:
            return max((len(line) for line in file), default=0)
    except OSError:
        return 0


def _free_memory() -> float:
    import psutil

    return float(psutil.virtual_memory().available) / GIB
