"""Telling: the events by which a run says how it stands while it works, and what it came to at its end."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.generate.collapse import CollapseMonitor
from studio.generate.ledger import Ledger
from studio.generate.progress import Failures, Meter
from studio.generate.spending import SpendingMeter
from studio.generate.types import GenerateFinished, GenerateProgressed
from studio.judge.canaries import JudgedCanary, alarms, canary_text
from studio.llm import waiting
from studio.llm.concurrency import Chains
from studio.store import ExampleStore

_NAMED = 6


class Telling:
    """Makes the events of one run, whose clock starts now. How many examples there are it is told by the ledger."""

    def __init__(
        self,
        store: ExampleStore,
        chains: Chains,
        failures: Failures,
        collapse: CollapseMonitor,
        limit_usd: float | None = None,
    ) -> None:
        self._store, self._chains, self._failures, self._collapse = store, chains, failures, collapse
        self._meter, self._spending = Meter(), SpendingMeter(store, limit_usd)

    def landed(self, accepted: bool) -> None:
        """An example was stored."""
        self._meter.landed(accepted)
        self._spending.landed(accepted)

    def due(self) -> bool:
        """Whether to tell how it stands now; asked once for each time."""
        return self._meter.due(held_up=waiting() is not None or self._chains.stopping)

    def progressed(self, ledger: Ledger) -> GenerateProgressed:
        targets = ledger.targets()
        accepted, rejected = sum(one.accepted for one in targets), sum(one.rejected for one in targets)
        spending = self._spending.read(accepted, ledger.missing)
        return GenerateProgressed(
            targets=targets,
            generated=accepted + rejected + sum(one.pending for one in targets),
            accepted=accepted,
            rejected=rejected,
            errors=self._failures.count,
            rate=self._meter.rate(),
            eta_s=self._meter.eta_s(ledger.missing),
            cost_usd=spending.cost_usd,
            reasons=self._store.reasons(),
            under_way=self._chains.under_way,
            at_once=self._chains.limit,
            stopping=self._chains.stopping,
            waiting=waiting(),
            spending=spending,
            worn=self._collapse.line,
        )

    def finished(
        self, ledger: Ledger, canaries: Sequence[JudgedCanary], *, author: str | None, recorded: bool, stopped: bool
    ) -> GenerateFinished:
        """``author``, ``recorded`` and ``stopped`` as for :func:`ending`."""
        now = self.progressed(ledger)
        note = ending(ledger, now.reasons, self._failures, author=author, recorded=recorded, stopped=stopped)
        caught = canary_text(canaries) if alarms(canaries) else ""
        return GenerateFinished(
            complete=not ledger.short() and not ledger.wants,
            targets=now.targets,
            generated=now.generated,
            accepted=now.accepted,
            rejected=now.rejected,
            errors=now.errors,
            seconds=self._meter.seconds,
            cost_usd=now.cost_usd,
            spending=now.spending,
            canaries=tuple(canaries),
            note="; ".join(filter(None, [note, caught])),
        )


def named(scenarios: Sequence[str]) -> str:
    """The scenarios, or the first of them and how many more there are."""
    shown = ", ".join(f"{one!r}" for one in scenarios[:_NAMED])
    return shown + (f" and {len(scenarios) - _NAMED} more" if len(scenarios) > _NAMED else "")


def ending(
    ledger: Ledger, reasons: Mapping[str, int], failures: Failures, *, author: str | None, recorded: bool, stopped: bool
) -> str:
    """Why it ended, in one line; empty where the targets were met, and no scenario fell behind.

    ``reasons``: rejections by reason. ``author``: None where nobody writes. ``recorded``: the author has a recording to
    play back, and no more.
    """
    short, thin = ledger.short(), ledger.thin()
    if stopped and (short or ledger.wants):
        return "stopped; start it again to go on"
    if failures.fatal is not None:
        return str(failures.fatal)
    if ledger.waiting:
        decide = f"{ledger.waiting} examples wait for your decision (4)"
        return f"{decide}; {_exhausted(ledger)}" if recorded and ledger.missing else decide
    if not short:
        more = "record" if recorded else "give the spec"
        return f"little could be accepted of {named(thin)}; {more} more examples there" if thin else ""
    if recorded:
        return _exhausted(ledger)
    if author is None:
        return "examples are missing, and nobody is there to write them"
    missing = ", ".join(f"{name} {accepted} of {target}" for name, accepted, target in short)
    if failures.count > sum(reasons.values()):
        return f"out of attempts: {missing}; {failures.count} calls failed, the last with: {failures.last}"
    if reasons.get("duplicate", 0) * 2 > sum(reasons.values()):
        where = f", most in {named(thin)}" if thin else ""
        remedy = f"{author} repeats itself{where}; give the spec more examples there"
    else:
        common = ", ".join(sorted(reasons, key=lambda reason: -reasons[reason])[:3]) or "nothing"
        remedy = f"most were rejected for {common}; look at them in triage and mend the spec"
    return f"out of attempts: {missing}; {remedy}"


def _exhausted(ledger: Ledger) -> str:
    targets = ledger.targets()
    wanted = sum(one.target for one in targets)
    had = sum(min(one.accepted, one.target) for one in targets)
    short = ", ".join(f"{name} {accepted} of {target}" for name, accepted, target in ledger.short())
    return (
        f"the recording is exhausted: {had} of {wanted} wanted, short in {short}; more needs an endpoint, a local "
        "server, or examples by hand"
    )
