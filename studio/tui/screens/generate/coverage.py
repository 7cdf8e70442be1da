"""Coverage: how many examples each category and scenario has, why others were rejected, and what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby

from textual.content import Content

from studio.build import Session
from studio.build.stages import spending, standing
from studio.generate import ScenarioBalance, away
from studio.generate.types import CategoryTarget, Spending
from studio.llm import Submitted
from studio.store import ExampleStore, Filter
from studio.text.inert import inert_line
from studio.tui.live.progress import GenerateProgress
from studio.tui.text import UNKNOWN, Part, cells, clip, counted, duration, join, line, lines, pad, rate, share
from studio.tui.widgets.layout import coverage, facts

DECIDE = "for your decision (4)"
"""How the note of a job tells of what waits, which is counted anew here: people decide after it has ended."""
QUOTE = 24
"""Cells of the words that a forbidden pattern was found in."""
FIGURES = 22
"""Cells for the figures after a scenario's name."""
STYLES = {"missing": "$error bold", "under": "$warning bold", "over": "$warning", "even": "$quiet"}


@dataclass(frozen=True)
class Coverage:
    """What the store holds, at one moment."""

    targets: tuple[CategoryTarget, ...] = ()
    reasons: tuple[tuple[str, int], ...] = ()
    """What examples were rejected for, each with its count."""
    earlier: int = 0
    """Examples that an earlier version of the spec or of the judge judged; they are judged again before new ones are
    made."""
    accepted: int = 0
    rejected: int = 0
    pending: int = 0
    spending: Spending = field(default_factory=Spending)
    batches: tuple[Submitted, ...] = ()
    """At a server, and not collected."""

    @property
    def made(self) -> int:
        return self.accepted + self.rejected + self.pending


def read(session: Session) -> Coverage:
    """Reads the store."""
    examples, targets = session.workspace.examples, standing(session)
    return Coverage(
        targets=targets,
        reasons=tuple((_reason(examples, reason), count) for reason, count in examples.reasons().items()),
        earlier=examples.count() - examples.count(Filter(spec_hash=session.loaded.hash)),
        accepted=sum(one.accepted for one in targets),
        rejected=sum(one.rejected for one in targets),
        pending=sum(one.pending for one in targets),
        spending=spending(session),
        batches=tuple(away(session.workspace)),
    )


def _reason(store: ExampleStore, reason: str) -> str:
    """As a person reads it: a forbidden pattern by words that it was found in."""
    if not reason.startswith("pattern:"):
        return reason
    rows = store.rows(Filter(reason=reason), limit=1)
    violations = rows[0].judgement.violations if rows and rows[0].judgement else ()
    quotes = [one.quote for one in violations if f"{one.kind}:{one.name}" == reason and one.quote]
    return f'pattern "{clip(quotes[0], QUOTE)}"' if quotes else reason


def batch_line(batches: Sequence[Submitted], today: date) -> str:
    """``batch_7, judge: 120 of 300 answered at 15:10, submitted at 14:02; c collects, C cancels``."""
    told = []
    for one in batches:
        at = f"submitted {_when(one.at, today)}"
        heard = f"{one.completed} of {one.requests} answered {_when(one.heard, today)}, " if one.heard else ""
        count = "" if heard else f"{counted(one.requests, 'request')} "
        told.append(f"{inert_line(one.batch_id or 'not confirmed')}, {one.purpose}: {heard}{count}{at}")
    return "; ".join((*told, "c collects, C cancels"))


def _when(at: datetime, today: date) -> str:
    local = at.astimezone()
    return f"at {local:%H:%M}" if local.date() == today else f"on {local:%d %b at %H:%M}"


def what_next(now: Coverage, note: str, *, judged: bool, nobody: bool) -> Content:
    """What to do about examples while none are being made. ``note``: of the job, why it ended; ``judged``: a model
    judges what is pending, before anybody has to decide; ``nobody``: none is there to write."""
    if now.batches:
        return join((batch_line(now.batches, datetime.now().astimezone().date()), "$warning"))
    if now.earlier:
        told = f"the spec or the judge was changed: press s to judge {counted(now.earlier, 'example')} again"
        return join((told, "$warning"))
    verb = "waits" if now.pending == 1 else "wait"
    waits = f"{counted(now.pending, 'example')} {verb} {DECIDE}" if now.pending and not judged else ""
    rest = note.partition(f"{DECIDE}; ")[2] or ("" if note.endswith(DECIDE) else note)
    if waits or rest:
        return join(("; ".join(filter(None, (waits, rest))), "$warning"))
    if now.targets and all(one.accepted >= one.target for one in now.targets):
        return join("every category is at its target; 4 reviews them, 5 trains")
    if nobody:
        return join(("nobody is there to write examples: w shows who could", "$warning"))
    return join(("press s to resume" if now.accepted else "press s to start", "$quiet"))


def bars_page(now: Coverage, width: int) -> Content:
    """A bar a category."""
    name_width = max((cells(one.category) for one in now.targets), default=0)
    return lines(coverage(one.category, one.accepted, one.target, width, name_width=name_width) for one in now.targets)


def figures_page(now: Coverage, progress: GenerateProgress, width: int, alive: bool) -> Content:
    """The figures, and what was rejected for which reason; errors stand apart from rejects. What is accepted beyond a
    category's target is told apart: another category misses it all the same."""
    wanted = sum(one.target for one in now.targets)
    counting = sum(min(one.accepted, one.target) for one in now.targets)
    beyond = f", +{now.accepted - counting}" if now.accepted > counting else ""
    spent = progress.last.spending if alive and progress.last else now.spending
    speed = f"{rate(progress.rate)}, {duration(progress.eta_s)} left" if alive else f"{rate(progress.rate)} at the end"
    pairs: dict[str, Part] = {
        "accepted": join((f"{counting}", "bold"), f" of {wanted}{beyond}"),
        "passed": f"{share(now.accepted, now.accepted + now.rejected)} of {now.made} made",
        "rate": speed if progress.rate else UNKNOWN,
        "at once": f"{progress.last.under_way} of {progress.last.at_once}" if alive and progress.last else "",
        "cost": spent.line or "none",
        "errors": join((f"{progress.errors} calls", "$error"), " ", progress.last_error) if progress.errors else "0",
        "earlier": (f"{now.earlier} of an earlier spec or judge" if now.earlier else "", "$warning"),
        "pending": (f"{now.pending} to decide (4)" if now.pending else "", "$warning"),
        "worn": (progress.last.worn if progress.last else "", "$warning"),
        "rejected": f"{now.rejected}",
    }
    told = [join((f"{count:>5} ", "$quiet"), line(reason)) for reason, count in now.reasons]
    return lines([facts(pairs.items(), width, name_width=9), *told])


def balance_page(found: Sequence[ScenarioBalance], width: int) -> Content:
    """``  Ask for wind        0 of 4  missing``, below the name of each category, the worst first in it."""
    room = max(min(width - FIGURES, max((cells(one.scenario) for one in found), default=0)), 8)
    told: list[Content] = []
    for category, rows in groupby(found, key=lambda one: one.category):
        told.append(line(category, "bold $primary"))
        for one in sorted(rows, key=lambda one: list(STYLES).index(one.standing)):
            name, count = f"  {pad(one.scenario, room)} ", (f"{one.accepted:>4}", "bold")
            sign = one.standing if one.standing != "even" else ""
            told.append(join(name, count, (f" of {one.share:<5.3g}", "$quiet"), (sign, STYLES[one.standing])))
    return lines(told)
