# ruff: noqa: RUF001
"""What nobody writes by hand is found, and what scripts and emoji need is left alone."""

from __future__ import annotations

import pytest

from studio.text.inert import inert, unfit


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("ring\x07", "U+0007"),
        ("\x1b[31mred", "U+001B"),
        ("a\x9bb", "U+009B"),
        ("pay \u202egnp.exe", "U+202E"),
        ("a\u2067b\u2069", "U+2067"),
        ("pass\u200bword", "U+200B"),
        ("pa\u200dss", "U+200D"),
        ("\ufeffHello", "U+FEFF"),
        ("hi\u200c\u200c\u200d\u200c", "U+200C"),
        ("do it\U000e0068\U000e0069", "U+E0068"),
        ("\U0001f3f4 \U000e0068", "U+E0068"),
    ],
)
def test_controls_turned_writing_and_hidden_characters_are_named(text: str, sign: str) -> None:
    assert unfit(text) == sign
    assert inert(text).isprintable() or "\u200c" in text or "\u200d" in text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Two lines,\r\nand a\ttab.",
        "Grüße, 日本, שלום, مرحبا",
        "می\u200cخواهم",  # Persian needs its joiner
        "क\u094d\u200dष",  # as Devanagari does
        "ภาษา\u200bไทย",  # Thai breaks its lines there
        "\U0001f468\u200d\U0001f469\u200d\U0001f467 family",
        "\u2764\ufe0f\u200d\U0001f525",
        "\U0001f3f4\U000e0067\U000e0062\U000e0073\U000e0063\U000e0074\U000e007f",  # the flag of Scotland
        "\u200fשלום\u200e (hello)",
        "co\u00adoperate",
    ],
)
def test_what_people_write_is_left_alone(text: str) -> None:
    assert unfit(text) == ""
