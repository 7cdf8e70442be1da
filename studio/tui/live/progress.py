"""How a stage's job stands: its events folded into the one frozen value that its screen shows; no widget, no disk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from studio.bank import BankFinished, BankStarted, PeopleAdded
from studio.bank.types import HopFinished, PeopleFinished, PeopleProgressed, PeopleStarted, PersonFailed, PersonTaken
from studio.evaluate.types import EvaluateFinished, EvaluateStarted, ProbeResult, ProbeScored, RepliesCame
from studio.generate.types import CallFailed, CategoryTarget, GenerateFinished, GenerateProgressed, GenerateStarted
from studio.inference import ItemFailed, ItemsFinished, ItemsProgressed, ItemsStarted
from studio.jobs.record import Event
from studio.machine.gpu import GpuAwaited
from studio.package import PackageFinished, PackageStepped
from studio.serve.types import ServeReady
from studio.train.types import CheckpointSaved, StepLogged, TrainFinished, TrainStarted
from studio.tui.text import duration

T = TypeVar("T", bound=BaseModel)


def parsed(events: Sequence[Event], *models: type[T]) -> Iterator[T]:
    """Those of the kinds of ``models``, in their order. One that does not validate, as of a job that another version
    of the studio ran, is passed over like one of another kind."""
    kinds = {model.model_fields["kind"].default: model for model in models}
    for event in events:
        if event.kind in kinds:
            with suppress(ValidationError):
                yield kinds[event.kind].model_validate(event.data, extra="ignore")


@dataclass(frozen=True)
class BankProgress:
    """Of a job that makes people, or anything else a model is asked for item by item."""

    method: str = ""
    """``compose``, ``write``, ..., or the task of a run over items."""
    model: str = ""
    wanted: int = 0
    done: int = 0
    note: str = ""
    """What it had to say when it began, or why it ended early."""
    last_error: str = ""
    """Of the last call that gave nothing."""
    last: PeopleProgressed | ItemsProgressed | None = None
    """What it last told of its progress."""
    hops: tuple[HopFinished, ...] = ()
    finished: BankFinished | PeopleFinished | ItemsFinished | None = None

    @property
    def brief(self) -> str:
        return f"{self.done}/{self.wanted}" if self.wanted else ""


def fold_bank(progress: BankProgress | None, events: Sequence[Event]) -> BankProgress:
    now = progress or BankProgress()
    kinds = BankStarted, PeopleAdded, BankFinished, PeopleStarted, PersonTaken, PeopleProgressed, PeopleFinished
    more = HopFinished, PersonFailed, ItemFailed, ItemsStarted, ItemsProgressed, ItemsFinished
    for event in parsed(events, *kinds, *more):
        match event:
            case BankStarted():
                now = BankProgress("compose", wanted=event.people)
            case PeopleStarted():  # what earlier starts told of hops is told again
                now = BankProgress(event.method, event.model, event.wanted, event.known, event.note)
            case ItemsStarted():
                now = BankProgress(event.task, event.model, event.wanted, event.known, event.note)
            case PersonFailed() | ItemFailed():
                now = replace(now, last_error=event.error)
            case PersonTaken():
                now = replace(now, done=now.done + 1)
            case PeopleAdded():
                now = replace(now, done=event.done)
            case PeopleProgressed() | ItemsProgressed():
                now = replace(now, done=event.done, wanted=event.wanted, last=event)
            case HopFinished():
                now = replace(now, hops=(*(hop for hop in now.hops if hop.hop != event.hop), event))
            case PeopleFinished() | ItemsFinished():
                now = replace(now, done=event.done, note=event.note, finished=event)
            case BankFinished():
                now = replace(now, finished=event)
    return now


@dataclass(frozen=True)
class GenerateProgress:
    """``rate`` is examples a second, of the last ones where it has ended; None and empty until it is known."""

    author: str = ""
    judge: str = ""
    wanted: int = 0
    accepted: int = 0
    errors: int = 0
    last_error: str = ""
    rate: float = 0.0
    eta_s: float | None = None
    finished: GenerateFinished | None = None
    last: GenerateProgressed | None = None
    """What it last told of its progress."""

    @property
    def flow(self) -> str:
        """What holds it up, as it is at this moment; empty where nothing does."""
        return self.last.flow if self.last is not None and self.finished is None else ""

    @property
    def brief(self) -> str:
        return f"{self.accepted}/{self.wanted}" if self.wanted else ""


def fold_generate(progress: GenerateProgress | None, events: Sequence[Event]) -> GenerateProgress:
    now = progress or GenerateProgress()
    for event in parsed(events, GenerateStarted, GenerateProgressed, CallFailed, GenerateFinished):
        match event:
            case GenerateStarted():  # the errors of a job that goes on are kept
                begun = GenerateProgress(event.author, event.judge, errors=now.errors, last_error=now.last_error)
                now = replace(begun, **_counts(event.targets))
            case GenerateProgressed():
                now = replace(now, rate=event.rate, eta_s=event.eta_s, errors=event.errors)
                now = replace(now, **_counts(event.targets), last=event)
            case CallFailed():
                now = replace(now, last_error=f"{event.purpose}: {event.error}", errors=now.errors + 1)
            case GenerateFinished():
                now = replace(now, finished=event, errors=event.errors, eta_s=None)
    return now


def _counts(targets: Iterable[CategoryTarget]) -> dict[str, Any]:
    """What is over a target does not fill another."""
    counts = [(one.target, min(one.accepted, one.target)) for one in targets]
    return {"wanted": sum(target for target, _ in counts), "accepted": sum(accepted for _, accepted in counts)}


Point = tuple[int, float]
"""A step and its loss."""


@dataclass(frozen=True)
class TrainProgress:
    started: TrainStarted | None = None
    step: StepLogged | None = None
    points: tuple[Point, ...] = ()
    """In the order of the steps; a resumed run goes on from the checkpoint's step."""
    saved: int = 0
    """The step of the newest checkpoint."""
    finished: TrainFinished | None = None
    awaited: str = ""
    """Whom it waits for to have the GPU."""

    @property
    def brief(self) -> str:
        if self.awaited:
            return "waiting for the GPU"
        if self.started is None:
            return "loading"
        if self.step is None or self.halted:
            return f"{self.done}/{self.started.steps}"
        return f"{self.step.step}/{self.step.steps} loss {self.step.loss:.2f} ETA {duration(self.step.eta_s)}"

    @property
    def done(self) -> int:
        """The newest step; where none was taken since a resume, the one that it went on from."""
        return self.step.step if self.step else self.started.resumed_from if self.started else 0

    @property
    def halted(self) -> bool:
        """Whether it was stopped before its end, and has not begun again."""
        return self.finished is not None and self.finished.stopped


