"""Which GPU a run takes, and how its threads wait. Nothing here imports torch, which looks at the environment once."""

from __future__ import annotations

from collections.abc import MutableMapping
from pathlib import Path

VISIBLE = "CUDA_VISIBLE_DEVICES"


def keep_to_one_gpu(environ: MutableMapping[str, str], devices: Path = Path("/dev")) -> str:
    """Show this process one GPU alone: the first of ``CUDA_VISIBLE_DEVICES``, or of the machine.

    On several, transformers would give each a micro batch of its own: as many times the batch, and the epochs, that
    were planned. Returns a note where there are others.
    """
    if VISIBLE in environ:
        listed = environ[VISIBLE].split(",")
    else:
        listed = [str(number) for number, _ in enumerate(devices.glob("nvidia[0-9]*"))] or ["0"]
    environ[VISIBLE] = listed[0]
    return f"on GPU {listed[0]} alone of {len(listed)} ({VISIBLE} chooses)" if len(listed) > 1 else ""


def wait_without_spinning(environ: MutableMapping[str, str]) -> None:
    """Let OpenMP's threads sleep while they wait for one another, unless it is set otherwise.

    They would spin. With other processes beside it, a step on two threads took 28 CPU-seconds so, and 10 without.
    """
    environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
