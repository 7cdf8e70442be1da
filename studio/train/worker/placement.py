"""Where a worker computes, in which number format, on how many threads, and with what: PEFT or unsloth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psutil
import torch

from studio.errors import UserError
from studio.train.base import shape_of
from studio.train.planning import SMALL_PARAMETERS
from studio.train.types import Recipe
from studio.train.unsloth import INSTALL, UNSLOTH_FOLDER, import_error, unsloth_version

SMALL = 50_000_000
"""Below this many parameters the matrices are too small to gain from a second thread."""


@dataclass(frozen=True)
class Placement:
    """``dtype`` is that of the base model's weights and of the computation; adapters are trained in 32 bits."""

    device: str
    dtype: torch.dtype

    @property
    def name(self) -> str:
        """The device as a person knows it."""
        return torch.cuda.get_device_name(0) if self.device == "cuda" else "CPU"

    @property
    def on_cpu(self) -> bool:
        return self.device == "cpu"


def choose_placement() -> Placement:
    """CUDA where there is one, else the CPU, where 32 bits are at home on every processor.

    bfloat16 where the GPU computes in it (since Ampere). Older ones emulate it, slowly: they get float16.
    """
    if not torch.cuda.is_available():
        return Placement("cpu", torch.float32)
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return Placement("cuda", torch.bfloat16 if native else torch.float16)


def set_threads(parameters: int) -> int:
    """One thread for a small model (two were half as fast on a shared box), else one a physical core."""
    threads = 1 if parameters < SMALL else psutil.cpu_count(logical=False) or 1
    torch.set_num_threads(threads)
    return threads


def choose_backend(recipe: Recipe, base: str, placement: Placement, folder: Path = UNSLOTH_FOLDER) -> tuple[str, str]:
    """What trains, and a note where that is not what it would be if all were well.

    ``unsloth`` where it was asked for, or where it is installed, there is a GPU to be fast on and the base model is of
    a size that makes up for its start (a minute and a half on an H100, half of it compiling); else ``peft``, which
    also stands in for an unsloth that cannot be imported and was not asked for. Raises :class:`UserError` where what
    was asked for cannot be had.
    """
    shape = shape_of(base)
    small = shape is not None and shape.parameters < SMALL_PARAMETERS
    if recipe.backend == "peft" or (recipe.backend == "auto" and (placement.on_cpu or small)):
        return "peft", ""
    if unsloth_version(folder) is None:
        if recipe.backend == "unsloth":
            raise UserError("unsloth is not installed", remedy=f"{INSTALL}, or backend peft")
        return "peft", ""
    why = import_error(folder)
    if not why:
        return "unsloth", ""
    if recipe.backend == "unsloth":
        raise UserError(f"unsloth cannot be imported: {why}", remedy=f"{INSTALL}, or backend peft")
    return "peft", f"without unsloth, which cannot be imported: {why}"
