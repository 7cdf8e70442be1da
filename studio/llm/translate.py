"""From the client library's exceptions to failures: what happened, whether again makes sense, and never the key."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from studio.llm.answers import seconds
from studio.llm.failures import AttemptError, one_line

if TYPE_CHECKING:
    from openai import APIStatusError

_AGAIN = (408, 409, 425)
_QUOTA = ("insufficient_quota", "billing_hard_limit_reached")


def failure_of(error: Exception, key: str | None) -> AttemptError:
    """The failure that an ``openai.APIError`` or a timeout stands for."""
    from openai import APIConnectionError, APIError, APIStatusError

    if isinstance(error, APIStatusError):
        return _by_status(error, key)
    if isinstance(error, (TimeoutError, APIConnectionError)):
        return _by_cause(error, key)
    message = error.message if isinstance(error, APIError) else type(error).__name__
    return AttemptError("server", one_line(message, key), again=True)


def _by_status(error: APIStatusError, key: str | None) -> AttemptError:
    status, said = error.status_code, _said(error, key)
    if status in (401, 403):
        return AttemptError("auth", status=status)  # servers quote parts of the key here
    if status == 429:
        spent = error.code in _QUOTA or error.type in _QUOTA
        wait = _retry_after(error.response.headers.get("retry-after-ms"), error.response.headers.get("retry-after"))
        return AttemptError("limit", said, status=status, wait=wait, again=not spent)
    if status >= 500 or status in _AGAIN:
        return AttemptError("server", said, status=status, again=status != 501)
    parameter = error.param if isinstance(error.param, str) else ""
    return AttemptError("refused", said, status=status, parameter=parameter)


def _by_cause(error: Exception, key: str | None) -> AttemptError:
    """The library's aiohttp bridge reports a refused or lost connection as a timeout: the first cause knows better."""
    causes = list(_causes(error))
    names = {kind.__name__ for cause in causes for kind in type(cause).__mro__}
    slow = "TimeoutError" in names or "ReadTimeout" in names
    said = next((str(cause) for cause in reversed(causes) if str(cause)), "")
    if slow and "ConnectionTimeoutError" not in names:
        return AttemptError("timeout", again=True)
    return AttemptError("connection", one_line(said, key), again=True)


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def _said(error: APIStatusError, key: str | None) -> str:
    """The server's message, without the status that the library puts before it."""
    body = error.body
    if isinstance(body, dict):
        for name in ("message", "detail", "error"):
            if isinstance(body.get(name), str):
                return one_line(body[name], key)
        return one_line(str(body), key)
    return one_line(body if isinstance(body, str) else "", key)


def _retry_after(milliseconds: str | None, value: str | None) -> float | None:
    """Seconds to wait, from ``retry-after-ms`` or ``retry-after``, which is a number or a date."""
    exact = seconds(milliseconds)
    if exact is not None:
        return exact / 1000
    plain = seconds(value)
    if plain is not None or value is None:
        return plain
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
