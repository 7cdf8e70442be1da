"""The base model that a spec names: where it is, on this machine or on the Hugging Face hub, its shape and identity.

Content hashes tell one base model, or one adapter, from another, wherever it lies and whatever it is called.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import prod
from pathlib import Path
from typing import Any

from studio.chatml import Frozen
from studio.errors import UserError
from studio.files import file_hash
from studio.train.smollm2 import HUB_TIMEOUT_S, PARAMETERS, SMOLLM2, Tell, cached, need_hub, prepared
from studio.train.types import ALL_LINEAR

FUSED = {"qkv_proj": ("q_proj", "k_proj", "v_proj"), "gate_up_proj": ("gate_proj", "up_proj")}
"""Several projections as one layer, as in Phi-3."""
ADAPTER_BYTES = 2
"""Of a number of an adapter on the disk: it is written in 16 bits."""
_BESIDE_WEIGHTS = ("config.json", "tokenizer.json", "tokenizer.model", "tokenizer_config.json", "chat_template.jinja")
"""What decides a model's answers beside its weights; those that are there count."""
_ADAPTER = ("adapter_model.safetensors", "adapter_config.json")
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")


def resolve_base(base_model: str, tell: Tell | None = None) -> str:
    """What a worker loads: a folder, or the id of a model that is in the local cache or on the hub.

    ``smollm2`` is SmolLM2-135M-Instruct (:mod:`studio.train.smollm2`), prepared once on a machine: ``tell`` hears a
    line before that. Asks the hub, for up to ten seconds, where the model is not cached. Raises :class:`UserError`
    where there is no such model or it cannot be had.
    """
    if base_model == SMOLLM2:
        return str(prepared(tell))
    folder = Path(base_model).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise UserError("the folder holds no model", where=str(folder), remedy="it needs config.json and weights")
        return str(folder.resolve())
    if base_model.startswith(("/", ".", "~")) or not _HUB_ID.fullmatch(base_model):
        raise UserError("no such folder", where=base_model, remedy="give a model's folder, a hub id, or smollm2")
    if cached(base_model) is None:
        _ask_hub(base_model)
    return base_model


def _ask_hub(repo: str) -> None:
    need_hub()
    from httpx import HTTPError
    from huggingface_hub import HfApi, get_token, hf_hub_download
    from huggingface_hub.errors import GatedRepoError, HfHubHTTPError, OfflineModeIsEnabled, RepositoryNotFoundError

    terms = f"accept them on https://huggingface.co/{repo} and set HF_TOKEN, or --base smollm2"
    gated = UserError("the model is handed out under terms", where=repo, remedy=terms)
    try:
        info = HfApi().model_info(repo, timeout=HUB_TIMEOUT_S)
    except GatedRepoError:
        raise gated from None
    except RepositoryNotFoundError:
        remedy = "check the spelling; for a private model set HF_TOKEN"
        raise UserError("the hub has no such model", where=repo, remedy=remedy) from None
    except OfflineModeIsEnabled:
        remedy = "unset HF_HUB_OFFLINE, or --base smollm2"
        raise UserError("the model is not in the local cache", where=repo, remedy=remedy) from None
    except (HfHubHTTPError, HTTPError, OSError) as error:
        reason = f"the model is not in the local cache, and the hub did not answer: {type(error).__name__}"
        remedy = "check the network, give a local folder, or try the embedded one: --base smollm2"
        raise UserError(reason, where=repo, remedy=remedy) from None
    if info.gated and not (os.environ.get("HF_TOKEN") or get_token() is not None):
        raise gated
    with suppress(HfHubHTTPError, HTTPError, OSError):  # its shape can be told then; the worker says what is missing
        hf_hub_download(repo, "config.json")


class BaseShape(Frozen):
    """``projections`` maps a module's name to the (out, in) sizes of its layers; empty where they are not known."""

    parameters: int
    projections: dict[str, tuple[tuple[int, int], ...]] = {}

    def adapter_mb(self, rank: int, targets: Sequence[str]) -> float | None:
        """Megabytes (10^6 bytes) of a LoRA: rank * (in + out) numbers a layer (arXiv:2106.09685). None: not known."""
        names = [*targets, *(name for name, parts in FUSED.items() if set(targets).issuperset(parts))]
        if tuple(targets) == ALL_LINEAR:
            names = list(self.projections)
        sizes = sum(out + in_ for name in names for out, in_ in self.projections.get(name, ()))
        return rank * sizes * ADAPTER_BYTES / 1e6 if sizes else None


def shape_of(base: str) -> BaseShape | None:
    """Of a folder, of a hub's model by what is in the local cache, or of ``smollm2``; None where it cannot be told.

    From the headers of its safetensors files, else from its config. Asks no network and waits for nothing.
    """
    if base == SMOLLM2:
        return BaseShape(parameters=PARAMETERS)
    config = file_of(base, "config.json")
    if config is None:
        return None
    folder = config.parent
    try:
        tensors = [one for path in sorted(folder.glob("*.safetensors")) for one in _header(path)]
        return _by_tensors(tensors) if tensors else _by_config(json.loads((folder / "config.json").read_text()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def file_of(base: str, name: str) -> Path | None:
    """A file of a folder, or of a hub's model where it is in the local cache."""
    folder = Path(base).expanduser()
    if not folder.is_dir():
        return cached(base, name)
    return folder / name if (folder / name).is_file() else None


def config_of(base: str) -> dict[str, Any] | None:
    """The base model's ``config.json``; None where it is not here or cannot be read."""
    path = file_of(base, "config.json")
    try:
        found = json.loads(path.read_text()) if path else None
    except (OSError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def _header(path: Path) -> Iterator[tuple[str, list[int]]]:
    """Names and shapes of a safetensors file."""
    with path.open("rb") as file:
        size = int.from_bytes(file.read(8), "little")
        if size > path.stat().st_size:
            raise ValueError("not a safetensors file")
        header = json.loads(file.read(size))
    yield from ((name, tensor["shape"]) for name, tensor in header.items() if name != "__metadata__")


def _by_tensors(tensors: Sequence[tuple[str, list[int]]]) -> BaseShape:
    found = defaultdict[str, list[tuple[int, int]]](list)
    for name, shape in tensors:
        *path, module, kind = name.split(".")
        if kind == "weight" and len(shape) == 2 and "layers" in path:
            found[module].append((shape[0], shape[1]))
    projections = {name: tuple(sizes) for name, sizes in found.items()}
    return BaseShape(parameters=sum(prod(shape) for _, shape in tensors), projections=projections)


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


def identity(base_path: str) -> str:
    """What tells one base model from another, for fingerprints.

    A folder is known by what is in it: config, tokenizer, chat template and all of its weights. A hub id by itself.
    """
    folder = Path(base_path)
    if not folder.is_dir():
        return base_path
    beside = (folder / name for name in _BESIDE_WEIGHTS)
    weights = sorted((*folder.glob("*.safetensors"), *folder.glob("*.bin")))
    return _combined([*(path for path in beside if path.is_file()), *weights])


def adapter_hash(adapter: Path) -> str:
    """What tells one adapter from another, a half-trained one from the finished one: its weights and its config.

    ``adapter`` is the folder. Raises :class:`OSError` where it holds no whole adapter.
    """
    return _combined([adapter / name for name in _ADAPTER])


def _combined(files: list[Path]) -> str:
    lines = "".join(f"{path.name} {file_hash(path)}\n" for path in files)
    return hashlib.sha256(lines.encode()).hexdigest()