def fold_train(progress: TrainProgress | None, events: Sequence[Event]) -> TrainProgress:
    now = progress or TrainProgress()
    points = list(now.points)
    for event in parsed(events, TrainStarted, StepLogged, CheckpointSaved, TrainFinished, GpuAwaited):
        match event:
            case GpuAwaited():
                now = replace(now, awaited=event.text)
            case TrainStarted():
                points = [point for point in points if point[0] <= event.resumed_from]
                now = replace(now, started=event, step=None, finished=None, saved=event.resumed_from)
            case StepLogged():
                points.append((event.step, event.loss))
                now = replace(now, step=event)
            case CheckpointSaved():
                now = replace(now, saved=event.step)
            case TrainFinished():
                now = replace(now, finished=event)
    return replace(now, points=tuple(points))


@dataclass(frozen=True)
class EvaluateProgress:
    started: EvaluateStarted | None = None
    results: tuple[ProbeResult, ...] = ()
    eta_s: float | None = None
    finished: EvaluateFinished | None = None
    replies: RepliesCame | None = None
    """How many replies there are, while no probe is scored yet."""

    @property
    def probes(self) -> int:
        return self.started.probes if self.started else 0

    @property
    def brief(self) -> str:
        if self.started is None:
            return "loading"
        if self.replies is not None and not self.results:
            return f"{self.replies.done}/{self.replies.replies} replies"
        eta = f" ETA {duration(self.eta_s)}" if self.eta_s is not None else ""
        return f"{len(self.results)}/{self.probes}{eta}"


def fold_evaluate(progress: EvaluateProgress | None, events: Sequence[Event]) -> EvaluateProgress:
    now = progress or EvaluateProgress()
    results = list(now.results)
    for event in parsed(events, EvaluateStarted, RepliesCame, ProbeScored, EvaluateFinished):
        match event:
            case EvaluateStarted():
                results, now = [], EvaluateProgress(started=event)
            case RepliesCame():
                now = replace(now, replies=event)
            case ProbeScored():
                results.append(event.result)
                now = replace(now, eta_s=event.eta_s)
            case EvaluateFinished():
                now = replace(now, finished=event, eta_s=None)
    return replace(now, results=tuple(results))


@dataclass(frozen=True)
class ServeProgress:
    ready: ServeReady | None = None
    awaited: str = ""
    """Whom it waits for to have the GPU."""

    @property
    def brief(self) -> str:
        return "ready" if self.ready else "waiting for the GPU" if self.awaited else "loading"


def fold_chat(progress: ServeProgress | None, events: Sequence[Event]) -> ServeProgress:
    now = progress or ServeProgress()
    for event in parsed(events, ServeReady, GpuAwaited):
        match event:
            case ServeReady():
                now = ServeProgress(event)
            case GpuAwaited():
                now = replace(now, awaited=event.text)
    return now


@dataclass(frozen=True)
class PackageProgress:
    step: PackageStepped | None = None
    finished: PackageFinished | None = None

    @property
    def brief(self) -> str:
        return f"{self.step.step} {self.step.done}/{self.step.total}" if self.step else ""


def fold_package(progress: PackageProgress | None, events: Sequence[Event]) -> PackageProgress:
    now = progress or PackageProgress()
    for event in parsed(events, PackageStepped, PackageFinished):
        match event:
            case PackageStepped():
                now = PackageProgress(event)
            case PackageFinished():
                now = PackageProgress(now.step, event)
    return now
