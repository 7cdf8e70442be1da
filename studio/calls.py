"""One answer of a model, on record so that it is never paid for twice."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict


class CallRecord(BaseModel):
    """What was answered to the request with ``key``, and what it took. ``seconds`` is how long; times are UTC."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    key: str
    purpose: str
    model: str
    response: str
    """A :class:`studio.llm.ledger.LoggedAnswer` as JSON."""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float | None = None
    """US dollars; None where no price is known."""
    seconds: float = 0.0
    at: datetime
