"""What recipes made, as the shell tells it."""

from __future__ import annotations

from studio.cli.display import duration
from studio.cli.output import cut, say
from studio.generate.recipes import RunReport, Validity
from studio.inference import ItemsFinished
from studio.llm import dollars


def ending(end: ItemsFinished) -> str:
    made = f"{end.done - end.known} new of {end.done}" if end.known else str(end.done)
    reasons = ", ".join(f"{count} {reason}" for reason, count in sorted(end.reasons.items()))
    removed = f"{end.removed} removed" + (f" ({reasons})" if reasons else "")
    errors = f", {end.errors} failed" if end.errors else ""
    return f"{made} by {end.task}, {removed}{errors}; {end.calls} calls, {_cost(end.cost_usd)}, {duration(end.seconds)}"


def say_report(one: RunReport) -> None:
    say(f"{one.recipe}, {one.shots}" + (f", {one.world}" if one.world else ""))
    say(f"  made       {one.made} for {one.people} people, of {one.tries} tries" + _reasons(one))
    if (found := one.agreement) is not None:
        told = f"all {found.all}, enough {found.enough}, none {found.none}"
        say(f"  agreement  {told}: {found.share:.0%} of {found.solved}")
    say(f"  duplicates {one.duplicate_share:.1%} of what was answered")
    if one.words is not None:
        say(f"  words      {one.words.least} to {one.words.most}, median {one.words.median:g}")
    say(f"  validity   {validity_line(one.validity)}")
    models = ", ".join(sorted(one.models)) or "nobody"
    tokens = f"{one.prompt_tokens:,} + {one.completion_tokens:,} tokens"
    say(f"  cost       {_cost(one.cost_usd)}: {one.requests} answers, {tokens}, by {cut(models, 60)}")


def _reasons(one: RunReport) -> str:
    gone = {**one.removed, **({"given up": one.given_up} if one.given_up else {})}
    return "".join(f", {count} {reason}" for reason, count in sorted(gone.items()))


def validity_line(one: Validity) -> str:
    if one.share is None or one.low is None or one.high is None:
        return f"not reviewed: a sample of {one.wanted} waits"
    return f"{one.share:.0%} valid ({one.low:.0%} to {one.high:.0%}) of {one.reviewed} reviewed, {one.wanted} wanted"


def _cost(usd: float | None) -> str:
    return "cost unknown" if usd is None else dollars(usd) if usd else "no cost"
