"""Settings: where the models are, as the user said, and as the environment says where they did not."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from typing import Literal, get_args
from urllib.parse import SplitResult, urlsplit

from pydantic import Field

from studio.chatml import Frozen, Unicode
from studio.errors import UserError
from studio.llm.errors import KEY_VARIABLE, ModelError
from studio.text.inert import inert_line

OPENAI_ENDPOINT = "https://api.openai.com/v1"
OPENAI_MODEL = "gpt-5-mini"
"""Asked when there is a key for OpenAI and no model was named."""
PATIENCE_VARIABLE = "STUDIO_PATIENCE"
EFFORT_VARIABLE = "STUDIO_REASONING_EFFORT"
PRICE_VARIABLE, JUDGE_PRICE_VARIABLE = "STUDIO_PRICE", "STUDIO_JUDGE_PRICE"
JUDGE_ENDPOINT_VARIABLE = "STUDIO_JUDGE_ENDPOINT"
Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh"]
LOCAL = "local"
"""``--author local:MODEL``: the studio serves the author's model itself."""


class Price(Frozen):
    """US dollars a million tokens, where the list of prices has none, or another one is paid."""

    prompt: float = Field(ge=0, allow_inf_nan=False)
    completion: float = Field(ge=0, allow_inf_nan=False)


class ModelSettings(Frozen):
    """An endpoint and the models to ask there. Safe to write to a job's file: it holds the key's name, never the key.

    ``endpoint`` is the base URL up to and with ``/v1``; None is OpenAI itself. ``uds`` is the path of a Unix socket
    that is dialled instead of the endpoint's host. Timeouts are in seconds: one read, and all tries of one whole call.
    """

    endpoint: str | None = None
    model: Unicode | None = None
    judge_model: Unicode | None = None
    """None asks ``model`` to judge too, where the judge has no endpoint of its own."""
    judges: tuple[str, ...] = ()
    """Models that judge together, in the place of one: the median of their marks stands."""
    judge_samples: int = Field(default=1, ge=1, le=9)
    """How often each judge is asked about one reply."""
    judge_endpoint: str | None = None
    """Where the judge is asked; None asks it where the author is."""
    uds: str | None = None
    author_local: Unicode | None = None
    """The chat model that the studio serves itself to write examples: ``smollm2``, a hub id or a folder."""
    author_served: ModelSettings | None = None
    """Where the worker that serves it is asked, and by which name; None until there is one."""
    max_concurrent: int = 512
    """Calls at once at most; how many there are is learned."""
    key_variable: str | None = None
    """The environment variable that holds the key; None where there is none."""
    judge_key_variable: str | None = None
    """The same for ``judge_endpoint``."""
    price: Price | None = None
    judge_price: Price | None = None
    max_cost_usd: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    """What all calls on record of the workspace may cost together; None sets no limit."""
    read_timeout: float = 120.0
    total_timeout: float = 600.0
    patience_minutes: float = Field(default=30.0, ge=0)
    """How long a server may be away, or ask to wait, before the run ends."""
    retry_failed: bool = False
    """Whether requests are asked again that were refused, or given up after answers in vain."""
    reasoning_effort: Effort | None = None
    """How much a reasoning model thinks; None leaves it to the model."""

    @property
    def offline(self) -> bool:
        """Neither an endpoint nor a key: there is no model to ask."""
        return self.endpoint is None and self.uds is None and self.key_variable is None

    @property
    def author_offline(self) -> bool:
        """No model is there to write: neither at an endpoint nor one that the studio serves."""
        return self.offline and self.author_local is None

    @property
    def judging(self) -> ModelSettings:
        """The settings of the judge: ``model`` is who judges, None where nobody is named."""
        if self.judge_endpoint is None:
            named = self.judges[0] if self.judges else self.judge_model
            price = self.judge_price or (self.price if {named, *self.judges} <= {None, self.model} else None)
            return self.model_copy(update={"model": named or self.model, "price": price})
        own = {"endpoint": self.judge_endpoint, "key_variable": self.judge_key_variable, "price": self.judge_price}
        named = self.judges[0] if self.judges else self.judge_model
        return self.model_copy(update={**own, "model": named, "uds": None})

    @property
    def url(self) -> str:
        """The base URL that is called."""
        return self.endpoint or OPENAI_ENDPOINT

    @property
    def local(self) -> bool:
        """Whether calls stay on this machine, where they cost nothing."""
        host = urlsplit(self.url).hostname or ""
        return self.uds is not None or host in ("localhost", "::1") or host.startswith("127.")

    @property
    def place(self) -> str:
        """The endpoint as people are told of it."""
        return f"unix:{self.uds}" if self.uds else self.url

    def key(self, environ: Mapping[str, str] = os.environ) -> str | None:
        """The key, read anew from the environment at each use. A Unix socket is never sent one.

        Raises :class:`ModelError` ``auth`` for what can be no key: the client libraries would quote it in their errors.
        """
        if self.uds or not self.key_variable:
            return None
        key = environ.get(self.key_variable, "").strip()
        if not (key.isascii() and key.isprintable()):
            raise ModelError("auth", f"{self.key_variable} holds characters that no key has: copy the key again")
        return key or None


