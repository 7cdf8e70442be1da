"""Errors of models: one failed attempt, and a call that failed for good, told apart by what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from studio.errors import UserError
from studio.text.inert import inert_line

if TYPE_CHECKING:
    from studio.llm.settings import ModelSettings

KEY_VARIABLE = "OPENAI_API_KEY"
Kind = Literal["auth", "limit", "timeout", "connection", "refused", "malformed", "server"]


_KEPT = 2000
_SHOWN = 200


class ModelError(UserError):
    """A call that failed for good. ``kind`` tells the remedy; ``str`` is one line for a person."""

    def __init__(self, kind: Kind, message: str, *, status: int | None = None) -> None:
        self.kind, self.status = kind, status
        super().__init__(message)


class AttemptError(Exception):
    """What one attempt came to. ``said`` is the server's own word, on one line and without the key."""

    def __init__(
        self,
        kind: Kind,
        said: str = "",
        *,
        status: int | None = None,
        wait: float | None = None,
        again: bool = False,
        parameter: str = "",
    ) -> None:
        self.kind, self.said, self.status = kind, said, status
        self.wait = wait
        """Seconds after which the server said to come back."""
        self.again = again
        """Whether another attempt may go well."""
        self.parameter = parameter
        """The parameter that the server named as the one it refuses."""
        super().__init__(kind)

    @property
    def bad_request(self) -> bool:
        """Whether the server objects to how it was asked."""
        return self.kind == "refused" and self.status in (400, 422)


def one_line(text: str, key: str | None) -> str:
    """A server's text made fit to keep: without the key, inert, of bounded length."""
    return inert_line((text.replace(key, "[key]") if key else text)[:_KEPT])


def as_model_error(failure: AttemptError, settings: ModelSettings, model: str) -> ModelError:
    """The failure as a person is told of it: what happened, and what to do."""
    told = _TOLD[failure.kind](failure, settings, model)
    return ModelError(failure.kind, told, status=failure.status)


def _auth(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    if settings.uds or settings.key():
        return f"{settings.place} refused the key ({failure.status}): set {KEY_VARIABLE} to a key that may use {model}"
    return f"{settings.place} asks for a key ({failure.status}): set {KEY_VARIABLE}"


def _limit(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    told = f"{settings.place} allows no more calls to {model} for now"
    return f"{told}{_said(failure)}: wait, or raise the limit there; what is done is kept"


def _timeout(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    return f"{model} at {settings.place} did not answer in time{_said(failure)}: is the server overloaded?"


def _connection(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    return f"cannot talk to {settings.place}{_said(failure)}: is the server running there?"


def _refused(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    if failure.status == 404:
        hint = f"is the model's name right, and does the endpoint end in /v1?{_said(failure)}"
        return f"{settings.place} knows nothing of {model} (404): {hint}"
    status = f" ({failure.status})" if failure.status else ""
    return f"{model} at {settings.place} refused the request{status}{_said(failure)}"


def _malformed(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    return f"{model} at {settings.place} gave no usable answer{_said(failure)}: another model may do better"


def _server(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    return f"{settings.place} failed ({failure.status}){_said(failure)}: look at the server's log"


def _said(failure: AttemptError) -> str:
    said = failure.said if len(failure.said) <= _SHOWN else failure.said[: _SHOWN - 1] + "…"
    return f" ({said})" if said else ""


_TOLD = {
    "auth": _auth,
    "limit": _limit,
    "timeout": _timeout,
    "connection": _connection,
    "refused": _refused,
    "malformed": _malformed,
    "server": _server,
}
