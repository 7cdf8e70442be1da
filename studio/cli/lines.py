"""A stage's own event as a share done and one line of text."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from studio.bank.types import PersonAdded
from studio.evaluate.types import ProbeScored, RepliesCame
from studio.generate.types import GenerateProgressed, GenerateStarted
from studio.jobs.types import Event
from studio.package import PackageStepped
from studio.train.types import StepLogged, TrainStarted


class Progressed(NamedTuple):
    """``done`` of ``total`` in the stage's own unit, and what to say."""

    done: float
    total: float
    text: str


def duration(seconds: float) -> str:
    """``75`` -> ``1m15s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


def progress_of(event: Event) -> Progressed | None:
    """What an event tells of its stage's progress; None where it tells nothing of it."""
    tell = _TELLERS.get(event.kind)
    return tell(event) if tell else None


def _generating(event: Event) -> Progressed:
    now = GenerateProgressed.model_validate(event.data)
    target = sum(one.target for one in now.targets)
    done = sum(min(one.accepted, one.target) for one in now.targets)
    cost = "" if not now.cost_usd else f" · ${now.cost_usd:.2f}"
    share = now.accepted / now.generated if now.generated else 0.0
    errors = f" · {now.errors} errors" if now.errors else ""
    text = (
        f"{_count(done, target)} accepted{_left(now.eta_s)}{cost} · {share:.0%} pass{errors} "
        f"· {now.rejected} rejected · {now.rate:.1f}/s"
    )
    return Progressed(done, target, text)


def _generating_started(event: Event) -> Progressed | None:
    started = GenerateStarted.model_validate(event.data)
    return Progressed(0, sum(one.target for one in started.targets), started.note) if started.note else None


def _training_started(event: Event) -> Progressed:
    started = TrainStarted.model_validate(event.data)
    resumed = f", going on from step {started.resumed_from}" if started.resumed_from else ""
    trainable = f"{started.trainable_parameters / 1e6:.1f}M of {started.total_parameters / 1e6:.1f}M parameters"
    note = f" · {started.note}" if started.note else ""
    text = f"{started.backend} on {started.device}, {trainable}{resumed}{note}"
    return Progressed(started.resumed_from, started.steps, text)


def _training(event: Event) -> Progressed:
    step = StepLogged.model_validate(event.data)
    rate = "" if step.rate is None else f" · {step.rate:.1f}/s"
    text = f"step {_count(step.step, step.steps)}{_left(step.eta_s)} · loss {step.loss:.3f}{rate}"
    return Progressed(step.step, step.steps, text)


def _evaluating(event: Event) -> Progressed:
    scored = ProbeScored.model_validate(event.data)
    text = f"{_count(scored.done, scored.probes)} probes{_left(scored.eta_s)}"
    return Progressed(scored.done, scored.probes, text)


def _replying(event: Event) -> Progressed:
    came = RepliesCame.model_validate(event.data)
    return Progressed(came.done, came.replies, f"{_count(came.done, came.replies)} replies")


def _packaging(event: Event) -> Progressed:
    stepped = PackageStepped.model_validate(event.data)
    return Progressed(stepped.done, stepped.total, stepped.step)


def _adding(event: Event) -> Progressed:
    added = PersonAdded.model_validate(event.data)
    return Progressed(added.done, added.people, f"{_count(added.done, added.people)} people")


def _count(done: int, total: int) -> str:
    """As wide from the first to the last."""
    return f"{done:>{len(str(total))}}/{total}"


def _left(eta_s: float | None) -> str:
    return "" if eta_s is None else f" · {duration(eta_s)} left"


_TELLERS: dict[str, Callable[[Event], Progressed | None]] = {
    "generate_started": _generating_started,
    "generate_progressed": _generating,
    "train_started": _training_started,
    "step_logged": _training,
    "replies_came": _replying,
    "probe_scored": _evaluating,
    "package_stepped": _packaging,
    "person_added": _adding,
}
