"""Reports of what people were used for, as pages: counts, rates with their intervals, spreads, and the effect."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

from textual.content import Content

from studio.bank.chart import figures
from studio.bank.study import LEGEND, Study
from studio.bank.study.record import Spread, Trend
from studio.bank.talk import Talk
from studio.generate.effect import MEASURES, Change, Effect
from studio.generate.recipes import RunReport, Validity
from studio.llm import dollars
from studio.queries.compare import ArmReport, QueryReport
from studio.queries.mismatches import AskReport, SideReport, judge_line, lines_of
from studio.queries.rates import Rate
from studio.tui.text import Part, clip, counted, join, lines, pad
from studio.tui.widgets.layout import bar, facts

HEAD, NOTE = "bold $primary", "$quiet"
BARS_FROM = 66
"""Cells of a line from which rates have a bar."""


def recipe_page(one: RunReport, width: int) -> Content:
    agreed, words, gone = one.agreement, one.words, dict(one.removed)
    if one.given_up:
        gone["given up"] = one.given_up
    told: list[tuple[str, Part]] = [
        ("made", f"{one.made} for {counted(one.people, 'person', 'people')}, of {counted(one.tries, 'try', 'tries')}"),
        ("removed", ", ".join(f"{why} {n}" for why, n in sorted(gone.items())) or "none"),
        ("duplicates", f"{one.duplicate_share:.1%} of what was answered"),
        ("validity", validity_told(one.validity)),
        ("words", f"{words.least} to {words.most}, median {words.median:g}" if words else ""),
        ("models", ", ".join(f"{name} {n}" for name, n in one.models.items())),
        ("answers", f"{one.requests:,}, {one.prompt_tokens:,} + {one.completion_tokens:,} tokens"),
        ("cost", "cost unknown" if one.cost_usd is None else dollars(one.cost_usd) if one.cost_usd else "no cost"),
    ]
    if agreed is not None:
        figure = f"{agreed.share:.0%} of {agreed.solved}: all agree {agreed.all}, enough {agreed.enough},"
        told.insert(3, ("agreement", f"{figure} too few {agreed.none}"))
    return facts(told, width)


def validity_told(one: Validity) -> str:
    """``80% valid (38% to 96%) of 5 reviewed, 5 wanted``."""
    if one.share is None or one.low is None or one.high is None:
        return f"not reviewed: a sample of {one.wanted} waits, r in the list"
    return f"{one.share:.0%} valid ({one.low:.0%} to {one.high:.0%}) of {one.reviewed} reviewed, {one.wanted} wanted"


def queries_page(one: QueryReport, width: int) -> Content:
    reasons = list(dict.fromkeys(reason for arm in one.arms for reason in arm.removed))
    rows: list[tuple[str, list[str]]] = [
        ("written", [f"{arm.written}" for arm in one.arms]),
        ("that count", [f"{arm.kept}" for arm in one.arms]),
        *((f"- {reason}", [f"{arm.removed.get(reason, 0)}" for arm in one.arms]) for reason in reasons),
        ("fit their topic", [arm.fits.brief for arm in one.arms]),
        ("- squarely", [arm.squarely.brief for arm in one.arms]),
        ("words, mean", [f"{arm.lengths.mean:.1f}" for arm in one.arms]),
        ("5 % 50 % 95 %", [_spread(arm) for arm in one.arms]),
    ]
    measured = [
        (f"As written, {one.n} each, cut after {one.words} words", [arm.as_written.measures for arm in one.arms]),
        (f"Those that count, {one.arms[0].as_kept.n} each", [arm.as_kept for arm in one.arms]),
    ]
    wins, ties = one.realism.wins, one.realism.ties
    told = f"people's queries won {wins.text} of the blind votes; ties count half: {ties}"
    realism = facts([("realism", told if wins.n else "nobody has voted yet: r in the list")], width)
    parts = [join((pad("", 20), ""), *((f"{arm.arm:>20}", "bold") for arm in one.arms)), *map(_row, rows), realism]
    for title, of in measured:
        columns = [figures(one) for one in of]
        parts += [Content(""), join((title, HEAD))]
        parts += [_row((cells[0][0], [figure for _, figure in cells])) for cells in zip(*columns, strict=True)]
    return lines(parts)


def _spread(arm: ArmReport) -> str:
    return f"{arm.lengths.p5:.0f}, {arm.lengths.median:.0f}, {arm.lengths.p95:.0f}"


def _row(row: tuple[str, Sequence[str]]) -> Content:
    return join((pad(row[0], 20), NOTE), *(f"{cell:>20}" for cell in row[1]))


def asking_page(one: AskReport, width: int) -> Content:
    parts = [join(judge_line(one))]
    for side in one.sides:
        parts += [Content(""), join((f"{side.chatbot} {side.side}".strip(), HEAD))]
        parts += [join(told) for told in lines_of(side)]
        for title, rates in (("Mismatched by topic", side.topics), ("Mismatched by user type", side.user_types)):
            parts += [Content(""), join((title, "bold")), *(_rate(rate, width) for rate in rates)] if rates else []
        parts += _missed(side, width)
    return lines(parts)


def _rate(rate: Rate, width: int) -> Content:
    room = max(width - 30, 12)
    if width < BARS_FROM:
        return join(pad(rate.name, room), f" {rate.text}")
    name = min(34, width // 3)
    told = f" {rate.text}"
    return join(pad(rate.name, name), " ", bar(rate.share, 1, max(min(width - name - 32, 30), 6)), told)


def _missed(side: SideReport, width: int) -> list[Content]:
    missed = [one for one in side.items if one.missed.events]
    if not missed:
        return []
    named = [
        (
            f"{one.missed.events:g} of {one.missed.n}",
            join(one.expected, (f"  {one.topic}; contradicted {one.counts.get('contradicted', 0)}", NOTE)),
        )
        for one in missed
    ]
    return [Content(""), join(("Expected, and missed", "bold")), facts(named, width)]


def talks_page(talks: Sequence[Talk], width: int) -> Content:
    if not talks:
        return join("Nobody has talked yet.")
    turns = [len(one.turns) for one in talks]
    parts = [
        facts(
            [
                ("talks", f"{len(talks):,}"),
                ("turns", f"{sum(turns) / len(turns):.1f} on average, {min(turns)} to {max(turns)}"),
                ("models", ", ".join(f"{name} {n}" for name, n in Counter(one.model for one in talks).most_common())),
            ],
            width,
        )
    ]
    shares = [
        ("Relations", Counter(one.scene.kind for one in talks)),
        ("Media", Counter(str(one.scene.medium) for one in talks)),
        ("How they ended", Counter(f"{one.ended} {one.fault}".strip() for one in talks)),
    ]
    for title, counts in shares:
        parts += [Content(""), join((title, HEAD))]
        parts += [_share(name, n, len(talks), width) for name, n in counts.most_common()]
    return lines(parts)


def _share(name: str, n: int, whole: int, width: int) -> Content:
    room = min(34, width // 2)
    return join(pad(name, room), " ", bar(n, whole, max(min(width - room - 9, 40), 4)), f"{n:>7,}")


def study_page(study: Study, width: int) -> Content:
    """A table and box plots by prompt and model, on one axis from 0 to 1."""
    used = ", ".join(f"{one.used} at {one.centre:g} (of {one.seen} seen)" for one in study.bins)
    parts = [
        facts([("pairs", f"{used}; {study.compared:,} people compared"), ("note", _in_the_window(study.note))], width)
    ]
    for trend in study.trends:
        if trend.measure != "cosine":
            continue
        own = [one for one in study.spreads if (one.task, one.model) == (trend.task, trend.model)]
        cosine, words = ([one for one in own if one.measure == measure] for measure in ("cosine", "words"))
        other = next(
            one for one in study.trends if (one.task, one.model, one.measure) == (trend.task, trend.model, "words")
        )
        parts += [Content(""), join((f"{trend.task} prompt, {trend.model}", HEAD), ("  cosine of outputs", NOTE))]
        parts += box_plots(cosine, width)
        of_words = ", ".join(f"{one.mean:.2f} at {one.bin:g}" for one in words)
        told: list[tuple[str, Part]] = [
            ("words", f"shared, on average {of_words}"),
            ("Spearman", f"cosine {_rho(trend)}, words {_rho(other)}"),
            ("", (trend.told, "bold")),
        ]
        parts.append(facts(told, width))
    parts += [Content(""), join((f"{LEGEND}; of the cosines of pairs", NOTE))]
    return lines(parts)


def _in_the_window(text: str) -> str:
    """What a note tells to do in a shell, as it is done here: ``--pairs`` is a field, a command one of ``s``."""
    return re.sub(r"--([a-z]+)", r"\1", text.replace("studio bank ", "s, "))


def box_plots(spreads: Sequence[Spread], width: int) -> list[Content]:
    """A line a bin: ``~0.40  |--[==:==]--|  0.53 (20)``."""
    head, tail = 7, 12
    room = max(width - head - tail, 20)

    def at(value: float) -> int:
        return round(min(1.0, max(0.0, value)) * (room - 1))

    axis = [" "] * room
    for tenth in range(0, 11, 2):
        place = min(at(tenth / 10), room - 3)
        axis[place : place + 3] = f"{tenth / 10:.1f}"
    found = [join((" " * head + "".join(axis), NOTE))]
    for one in spreads:
        cells = [" "] * room
        least, most = at(one.least), at(one.most)
        lower, middle, upper = at(one.lower_quartile), at(one.median), at(one.upper_quartile)
        cells[least : most + 1] = "-" * (most + 1 - least)
        cells[lower : upper + 1] = "=" * (upper + 1 - lower)
        cells[least] = cells[most] = "|"
        cells[lower], cells[upper] = "[", "]"
        cells[middle] = ":"
        plot = ("".join(cells), "$primary")
        found.append(join(f"~{one.bin:.2f}".ljust(head), plot, f"  {one.mean:.2f} ({one.n})"))
    return found


def _rho(trend: Trend) -> str:
    return "none" if trend.rho is None else f"{trend.rho:.2f} [{trend.low:.2f}, {trend.high:.2f}]"


def effect_page(one: Effect, width: int) -> Content:
    head = f"{one.source}; {counted(one.scenarios, 'scenario')}, {counted(one.people, 'person', 'people')}"
    parts = [join((head, NOTE)), join((one.told, "bold")), Content("")]
    parts.append(join(pad("share of variation", 20), *((f"{name:>10}", "bold") for name in MEASURES), f"{'p':>8}"))
    for change in (one.person, *one.fields):
        figures = (f"{100 * part.share:>8.0f} %" for part in change.measures)
        parts.append(join((pad(change.what, 20), "" if change.acts else NOTE), *figures, f"{change.p:>8.3f}"))
    parts += [Content(""), join(("The largest share of each", HEAD)), *_acting((one.person, *one.fields), width)]
    if one.note:
        note = one.note.replace("--ask N has the author write such a sample", "x, effect has such a sample written")
        parts += [Content(""), join((note, "$warning"))]
    return lines(parts)


def _acting(changes: Sequence[Change], width: int) -> list[Content]:
    found: list[Content] = []
    for one in changes:
        says = f"{one.strongest.name}, {'acts' if one.acts else 'cannot be told from chance'}"
        room = max(min(width - 20 - len(says) - 8, 30), 6)
        share = min(1.0, max(0.0, one.strongest.share))
        told = join(pad(one.what, 18), " ", bar(share, 1, room, "$success" if one.acts else NOTE), f" {share:4.0%} ")
        found.append(join(told, clip(says, max(width - told.cell_length, 8))))
    return found
