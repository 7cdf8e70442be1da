"""One calm theme: two greys, one blue, and green, amber and red for what they mean."""

from __future__ import annotations

from textual.theme import Theme

STUDIO = Theme(
    name="studio",
    primary="#7aa2d6",
    secondary="#8a93a3",
    accent="#7aa2d6",
    foreground="#d5d8de",
    background="#14161a",
    surface="#14161a",
    panel="#23272e",
    success="#8fbf7f",
    warning="#d9b25f",
    error="#e07a70",
    dark=True,
    text_alpha=1.0,
    variables={
        # The cursor's row: blue in 16 colours too, where the greys are all black.
        "cursor-line": "#1d3c66",
        "cursor-line-blurred": "#2b3038",
        "quiet": "#8a93a3",
        "rule": "#3a404a",
        "block-cursor-text-style": "none",
        "border": "#3a404a",
        "border-blurred": "#3a404a",
        "scrollbar": "#3a404a",
        "scrollbar-hover": "#4a515d",
        "scrollbar-active": "#7aa2d6",
        "scrollbar-background": "#14161a",
        "scrollbar-background-hover": "#14161a",
        "scrollbar-background-active": "#14161a",
        "input-cursor-text-style": "reverse",
        "input-selection-background": "#1d3c66",
    },
)
