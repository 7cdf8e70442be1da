"""Prices: what a call cost, by the list that comes with genai-prices (nothing is fetched), and what several took."""

from __future__ import annotations

from collections.abc import Iterable

from studio.llm.response import Tokens
from studio.llm.settings import ModelSettings
from studio.llm.transport import import_in_thread
from studio.llm.types import Usage


async def load_prices(settings: ModelSettings) -> None:
    """Import the list (up to 1.4 s, so in a thread) before the first answer is there, if it is going to be needed."""
    if settings.price is None and not settings.local:
        await import_in_thread("genai_prices")


def cost_usd(settings: ModelSettings, model: str, tokens: Tokens) -> float | None:
    """US dollars: by the price of the settings, 0.0 on this machine, None where the list knows no price of ``model`` at
    this endpoint.

    The price is the endpoint's own: the same model elsewhere may cost something else.
    """
    if (price := settings.price) is not None:
        return (price.prompt * tokens.prompt_tokens + price.completion * tokens.completion_tokens) / 1e6
    if settings.local:
        return 0.0
    from genai_prices import Usage as Used
    from genai_prices import calc_price

    used = Used(
        input_tokens=tokens.prompt_tokens, output_tokens=tokens.completion_tokens, cache_read_tokens=tokens.cached
    )
    try:
        return float(calc_price(used, model, provider_api_url=settings.url).total_price)
    except (LookupError, ValueError):
        return None


def dollars(usd: float) -> str:
    """``$12.30``, and less than ten cents as ``$0.0042``."""
    return f"${usd:,.2f}" if usd >= 0.1 or not usd else f"${usd:.2g}"


def total(usages: Iterable[Usage]) -> Usage:
    """The sum. A cost that is unknown makes the whole cost unknown."""
    parts = tuple(usages)
    costs = [part.cost_usd for part in parts if part.cost_usd is not None]
    return Usage(
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        completion_tokens=sum(part.completion_tokens for part in parts),
        cost_usd=sum(costs) if len(costs) == len(parts) else None,
        seconds=sum(part.seconds for part in parts),
    )
