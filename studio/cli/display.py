"""Live progress of headless work: a row a stage on a terminal, at any width; elsewhere a line now and then."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar

from pydantic import BaseModel
from rich.cells import cell_len, set_cell_size
from rich.console import Console, ConsoleOptions, RenderResult
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from studio.bank import PeopleAdded
from studio.bank.types import PeopleProgressed
from studio.build import BuildEvent, StageBegan, StageEnded, StageTold, Tell
from studio.cli.output import cut, err
from studio.evaluate.suites.types import SuiteProgressed
from studio.evaluate.types import ProbeScored, RepliesCame
from studio.generate.types import GenerateProgressed, GenerateStarted
from studio.inference import ItemsProgressed
from studio.jobs import Event
from studio.machine.gpu import GpuAwaited
from studio.package import PackageStepped
from studio.text.inert import inert_line
from studio.train.types import MicroBatchHalved, StepLogged, TrainStarted

QUIET_S = 5.0
"""Seconds between two progress lines where there is no terminal."""
STAGE, SHARE, TOOK = 9, 4, 6
"""Columns of the name, the per cent and the time, which never shrink."""
LEAST_NOTE = 12
LEAST_PATH = 16
"""Columns below which a note, or a path in one, says nothing any more."""
SPARE = 3
"""Columns left free at the right: the ^C that a terminal echoes there would break the line, and the rows with it."""
P = ParamSpec("P")
T = TypeVar("T")


def show(stage: Callable[Concatenate[Tell, P], Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a stage with its progress on stderr; what it comes to."""
    if not err.is_terminal or err.is_dumb_terminal:
        return asyncio.run(stage(Lines().tell, *args, **kwargs))
    rows = Rows()
    with Live(rows, console=err, refresh_per_second=4):
        return asyncio.run(stage(rows.tell, *args, **kwargs))


class Lines:
    """A plain line when a stage begins and ends, and every few seconds between."""

    def __init__(self) -> None:
        self._last = 0.0

    def tell(self, event: BuildEvent) -> None:
        if isinstance(event, StageBegan):
            text = "started" + (f": {event.note}" if event.note else "")
        elif isinstance(event, StageEnded):
            text = f"{'kept' if event.skipped else 'done'}: {event.note}"
        elif time.monotonic() - self._last >= QUIET_S and (told := progress_of(event.event)):
            text = told.text
        else:
            return
        self._last = time.monotonic()
        err.print(Text(f"{event.stage:<9} {inert_line(text)}"), soft_wrap=True)


class Progressed(NamedTuple):
    """``done`` of ``total`` in the stage's own unit, and what to say."""

    done: float
    total: float
    text: str


@dataclass
class _Row:
    stage: str
    told: Progressed
    began: float | None
    """None where nothing was done."""
    ended: float | None = None


