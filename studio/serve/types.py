"""The serve worker as others see it."""

from __future__ import annotations

from typing import Literal

from studio.chatml import Frozen
from studio.train.types import Method

BASE = "base"
TUNED = "tuned"


class ServeParams(Frozen):
    """What to serve: one base model and, where there is one, an adapter on it."""

    base_path: str
    adapter_path: str | None = None
    method: Method = "lora"
    """``qlora`` loads the base model in four bits, as it was when the adapter was trained."""
    system_prompt: str | None = None
    grace_s: float = 30
    """The worker ends by itself so long after the last of those who used it has left."""


class AdapterProof(Frozen):
    """Recorded at start: switching the adapter off changes the logits, and off equals the plain base.

    ``delta_on_off`` is the largest absolute difference between logits with the adapter on and off (> 0),
    ``delta_off_base`` between adapter off and the base as loaded before the adapter was added (0).
    """

    delta_on_off: float
    delta_off_base: float
    proven: bool


class ServeReady(Frozen):
    """``socket`` is the path of a Unix socket, in a folder that only its owner can open."""

    kind: Literal["serve_ready"] = "serve_ready"
    socket: str
    device: str
    models: tuple[str, ...]
    proof: AdapterProof | None
    seconds: float
