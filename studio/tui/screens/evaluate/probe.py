"""One probe through both sides: on a line of the list, and whole."""

from __future__ import annotations

import re
from collections.abc import Sequence

from textual.content import Content

from studio.chatml import last_request
from studio.evaluate.metrics import NO_LABELS, Labels, label_total
from studio.evaluate.types import ProbeResult, Side
from studio.store.records import Judgement, RunLabel
from studio.tui.text import clip, join, line, lines, score, shown
from studio.tui.widgets.row_line import trait_marks

WINNERS = {
    "tuned": ("tuned wins", "$success"),
    "base": ("base wins", "$error"),
    "tie": ("tie", "$quiet"),
    None: ("", "$quiet"),
}


def is_locked(result: ProbeResult) -> bool:
    """Whether nobody who writes examples may read it, so that the next verdict means something."""
    return result.probe.part == "locked"


def weakest_first(results: Sequence[ProbeResult], labels: Labels = NO_LABELS) -> list[ProbeResult]:
    """The open ones by the tuned reply's score, what nobody could score last; of equals those that base won first."""

    def place(one: ProbeResult) -> tuple[float, bool, str]:
        total = _label_total(labels.reply(one, "tuned"))
        return _total(one.tuned_judgement) if total is None else total, _winner(one, labels) != "base", one.probe.id

    return sorted((one for one in results if not is_locked(one)), key=place)


def _label_total(label: RunLabel | None) -> float | None:
    """A person's score of 10; None where a trait has none."""
    return label_total(label, tuple(label.labels)) if label and label.labels else None


def _total(judgement: Judgement) -> float:
    return 99.0 if judgement.total is None or judgement.verdict == "error" else judgement.total


def _winner(result: ProbeResult, labels: Labels = NO_LABELS) -> str | None:
    """A person's word before a judge's; None where nobody compared the two."""
    vote = labels.pair(result)
    return vote.winner if vote else result.comparison.winner if result.comparison else None


def _score(judgement: Judgement, label: RunLabel | None) -> str:
    """Six cells: a person's score with ``=``, else the judge's."""
    total = _label_total(label)
    if total is not None:
        return f"{score(total):>5}="
    return f"{'error' if judgement.verdict == 'error' else score(judgement.total):>5} "


def _why(result: ProbeResult) -> str:
    """Why a side won that does not by the scores, in the judge's words; empty where there is nothing to wonder at."""
    winner, scores = _winner(result), (_total(result.base_judgement), _total(result.tuned_judgement))
    by_scores = "tie" if scores[0] == scores[1] else "base" if scores[0] > scores[1] else "tuned"
    if result.comparison is None or winner in ("tie", by_scores):
        return ""
    return re.sub(r"^The (first|second): ", "", line(result.comparison.rationale).plain).removesuffix(".")


def probe_line(result: ProbeResult, width: int, labels: Labels = NO_LABELS) -> Content:
    """``tuned  4.0  base  4.0  base wins  it answers more  I finished the report``; ``=`` after a person's score."""
    winner, style = WINNERS[_winner(result, labels)]
    why = "" if labels.pair(result) else clip(_why(result), max(min(width - 55, 26), 12))
    head = join(
        ("tuned ", "$quiet"),
        (_score(result.tuned_judgement, labels.reply(result, "tuned")), "bold"),
        (f" base {_score(result.base_judgement, labels.reply(result, 'base'))} ", "$quiet"),
        (f"{winner:<10} ", style),
        ("terms lost  " if result.tuned_kept is False else "", "$warning"),
        (f"{why}  " if why else "", "$quiet"),
    )
    return join(head, clip(last_request(result.probe.messages), max(width - head.cell_length, 0)))


def probe_page(result: ProbeResult, width: int, labels: Labels = NO_LABELS) -> Content:
    """Request, both replies, and what people and the judge said of each."""
    probe, compared, category = result.probe, result.comparison, line(result.probe.category).plain
    parts = [
        join(WINNERS[_winner(result, labels)], (f"  {_orders(result)}   {category}, held out", "$quiet")),
        *(join((f"{one.role:<10}", "bold"), one.content) for one in probe.messages),
    ]
    if probe.keep:
        parts.append(join(("a good reply keeps: ", "$quiet"), ", ".join(probe.keep)))
    parts += [Content(""), *_side(result, "tuned", labels, width), Content(""), *_side(result, "base", labels, width)]
    if compared and (told := compared.error or compared.rationale):
        parts += [Content(""), join(("of the pair: ", "$quiet"), told)]
    return lines(parts)


def _orders(result: ProbeResult) -> str:
    """Which side the judge took with base shown first, and with tuned shown first."""
    if result.comparison is None:
        return "not compared"
    sides = {"first": ("base", "tuned"), "second": ("tuned", "base"), "tie": ("tie", "tie")}
    forward, backward = result.comparison.orders
    return f"asked in both orders: {sides[forward][0]}, {sides[backward][1]}"


def _side(result: ProbeResult, side: Side, labels: Labels, width: int) -> list[Content]:
    """The reply with its score, whether it keeps the required terms, how long it took and whether it was cut."""
    reply, judgement, kept, seconds, _, finish = result.of(side)
    label = labels.reply(result, side)
    head = join(
        (side, "bold $primary"),
        (f"  {_score(judgement, label).strip()} of 10", "bold"),
        ({True: "  keeps the required terms", False: "  loses required terms", None: ""}[kept], "$quiet"),
        ("" if seconds is None else f"  {seconds:.2f} s", "$quiet"),
        ({"stop": "", "length": "  cut"}.get(finish, "  broken off"), "$quiet"),
    )
    told = [head, shown(reply) if reply else shown("(an empty reply)", "$quiet")]
    if label is not None:
        said = [f"{name} {score}" for name, score in label.labels.items()]
        said += [f"violates {label.boundary}"] if label.boundary else []
        told.append(join(("label  ", "bold"), ", ".join(said)))
    return [*told, *_judged(judgement, width)]


def _judged(judgement: Judgement, width: int) -> list[Content]:
    """A line a trait: its mark, why, and the words that show it."""
    if judgement.verdict == "error":
        return [shown(f"could not be judged: {judgement.error or 'no reason given'}", "$warning")]
    found = [trait_marks(judgement, width)] if judgement.traits else []
    if judgement.verdict == "unscored":
        found.append(shown("unscored: l labels it", "$quiet"))
    for one in judgement.violations:
        quote = f'  "{one.quote}"' if one.quote else ""
        found.append(join(("  ! ", "$error bold"), f"{one.kind}: {one.name}", quote))
    if missing := [step for step, taken in judgement.steps.items() if not taken]:
        found.append(join(("  steps missing: ", "$quiet"), ", ".join(missing)))
    return found
