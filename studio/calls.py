"""One answer of a model, on record so that it is never paid for twice."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

Outcome = Literal["answered", "cut", "empty", "refused", "unreadable", "given up"]
"""``empty``: nothing beside thoughts. ``given up``: no answer, but the word that there will be none."""


class CallRecord(BaseModel):
    """What was answered to the request with ``key``, and what it took. ``seconds`` is how long; times are UTC."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    key: str
    purpose: str
    model: str
    outcome: Outcome = "answered"
    response: str
    """The raw body; of a stream, and of earlier versions, its text and finish as JSON."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    """US dollars; None where no price is known."""
    seconds: float = 0.0
    at: datetime
