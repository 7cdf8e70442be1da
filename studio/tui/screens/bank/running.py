"""How the bank's job stands, in a few lines: a bar, figures, what holds it up, hops, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.content import Content

from studio.bank import BankFinished
from studio.tui.live.bridge import Snapshot
from studio.tui.live.progress import BankProgress
from studio.tui.screens.job_stage import job_state
from studio.tui.text import clip, counted, duration, join, line, lines, rate
from studio.tui.widgets.layout import with_bar


def job_page(job: Snapshot | None, width: int) -> Content:
    """Nothing where there was no job yet. A job that ended well takes one line."""
    if job is None:
        return Content("")
    now: BankProgress = job.progress or BankProgress()
    key = "s" if job.job.stage == "bank" else "x"
    head = join((job_name(job), "bold"), "  ", job_state(job, "", again=f"{key} begins again"))
    parts = [*_running(now, head, width)] if job.alive else [*_ended(now, head, key)]
    parts += [_hop(now, number, width) for number in range(len(now.hops))]
    return lines(parts)


def job_name(job: Snapshot) -> str:
    """``write`` of a job that makes people, ``recipe math``, ``study people compared`` of one that uses them."""
    now: BankProgress = job.progress or BankProgress()
    stage = job.job.stage
    if stage == "bank":
        return now.method or stage
    return f"{stage} {now.method}" if now.method not in ("", stage) else stage


def _running(now: BankProgress, head: Content, width: int) -> list[Content]:
    last = now.last
    if not now.wanted:
        return [head]
    count = f"  {now.done:,} of {now.wanted:,} "
    first = with_bar(join(head, (count, "bold")), now.done, now.wanted, width)
    told = [now.model] if now.model else []
    if last is not None:
        told += [rate(last.rate), f"{duration(last.eta_s)} left"] if last.rate else []
        told += [money(last.cost_usd), removed(last.removed, last.reasons)]
    found = [first]
    if told:
        found.append(join(("  ".join(clip(one, width) for one in told if one), "$quiet")))
    if last is not None and last.errors:
        found.append(failed(last.errors, now.last_error))
    if now.note:
        found.append(line(now.note, "$warning"))
    if last is not None and last.flow:
        found.append(join((last.flow, "$warning"), ("; S stops", "$quiet")))
    return found


def _ended(now: BankProgress, head: Content, key: str) -> list[Content]:
    end = now.finished
    if end is None:
        count = f"  {now.done:,} of {now.wanted:,}" if now.wanted else ""
        return [join(head, count)]
    if isinstance(end, BankFinished):
        known = f", {end.known:,} were there already" if end.known else ""
        short = "" if end.complete else f"  stopped short: {now.done:,} of {now.wanted:,}; {key} offers to go on"
        return [join(head, f"  {end.added:,} new{known}", (short, "$warning"))]
    new = end.done - end.known
    figures = [
        f"{end.done:,} of {end.wanted:,}",
        f"{new:,} new" if end.known else "",
        removed(end.removed, end.reasons),
        money(end.cost_usd),
    ]
    found = [join(head, "  ", "  ".join(part for part in figures if part))]
    if end.errors:
        found.append(failed(end.errors, now.last_error))
    if not end.complete:
        why = (end.note or "it ended early").removesuffix("; the same command goes on")
        found.append(join(("stopped short: ", "$warning bold"), line(why), (f"; {key} offers to go on", "$quiet")))
    elif end.note:
        found.append(line(end.note, "$quiet"))
    return found


def _hop(now: BankProgress, number: int, width: int) -> Content:
    hop = now.hops[number]
    told = (
        f"  {counted(hop.people, 'person', 'people')}, Vendi {hop.vendi:.1f} of {hop.n} (hop 1: {hop.first_vendi:.1f}),"
        f" nearest {hop.nearest_distance:.2f}, drift of ages {hop.age_divergence:.2f}, of jobs {hop.job_divergence:.2f}"
    )
    return join((f"hop {hop.hop}", "bold"), told)


def removed(count: int, reasons: Mapping[Any, int]) -> str:
    """``12 removed: meaning 8, words 4``; empty of none."""
    why = ", ".join(f"{reason} {many:,}" for reason, many in sorted(reasons.items(), key=lambda one: -one[1]))
    return f"{count:,} removed: {why}" if count else ""


def failed(count: int, error: str) -> Content:
    """``2 calls failed, the last: 500 from the server``."""
    return join((f"{counted(count, 'call')} failed", "$error"), f", the last: {error}" if error else "")


def money(usd: float | None) -> str:
    return "cost unknown" if usd is None else f"${usd:.2f}" if usd else "no cost"


def ended_early(job: Snapshot | None) -> bool:
    """Whether there is something to go on with."""
    if job is None or job.alive:
        return False
    now: BankProgress = job.progress or BankProgress()
    end = now.finished
    return end is None or not end.complete