class Rows:
    """The stages that have begun: how far each is, how long it has taken, and what it says."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    def tell(self, event: BuildEvent) -> None:
        if isinstance(event, StageBegan):
            self._rows[event.stage] = _Row(event.stage, Progressed(0, 1, event.note), time.monotonic())
        elif isinstance(event, StageTold):
            if told := progress_of(event.event):
                self._rows[event.stage].told = told
        else:
            began = self._rows[event.stage].began if event.stage in self._rows else None
            told = Progressed(1, 1, ("kept: " if event.skipped else "") + event.note)
            self._rows[event.stage] = _Row(event.stage, told, began, time.monotonic())

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        bar = max(10, min(30, options.max_width // 6))
        room = options.max_width - SPARE - sum(width + 1 for width in (STAGE, bar, SHARE, TOOK))
        grid = Table.grid(padding=(0, 1, 0, 0))
        for width in (STAGE, bar, SHARE, TOOK):
            grid.add_column(width=width, no_wrap=True, justify="right" if width in (SHARE, TOOK) else "left")
        for row in list(self._rows.values()):
            share = min(1.0, row.told.done / row.told.total) if row.told.total else 0.0
            grid.add_row(
                Text(row.stage, style="" if row.ended else "bold"),
                ProgressBar(total=1.0, completed=share, width=bar),
                f"{share:.0%}",
                "" if row.began is None else duration((row.ended or time.monotonic()) - row.began),
                Text(fitted(inert_line(row.told.text), room) if room >= LEAST_NOTE else ""),
            )
        yield grid


def fitted(text: str, room: int) -> str:
    """``text`` in ``room`` columns: the middle of a long path goes first, as its end tells most; then the end."""
    over = cell_len(text) - room
    if over <= 0:
        return text
    path = max((word for word in text.split() if "/" in word), key=cell_len, default="")
    keep = cell_len(path) - over - 1
    if keep < LEAST_PATH:
        return cut(text, room)
    end = path
    while cell_len(end) > keep - keep // 3:
        end = end[1:]
    return text.replace(path, f"{set_cell_size(path, keep // 3)}…{end}")


def progress_of(event: Event) -> Progressed | None:
    """What an event tells of its stage's progress; None where it tells nothing of it."""
    kind = _KINDS.get(event.kind)
    match kind.model_validate(event.data, extra="ignore") if kind else None:
        case GenerateStarted(note=str(note), targets=targets) if note:
            return Progressed(0, sum(one.target for one in targets), note)
        case GenerateProgressed() as now:
            return _generating(now)
        case TrainStarted() as started:
            resumed = f", going on from step {started.resumed_from}" if started.resumed_from else ""
            trainable = f"{started.trainable_parameters / 1e6:.1f}M of {started.total_parameters / 1e6:.1f}M parameters"
            note = f" · {started.note}" if started.note else ""
            text = f"{started.backend} on {started.device}, {trainable}{resumed}{note}"
            return Progressed(started.resumed_from, started.steps, text)
        case MicroBatchHalved(micro_batch=few, step=since):
            return Progressed(since, 0, f"out of memory: going on from step {since} with {few} examples at once")
        case GpuAwaited(text=text) if text:
            return Progressed(0, 0, text)
        case StepLogged() as step:
            rate = "" if step.rate is None else f" · {step.rate:.1f}/s"
            margin = step.rewards.margin if step.rewards else None
            held = "" if step.validation_loss is None else f" · held back {step.validation_loss:.3f}"
            held += "" if margin is None else f" · margin {margin:.2f}"
            text = f"step {_count(step.step, step.steps)}{_left(step.eta_s)} · loss {step.loss:.3f}{held}{rate}"
            return Progressed(step.step, step.steps, text)
        case RepliesCame(done=done, replies=replies):
            return Progressed(done, replies, f"{_count(done, replies)} replies")
        case ProbeScored(done=done, probes=probes, eta_s=eta_s):
            return Progressed(done, probes, f"{_count(done, probes)} probes{_left(eta_s)}")
        case SuiteProgressed(suite=suite, done=done, total=total, eta_s=eta_s, note=note):
            return Progressed(done, total, f"{suite}: {note or f'{_count(done, total)} replies'}{_left(eta_s)}")
        case PackageStepped(done=done, total=total, step=name):
            return Progressed(done, total, name)
        case PeopleAdded(done=done, people=people):
            return Progressed(done, people, f"{_count(done, people)} people")
        case PeopleProgressed() as written:
            return _writing(written, "people")
        case ItemsProgressed() as made:
            return _writing(made, made.task)
    return None


def _writing(now: PeopleProgressed | ItemsProgressed, what: str) -> Progressed:
    cost = f" · ${now.cost_usd:.2f}" if now.cost_usd else ""
    errors = f" · {now.errors} errors" if now.errors else ""
    flow = f"{now.flow} · " if now.flow else ""
    made = f"{flow}{_count(now.done, now.wanted)} {what}{_left(now.eta_s)}{cost}"
    return Progressed(now.done, now.wanted, f"{made}{errors} · {now.removed} removed · {now.rate:.1f}/s")


def _generating(now: GenerateProgressed) -> Progressed:
    target = sum(one.target for one in now.targets)
    done = sum(min(one.accepted, one.target) for one in now.targets)
    cost = f" · {line}" if (line := now.spending.line) else ""
    share = now.accepted / now.generated if now.generated else 0.0
    errors = f" · {now.errors} errors" if now.errors else ""
    held_up = f"{now.flow} · " if now.flow else ""
    text = (
        f"{held_up}{_count(done, target)} accepted{_left(now.eta_s)} · {share:.0%} pass{errors} "
        f"· {now.rejected} rejected · {now.rate:.1f}/s{cost}{f' · {now.worn}' if now.worn else ''}"
    )
    return Progressed(done, target, text)


def _count(done: int, total: int) -> str:
    """As wide from the first to the last."""
    return f"{done:>{len(str(total))}}/{total}"


def _left(eta_s: float | None) -> str:
    return "" if eta_s is None else f" · {duration(eta_s)} left"


def duration(seconds: float) -> str:
    """``75`` -> ``1m15s``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours}h{minutes:02d}m"
    return f"{minutes}m{rest:02d}s" if minutes else f"{rest}s"


_KINDS: dict[str, type[BaseModel]] = {
    one.model_fields["kind"].default: one
    for one in (
        *(GenerateStarted, GenerateProgressed, PeopleAdded, TrainStarted, StepLogged, MicroBatchHalved, RepliesCame),
        *(ProbeScored, SuiteProgressed, PackageStepped, GpuAwaited, PeopleProgressed, ItemsProgressed),
    )
}
