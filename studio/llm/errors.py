"""Errors of models: one failed attempt, and a call that failed for good, told apart by what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from studio.errors import UserError
from studio.text.inert import inert_line

if TYPE_CHECKING:
    from studio.llm.settings import ModelSettings

KEY_VARIABLE = "OPENAI_API_KEY"
Kind = Literal[
    "auth",
    "model",
    "quota",
    "budget",
    "limit",
    "timeout",
    "connection",
    "refused",
    "malformed",
    "server",
    "stopped",
    "queued",
]
FATAL: frozenset[Kind] = frozenset({"auth", "model", "quota", "budget"})
"""No other call can do better until a person has done something."""
CONGESTED = (429, 503, 529)
"""Statuses that ask for less: 529 is Anthropic's "overloaded"."""
_KEPT = 2000
_SHOWN = 200


class ModelError(UserError):
    """A call that failed for good. ``kind`` tells the remedy; ``str`` is one line for a person.

    ``fatal``: no other call to this model can do better now, so that the run ends: a refused key, an unknown model, an
    exhausted quota or budget, or a server that did not come back within the patience.
    """

    def __init__(self, kind: Kind, message: str, *, status: int | None = None, fatal: bool = False) -> None:
        self.kind, self.status = kind, status
        self.fatal = fatal or kind in FATAL
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
        reached: bool = False,
    ) -> None:
        self.kind, self.said, self.status = kind, said, status
        self.wait = wait
        """Seconds after which the server said to come back."""
        self.again = again
        """Whether another attempt may go well."""
        self.waited: float | None = None
        """Seconds for which nothing came from the server, where the patience is over: that ends the run."""
        self.own = reached or kind == "timeout" or status == 500
        """Whether it may be this request's own doing: the server had taken it before it failed."""
        self.parameter = parameter
        """The parameter that the server named as the one it refuses."""
        super().__init__(kind)

    @property
    def congested(self) -> bool:
        """Whether the server asks for fewer calls."""
        return self.status in CONGESTED

    @property
    def outage(self) -> bool:
        """Whether it may be that nobody gets an answer now, rather than this request alone."""
        return self.again and self.kind in ("connection", "timeout", "server")

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
    if failure.waited is not None and failure.waited >= 60:
        told = f"nothing came for {failure.waited / 60:.0f} min: {told}"
    return ModelError(failure.kind, told, status=failure.status, fatal=failure.waited is not None)


def _auth(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    variable = settings.key_variable or KEY_VARIABLE
    if settings.uds or settings.key():
        return f"{settings.place} refused the key ({failure.status}): set {variable} to a key that may use {model}"
    return f"{settings.place} asks for a key ({failure.status}): set {variable}"


def _unknown_model(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    hint = f"is the model's name right, and does the endpoint end in /v1?{_said(failure)}"
    return f"{settings.place} knows nothing of {model} ({failure.status}): {hint}"


def _quota(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    told = f"{settings.place} has no credit left for {model}{_said(failure)}"
    return f"{told}: add some or raise the limit there, then start again; what is done is kept"


def _budget(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    return failure.said


def _limit(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    told = f"{settings.place} allows no more calls to {model} for now{_said(failure)}"
    if failure.wait:
        told += f", and asks to come back in {_lasting(failure.wait)}"
    return f"{told}: start again then, or raise the limit there; what is done is kept"


def _timeout(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    return f"{model} at {settings.place} did not answer in time{_said(failure)}: is the server overloaded?"


def _connection(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    return f"cannot talk to {settings.place}{_said(failure)}: is the server running there?"


def _refused(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    status = f" ({failure.status})" if failure.status else ""
    return f"{model} at {settings.place} refused the request{status}{_said(failure)}"


def _malformed(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    return f"{model} at {settings.place} gave no usable answer{_said(failure)}: another model may do better"


def _server(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    status = f" ({failure.status})" if failure.status else ""
    return f"{settings.place} failed{status}{_said(failure)}: look at the server's log"


def _stopped(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    return f"the call to {model} was not sent: a stop was asked for"


def _queued(failure: AttemptError, settings: ModelSettings, model: str) -> str:
    return f"the answer of {model} comes with its batch"


def _lasting(seconds: float) -> str:
    return f"{seconds / 3600:.1f} h" if seconds >= 5400 else f"{max(1, round(seconds / 60))} min"


def _said(failure: AttemptError) -> str:
    said = failure.said if len(failure.said) <= _SHOWN else failure.said[: _SHOWN - 1] + "…"
    return f" ({said})" if said else ""


_TOLD = {
    "auth": _auth,
    "model": _unknown_model,
    "quota": _quota,
    "budget": _budget,
    "limit": _limit,
    "timeout": _timeout,
    "connection": _connection,
    "refused": _refused,
    "malformed": _malformed,
    "server": _server,
    "stopped": _stopped,
    "queued": _queued,
}