def resolve_settings(
    endpoint: str | None = None,
    model: str | None = None,
    judge_model: str | None = None,
    environ: Mapping[str, str] = os.environ,
    *,
    author: str | None = None,
    judge_endpoint: str | None = None,
    key_variable: str | None = None,
    judge_key_variable: str | None = None,
    judges: str | None = None,
    judge_samples: int | None = None,
    max_cost: float | None = None,
    retry_failed: bool = False,
) -> ModelSettings:
    """Settings from arguments first, then ``OPENAI_BASE_URL``, ``OPENAI_API_KEY``, ``STUDIO_MODEL``,
    ``STUDIO_JUDGE_ENDPOINT``, ``STUDIO_JUDGE_MODEL``, ``STUDIO_JUDGES``, ``STUDIO_KEY_VARIABLE``,
    ``STUDIO_JUDGE_KEY_VARIABLE``,
    ``STUDIO_PRICE``, ``STUDIO_JUDGE_PRICE`` (dollars a million tokens, as ``0.25/2``), ``STUDIO_PATIENCE`` (minutes)
    and ``STUDIO_REASONING_EFFORT``. An empty value counts as none. ``author`` is ``local:MODEL``, where the studio is
    to serve the model that writes; the others then say who judges.

    Raises :class:`UserError` for an endpoint that is not a plain http(s) URL, for another kind of author, for a key
    that is named and not there, and for a price, a patience or an effort that is none.
    """
    if max_cost is not None and not 0 <= max_cost < math.inf:
        raise UserError("no such budget", where="--max-cost", remedy="write it in US dollars, as 5.00")
    where = endpoint or environ.get("OPENAI_BASE_URL") or None
    judged_at = judge_endpoint or environ.get(JUDGE_ENDPOINT_VARIABLE) or None
    key = _key_variable(key_variable, "STUDIO_KEY_VARIABLE", environ)
    default = OPENAI_MODEL if key and where is None else None
    return ModelSettings(
        endpoint=_checked(where) if where else None,
        model=model or environ.get("STUDIO_MODEL") or default,
        judge_model=judge_model or environ.get("STUDIO_JUDGE_MODEL") or None,
        judges=_listed(judges or environ.get("STUDIO_JUDGES") or ""),
        judge_samples=judge_samples or 1,
        judge_endpoint=_checked(judged_at, "judge endpoint") if judged_at else None,
        author_local=_local(author) if author else None,
        key_variable=key,
        judge_key_variable=_key_variable(judge_key_variable, "STUDIO_JUDGE_KEY_VARIABLE", environ)
        if judged_at
        else None,
        price=_price(PRICE_VARIABLE, environ),
        judge_price=_price(JUDGE_PRICE_VARIABLE, environ),
        max_cost_usd=max_cost,
        retry_failed=retry_failed,
        patience_minutes=_minutes(environ.get(PATIENCE_VARIABLE) or "30"),
        reasoning_effort=_effort(environ.get(EFFORT_VARIABLE) or None),
    )


def _key_variable(named: str | None, setting: str, environ: Mapping[str, str]) -> str | None:
    """The variable that holds the key: the one that was named, which has to be there; else the usual one, if it is."""
    name = named or environ.get(setting) or None
    if name is None:
        return KEY_VARIABLE if environ.get(KEY_VARIABLE, "").strip() else None
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):  # most likely the key itself, which is not quoted
        raise UserError(
            "that is no name of an environment variable", where="key variable", remedy="name it, not the key"
        )
    if not environ.get(name, "").strip():
        raise UserError(f"{name} is not set", where="key variable", remedy=f"export {name}=... with the key")
    return name


def _price(setting: str, environ: Mapping[str, str]) -> Price | None:
    text = environ.get(setting) or None
    if text is None:
        return None
    prompt, _, completion = text.partition("/")
    try:
        return Price(prompt=float(prompt), completion=float(completion))
    except ValueError:
        remedy = "write it as 0.25/2: dollars a million tokens, of prompts and of answers"
        raise UserError("the price is none", where=setting, remedy=remedy) from None


def _minutes(patience: str) -> float:
    try:
        found = float(patience)
    except ValueError:
        found = -1.0
    if not 0 <= found <= 7 * 24 * 60:
        raise UserError("the patience is no number of minutes", where=PATIENCE_VARIABLE, remedy="write it as 30")
    return found


def _effort(effort: str | None) -> Effort | None:
    found = next((one for one in get_args(Effort) if one == effort), None)
    if effort is not None and found is None:
        raise UserError(
            "no such reasoning effort", where=EFFORT_VARIABLE, remedy=f"one of {', '.join(get_args(Effort))}"
        )
    return found


def _listed(judges: str) -> tuple[str, ...]:
    """``gpt-5-mini,claude-haiku``, each once."""
    return tuple(dict.fromkeys(name for one in judges.split(",") if (name := one.strip())))


def _local(author: str) -> str:
    """The model of ``local:MODEL``."""
    kind, _, model = author.strip().partition(":")
    if kind != LOCAL or not model.strip():
        raise UserError(
            f"no such author: {inert_line(author)[:80]}",
            where="author",
            remedy="write it as local:MODEL (smollm2, a hub id or a folder); a server is named by --endpoint",
        )
    return model.strip()


def _checked(endpoint: str, where: str = "endpoint") -> str:
    """The endpoint without a trailing slash; ``/v1`` is added to a bare host, where servers keep this API."""
    parts = _parts(endpoint.strip())
    if parts is None:
        raise UserError(
            "the endpoint is not a URL", where=where, remedy="write it as http://localhost:8000/v1 or https://..."
        )
    if parts.username or parts.password or parts.query or parts.fragment:
        raise UserError("the endpoint holds more than an address", where=where, remedy=f"put the key in {KEY_VARIABLE}")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/') or '/v1'}"


def _parts(endpoint: str) -> SplitResult | None:
    """The parts of an http(s) URL with a host that can be looked up; None for anything else."""
    try:
        parts = urlsplit(endpoint)
        host = (parts.hostname or "").encode("idna")
        fits = parts.scheme in ("http", "https") and host and parts.port != 0
    except ValueError:  # an unclosed [, a port out of range, a part of the host that is empty or too long
        return None
    return parts if fits and endpoint.isprintable() and " " not in endpoint else None
