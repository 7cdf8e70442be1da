"""One calm theme: two greys, one blue, and green, amber and red for what they mean."""

from __future__ import annotations

from textual.theme import Theme


def _theme(name: str, *, quiet: str, rule: str, cursor: str, blurred: str, **colours: str) -> Theme:
    return Theme(
        name=name,
        secondary=quiet,
        accent=colours["primary"],
        surface=colours["background"],
        dark=True,
        text_alpha=1.0,
        variables={
            "cursor-line": cursor,
            "cursor-line-blurred": blurred,
            "quiet": quiet,
            **dict.fromkeys(("rule", "border", "border-blurred", "scrollbar", "scrollbar-hover"), rule),
            **{f"scrollbar-background{state}": colours["background"] for state in ("", "-hover", "-active")},
            "scrollbar-active": quiet,
            "block-cursor-text-style": "none",
            "input-cursor-text-style": "reverse",
            "input-selection-background": cursor,
        },
        **colours,  # type: ignore[arg-type]
    )


STUDIO = _theme(
    "studio",
    primary="#7aa2d6",
    foreground="#d5d8de",
    background="#14161a",
    panel="#23272e",
    success="#8fbf7f",
    warning="#d9b25f",
    error="#e07a70",
    quiet="#8a93a3",
    rule="#3a404a",
    cursor="#1d3c66",
    blurred="#2b3038",
)

STUDIO_16 = _theme(
    "studio-16",
    primary="#55ffff",
    foreground="#ffffff",
    background="#000000",
    panel="#000000",
    success="#55ff55",
    warning="#ffff55",
    error="#ff5555",
    quiet="#aaaaaa",
    rule="#555555",
    cursor="#0000aa",
    blurred="#555555",
)
"""For terminals of 16 colours: each value is one of theirs, so that none is rounded to grey."""
