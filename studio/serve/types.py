"""The serve worker as others see it."""

from __future__ import annotations

from typing import Literal

from studio.chatml import Frozen

BASE = "base"
TUNED = "tuned"


class ServeParams(Frozen):
    """What to serve: one base model and, where there is one, an adapter on it."""

    base_path: str
    adapter_path: str | None = None
    socket: str
    """Path of the Unix socket, in a folder that only its owner can open."""
    system_prompt: str | None = None
    idle_s: float = 1800
    """The worker ends by itself after this long without a request."""


class AdapterProof(Frozen):
    """Recorded at start: switching the adapter off changes the logits, and off equals the plain base.

    ``delta_on_off`` is the largest absolute difference between logits with the adapter on and off (> 0),
    ``delta_off_base`` between adapter off and the base as loaded before the adapter was added (0).
    """

    delta_on_off: float
    delta_off_base: float
    proven: bool


class ServeReady(Frozen):
    kind: Literal["serve_ready"] = "serve_ready"
    socket: str
    device: str
    models: tuple[str, ...]
    proof: AdapterProof | None
    seconds: float
