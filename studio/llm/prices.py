"""What a call cost, from the price list that is installed with genai-prices. Nothing is fetched."""

from __future__ import annotations

from studio.llm.answers import Tokens
from studio.llm.imports import load
from studio.llm.settings import ModelSettings


async def load_prices(settings: ModelSettings) -> None:
    """Import the list (up to 1.4 s, so in a thread) before the first answer is there, if it is going to be needed."""
    if not settings.local:
        await load("genai_prices")


def cost_usd(settings: ModelSettings, model: str, tokens: Tokens) -> float | None:
    """US dollars: 0.0 on this machine, None where the list knows no price of ``model`` at this endpoint.

    The price is the endpoint's own: the same model elsewhere may cost something else.
    """
    if settings.local:
        return 0.0
    from genai_prices import Usage, calc_price

    used = Usage(
        input_tokens=tokens.prompt_tokens, output_tokens=tokens.completion_tokens, cache_read_tokens=tokens.cached
    )
    try:
        return float(calc_price(used, model, provider_api_url=settings.url).total_price)
    except (LookupError, ValueError):
        return None
