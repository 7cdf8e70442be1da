"""Answers of models, on record so that none is paid for twice, and what they took."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

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


class Spent(NamedTuple):
    """What calls took. ``cost_usd`` sums those whose price is known, the others are ``unpriced``."""

    calls: int = 0
    unpriced: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    cost_usd: float = 0.0

    def plus(self, other: Spent) -> Spent:
        return Spent._make(one + more for one, more in zip(self, other, strict=True))

    def minus(self, other: Spent) -> Spent:
        return Spent._make(one - less for one, less in zip(self, other, strict=True))
