"""Where a worker computes, in which number format and on how many threads."""

from __future__ import annotations

from dataclasses import dataclass

import psutil
import torch

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
