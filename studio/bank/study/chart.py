"""Box plots of a study: in plain characters for a terminal of 80 columns, and as SVG without any library.

Text from models and people is made inert, and escaped in the picture.
"""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from studio.bank.study.record import Measure, Spread, Study, Trend
from studio.text.inert import inert_line

WIDTH = 78
_LABEL, _PLOT = 8, 52
LEGEND = "|---[==:==]---|  least, lower quartile, median, upper quartile, most"
PICTURE, LEFT, ROW, BOX = 760, 90, 26, 14
"""Pixels."""
COLOURS = {0.4: "#3465a4", 0.6: "#2e8b7a", 0.8: "#e9a227", 0.9: "#a8403a"}
"""By bin; apart for colour-blind eyes by their lightness too."""
_NAMES: dict[Measure, str] = {"cosine": "cosine of the outputs", "words": "word Jaccard of the outputs"}
_FONT = "font-family='DejaVu Sans Mono, monospace' font-size='12'"


def box_lines(spreads: Sequence[Spread]) -> list[str]:
    """One line a bin on a common axis from 0 to 1, with mean and interval; none is wider than :data:`WIDTH`."""
    axis = [" "] * _PLOT
    for tenth in range(0, 11, 2):
        at = min(_column(tenth / 10), _PLOT - 3)
        axis[at : at + 3] = f"{tenth / 10:.1f}"
    lines = [f"{'':{_LABEL}}{''.join(axis)}  mean"]
    for one in spreads:
        lines.append(f"{f'~{one.bin:.2f}':<{_LABEL}}{_box(one)}  {one.mean:.2f} ({one.n} pairs)"[:WIDTH])
    return lines


def report(study: Study) -> dict[str, str]:
    """The study in plain characters: a title and lines of at most :data:`WIDTH` columns for each prompt and model."""
    found = {}
    for trend in study.trends:
        if trend.measure != "cosine":
            continue
        cosine, words = (
            [one for one in study.spreads if (one.task, one.model, one.measure) == (trend.task, trend.model, measure)]
            for measure in ("cosine", "words")
        )
        of_words = next(
            one for one in study.trends if (one.task, one.model, one.measure) == (trend.task, trend.model, "words")
        )
        lines = ["persona  pairs  cosine  95 % interval  quartiles        words  95 % interval"]
        for one, other in zip(cosine, words, strict=True):
            quartiles = f"{one.lower_quartile:.2f} {one.median:.2f} {one.upper_quartile:.2f}"
            lines.append(
                f"~{one.bin:<6.2f}  {one.n:>5}  {one.mean:>6.2f}  {one.low:.2f} .. {one.high:.2f}   {quartiles}   "
                f"{other.mean:>5.2f}  {other.low:.2f} .. {other.high:.2f}"
            )
        lines += box_lines(cosine)
        lines.append(f"Spearman: cosine {_rho(trend)}, words {_rho(of_words)}")
        lines.append(trend.told)
        found[f"{trend.task} prompt, {trend.model}"] = "\n".join(lines)
    return found


def svg(study: Study, measure: Measure = "cosine") -> str:
    """Box plots by prompt and model, bins beside each other on one axis from 0 to 1."""
    own = [one for one in study.spreads if one.measure == measure]
    groups = list(dict.fromkeys((one.task, one.model) for one in own))
    parts, top = (
        [_text(12, 22, f"Persona similarity against {_NAMES[measure]}, {len(study.pairs)} pairs", bold=True)],
        40,
    )
    for task, model in groups:
        trend = next(one for one in study.trends if (one.task, one.model, one.measure) == (task, model, measure))
        rho = "no variance" if trend.rho is None else f"Spearman {trend.rho:.2f} [{trend.low:.2f}, {trend.high:.2f}]"
        parts.append(_text(12, top + 14, f"{_short(task, 24)}, {_short(model, 32)}: {rho}", bold=True))
        top += 24
        for one in own:
            if (one.task, one.model) == (task, model):
                parts.append(_drawn(one, top))
                top += ROW
        parts.append(_axis(top))
        top += 34
    parts.append(_text(12, top, "box: quartiles; white line: median; dot: mean; line: least to most"))
    top += 14
    return (
        f"<svg xmlns='http://www.w3.org/2000/svg' width='{PICTURE}' height='{top}' "
        f"viewBox='0 0 {PICTURE} {top}' {_FONT}>"
        f"<rect width='100%' height='100%' fill='#ffffff'/>{''.join(parts)}</svg>\n"
    )


def _rho(trend: Trend) -> str:
    return "none" if trend.rho is None else f"{trend.rho:.2f} [{trend.low:.2f}, {trend.high:.2f}]"


def _column(value: float) -> int:
    return round(min(1.0, max(0.0, value)) * (_PLOT - 1))


def _box(one: Spread) -> str:
    cells = [" "] * _PLOT
    least, lower, median, upper, most = map(
        _column, (one.least, one.lower_quartile, one.median, one.upper_quartile, one.most)
    )
    cells[least : most + 1] = "-" * (most + 1 - least)
    cells[lower : upper + 1] = "=" * (upper + 1 - lower)
    cells[least], cells[most] = "|", "|"
    cells[lower], cells[upper] = "[", "]"
    cells[median] = ":"
    return "".join(cells)


def _drawn(one: Spread, top: int) -> str:
    middle = top + ROW / 2
    box, colour = middle - BOX / 2, COLOURS.get(one.bin, "#666666")
    least, lower, median, upper, most, mean = map(
        _at, (one.least, one.lower_quartile, one.median, one.upper_quartile, one.most, one.mean)
    )
    line = "stroke='#222222' stroke-width='1.5'"
    return (
        _text(LEFT - 10, middle + 4, f"~{one.bin:.2f}", end=True)
        + f"<line x1='{least:.1f}' x2='{most:.1f}' y1='{middle:.1f}' y2='{middle:.1f}' {line}/>"
        + f"<rect x='{lower:.1f}' y='{box:.1f}' width='{max(1.0, upper - lower):.1f}' height='{BOX}' "
        f"fill='{colour}' {line}/>"
        + f"<line x1='{median:.1f}' x2='{median:.1f}' y1='{box:.1f}' y2='{box + BOX:.1f}' stroke='#ffffff' "
        "stroke-width='2.5'/>"
        + f"<circle cx='{mean:.1f}' cy='{middle:.1f}' r='3' fill='#222222'/>"
        + _text(PICTURE - 128, middle + 4, f"{one.mean:.2f} ({one.n} pairs)")
    )


def _axis(top: int) -> str:
    ticks = "".join(_text(_at(tenth / 10) - 10, top + 14, f"{tenth / 10:.1f}") for tenth in range(0, 11, 2))
    return f"<line x1='{LEFT}' x2='{_at(1):.1f}' y1='{top}' y2='{top}' stroke='#888888'/>{ticks}"


def _at(value: float) -> float:
    return LEFT + min(1.0, max(0.0, value)) * (PICTURE - LEFT - 140)


def _text(x: float, y: float, text: str, *, bold: bool = False, end: bool = False) -> str:
    style = (" font-weight='bold'" if bold else "") + (" text-anchor='end'" if end else "")
    return f"<text x='{x:.1f}' y='{y:.1f}'{style} fill='#222222'>{escape(inert_line(text))}</text>"


def _short(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[: room - 1]}…"
